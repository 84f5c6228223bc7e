"""What a run shows while and after it trains: progress bar and table. In a sweep, the sweep speaks for its jobs."""

from __future__ import annotations

import sys

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from pytorch_lightning.callbacks import Callback, ProgressBar, RichProgressBar
from pytorch_lightning.callbacks.progress.rich_progress import RichProgressBarTheme

from callbacks.rd_table import RDTable

__all__ = ["point_report", "progress_bar"]


class _NoBar(ProgressBar):
    """Keeps Lightning from adding a bar of its own; costs nothing at a step."""

    def disable(self) -> None: ...

    def enable(self) -> None: ...


def progress_bar(refresh_rate: int = 50) -> Callback:
    """Lightning's rich progress bar, redrawn every ``refresh_rate`` steps; none in a log file or a sweep.

    Args:
        refresh_rate: steps between redraws; each costs about a training step. 0 shows no bar.
    """
    if not refresh_rate or not sys.stdout.isatty() or sweeping():
        return _NoBar()
    return RichProgressBar(refresh_rate=refresh_rate, theme=RichProgressBarTheme(metrics_format=".4f"))


def point_report(folder: str) -> Callback:
    """The table of a run; in a sweep nothing, its table has a row for each job (``callbacks.sweep_progress``).

    Args:
        folder: the run's folder.
    """
    return Callback() if sweeping() else RDTable(folder)


def sweeping() -> bool:
    """Whether this job is one of a sweep."""
    return HydraConfig.initialized() and HydraConfig.get().mode == RunMode.MULTIRUN
