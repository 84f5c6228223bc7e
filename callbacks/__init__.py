"""What happens around training: the experiment itself, its RD point, table and pictures, and a sweep's summary.

One job:

- ``experiment`` a job in its folder; ``training_run`` instantiates, checks, trains, evaluates; ``block_check``,
  ``relaunch`` (further processes of a job)
- ``job_identity`` which settings make a job that job; ``job_settings`` what people asked for
- ``interruption`` what signals do; ``output_folder`` can it be written?
- ``calibration`` the last phase of training
- ``coder_file`` the trained coder as ``coder.pt``, and the rate of its real bytes
- ``rd_point`` places the evaluation against R(D) and writes ``rd_point.json``; ``image_point``, ``image_evaluation``
- ``rd_table``, ``rd_picture``, ``cells_picture``, ``image_table`` what people see of it; ``point_tables``, ``rd_axes``
- ``progress``, ``idle_hooks`` the progress bar, and what it does not cost
- ``provenance`` where the figures come from

A sweep:

- ``resume``, ``resume_checkpoints``, ``resume_metrics`` a job that was killed goes on
- ``sole_process`` no other process is at work in its folder
- ``sweep_jobs`` the folders of jobs, and what these came to since the sweep was started
- ``sweep_progress`` how far it is; ``idle_workers`` who has nothing left to do
- ``sweep_summary`` gathers it: ``rd_points.csv``, ``rd_curves`` as a picture, a table
- ``image_curves`` those of images, before ``published_curves``
- ``report`` a page for people, ``python -m callbacks.report``
- ``wandb_run``, ``wandb_point``, ``wandb_sweep``, ``wandb_workspace`` Weights & Biases, offline by default
"""
