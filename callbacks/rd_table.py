"""After a run: its RD point as a table, and where its files are."""

from __future__ import annotations

from pathlib import Path

import pytorch_lightning as pl
from rich.console import Console

from callbacks.file_note import file_note
from callbacks.point_tables import point_table
from callbacks.rd_point import RDPointWriter

__all__ = ["RDTable"]


class RDTable(pl.Callback):
    """Prints the point of a run, and where its files are.

    Args:
        folder: the run's folder.
    """

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder)

    def on_test_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        writer = next((c for c in trainer.callbacks if isinstance(c, RDPointWriter)), None)  # type: ignore[attr-defined]
        point = None if writer is None else writer.point
        if not point or not trainer.is_global_zero:
            return
        console = Console()
        console.print(point_table(point))
        note = (
            ""
            if point["exact"] or point["coded_rate"] is not None
            else " The rate is a Monte-Carlo estimate, not a code length."
        )
        stepping = point["train_seconds"] - point["calibration_seconds"]
        speed = point["steps"] / max(stepping, 1e-9)
        console.print(
            f"Trained {point['steps']:,} steps in {stepping:.1f} s ({speed:.0f} steps/s), "
            f"calibrated in {point['calibration_seconds']:.1f} s, evaluated on {point['eval_symbols']:,} symbols.{note}"
        )
        if why := file_note(point["sample_rate"], point["coded_rate"]):
            console.print(why)
        console.print(f"Results: {self.folder}", soft_wrap=True)
