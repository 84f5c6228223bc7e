"""How far a sweep is, while it runs: Hydra's callback around `experiment.sweep.progress`."""

from __future__ import annotations

import atexit
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from experiment.sweep.progress import SweepState, job_count, show_lines, show_live, swept_keys

__all__ = ["SweepProgress"]


class SweepProgress(Callback):
    """Hydra's callback that tells how far a sweep is: a live table in a terminal, a line for each point elsewhere.

    Args:
        seconds: how often the folder is looked at.
    """

    def __init__(self, seconds: float = 1.0) -> None:
        self.seconds = seconds
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        # A launcher sends it to its workers, which have nothing to show.
        return SweepProgress, (self.seconds,)

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        state = SweepState(Path(config.hydra.sweep.dir).absolute(), job_count(config), swept_keys(config))
        show: Callable[[SweepState, threading.Event, float], None] = show_live if sys.stdout.isatty() else show_lines
        self._thread = threading.Thread(target=show, args=(state, self._stop, self.seconds), daemon=True)
        self._thread.start()
        # Of a terminal's SIGINT only this process is told, on the thread above: it ends its launcher's workers.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        atexit.register(self._end)

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        self._end()

    def _end(self) -> None:
        """Lets the last look be taken; a terminal gets its cursor back, whatever ended the sweep."""
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=5)
            self._thread = None
