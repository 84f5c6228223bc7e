"""A launcher's workers that have nothing left to do end at once, not after they have taken down all they had loaded."""

from __future__ import annotations

import sys
from typing import Any

__all__ = ["end_idle_workers", "worker_processes"]


def end_idle_workers() -> None:
    """Ends the processes of joblib's launcher, when all jobs have returned.

    A job's files are whole and its loggers are closed when it returns. Left alone, its worker would then unload torch
    and all the rest piece by piece, for seconds, which the sweep waits for.
    """
    executor = _executor()
    if executor is not None:
        executor.shutdown(wait=True, kill_workers=True)


def worker_processes() -> list[Any]:
    """The processes of joblib's launcher."""
    return list((getattr(_executor(), "_processes", None) or {}).values())


def _executor() -> Any:
    return getattr(sys.modules.get("joblib.externals.loky.reusable_executor"), "_executor", None)
