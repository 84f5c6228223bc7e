"""One job and one sweep: from a composed configuration to an RD point, and what people see of it.

A job:

- ``job`` one job in its folder: kept, refused, trained, or one clear sentence; ``training_run`` makes and trains it
- ``lambda_path`` the points of a curve as one job, each from its neighbour's coder
- ``record``, ``identity``, ``settings`` what a folder knows of its job, what a job's figures depend on, how jobs
  differ; ``immaterial`` what changes no figure
- ``kept_metrics`` logged metrics of a job that goes on; ``lock`` no other process is at work in its folder
- ``processes`` further processes of a job; ``interruption`` what signals do, ``output`` when nobody reads on;
  ``lightning_private`` what Lightning has no public way for
- ``provenance`` where figures come from; ``block_check`` whether a lattice tiles a block
- ``point``, ``image_point`` the RD point; ``result`` what is handed to all that show it
- ``tables``, ``point_report``, ``image_table``, ``reconstructions``, ``file_note``, ``bound_curve`` what is printed and
  kept of it; ``sample_bound`` an upper bound on R(D) beside runs on measured data (a command, as ``report``)
- ``curves`` which points make a curve, and what it is called; ``sweeping`` whether a job is one of a sweep

And:

- ``sweep`` the jobs of a sweep: how far they are, what they came to
- ``pictures`` of points, curves, cells and images
- ``report`` a page for people (``python -m experiment.report``)
- ``wandb`` Weights & Biases, offline by default
"""
