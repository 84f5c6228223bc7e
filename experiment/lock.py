"""One process at a time in a job's folder, also when a sweep was killed and its workers were not."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from pytorch_lightning.utilities import rank_zero_only

from experiment.sweep.jobs import JOB_LOCK

__all__ = ["end_with_parent", "sole_process"]

_WATCH = "end_with_parent"  # the name of the thread that looks


@contextmanager
def sole_process(folder: Path | str) -> Iterator[None]:
    """Keeps other processes' jobs out of a folder, and waits while one of them is at work there.

    The lock is the operating system's, on ``.job.lock``: it is gone with its process, however that ends. Of the
    processes of one job only rank 0 asks.

    Args:
        folder: the job's; it is made if need be.

    Examples:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder, sole_process(folder):
        ...     print("alone here")
        alone here
    """
    lock = _wait_for(Path(folder))
    try:
        yield
    finally:
        if lock is not None:
            lock.release()


@rank_zero_only
def _wait_for(folder: Path) -> FileLock:
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / JOB_LOCK)
    try:
        lock.acquire(timeout=2)
    except Timeout:
        print(f"Another process is at work in {folder}; waiting until it has ended.", flush=True)
        lock.acquire()
    return lock


def end_with_parent(interval: float = 0.5) -> None:
    """Ends this process, if it is a worker of another one, as soon as that one is gone.

    A launcher's worker that outlives a killed sweep would go on with jobs that the sweep's next start does again.

    Args:
        interval: seconds between two looks.
    """
    if multiprocessing.parent_process() is None or any(t.name == _WATCH for t in threading.enumerate()):
        return
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(interval)
        os._exit(1)

    threading.Thread(target=watch, name=_WATCH, daemon=True).start()
