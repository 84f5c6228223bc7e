"""What happens around training: the experiment itself, its RD point, table and pictures, and a sweep's summary.

- ``experiment`` one job: checks, instantiates, trains, evaluates
- ``calibration`` the last phase of training
- ``rd_point`` places the evaluation against R(D) and writes ``rd_point.json``
- ``rd_table``, ``rd_picture``, ``cells_picture`` what people see of it
- ``progress`` the progress bar
- ``wandb_run`` Weights & Biases, offline by default
- ``sweep_summary`` gathers a multirun: ``rd_points.csv``, ``rd_curves.png``, a table
- ``files`` whole files or none
"""
