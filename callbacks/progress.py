"""The progress bar: rich's, in a terminal; nothing in a log file."""

from __future__ import annotations

import sys

from pytorch_lightning.callbacks import Callback, RichProgressBar
from pytorch_lightning.callbacks.progress.rich_progress import RichProgressBarTheme

__all__ = ["progress_bar"]


def progress_bar(refresh_rate: int = 50) -> Callback:
    """Lightning's rich progress bar, redrawn every ``refresh_rate`` steps.

    Args:
        refresh_rate: steps between redraws; each costs about a training step. 0 shows no bar.
    """
    return RichProgressBar(
        refresh_rate=refresh_rate if sys.stdout.isatty() else 0, theme=RichProgressBarTheme(metrics_format=".4f")
    )
