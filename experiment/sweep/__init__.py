"""A sweep's folder: ``jobs`` (what each start writes down of them), ``progress``, ``results``, ``idle_workers``."""
