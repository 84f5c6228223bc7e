"""What a run shows while it trains: a progress bar. In a sweep, the sweep speaks for its jobs."""

from __future__ import annotations

import sys

from pytorch_lightning.callbacks import Callback, ProgressBar, RichProgressBar
from pytorch_lightning.callbacks.progress.rich_progress import RichProgressBarTheme

from experiment.sweeping import sweeping

__all__ = ["progress_bar"]


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
