"""The table of a run of an image network: an image a row, and their mean, for a terminal of 80 columns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from rich.console import Console
from rich.table import Table

from callbacks.file_note import file_note
from callbacks.image_evaluation import ImageEvaluation
from callbacks.image_point import ImagePointWriter
from callbacks.progress import sweeping

__all__ = ["ImageTable", "image_report", "image_table"]

# Rows of the printed table; images.csv has all.
_MOST_ROWS = 24
_LONGEST_NAME = 24


def image_report(folder: str) -> pl.Callback:
    """The table of a run; in a sweep nothing, its table has a row for each job.

    Args:
        folder: the run's folder.
    """
    return pl.Callback() if sweeping() else ImageTable(folder)


class ImageTable(pl.Callback):
    """Prints the images of a run, and where its files are.

    Args:
        folder: the run's folder.
    """

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder)

    def on_test_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        callbacks: Any = trainer.callbacks  # type: ignore[attr-defined]
        rows = next(c for c in callbacks if isinstance(c, ImageEvaluation)).rows
        point = next(c for c in callbacks if isinstance(c, ImagePointWriter)).point
        if not trainer.is_global_zero or not rows or not point:
            return
        console = Console()
        console.print(image_table(rows, point))
        speed = point["steps"] / max(point["train_seconds"], 1e-9)
        console.print(f"Trained {point['steps']:,} steps in {point['train_seconds']:.1f} s ({speed:.1f} steps/s).")
        if (point["lattices"] or "").count("%") > 1:
            console.print(f"Latents are quantized by {point['lattices']}.")
        if note := file_note(point["estimated_rate"], point["coded_rate"]):
            console.print(note)
        if not point["decoded_exactly"]:
            console.print("Some images were not decoded to the very pixels of the network: see images.csv.")
        console.print(f"Results: {self.folder}", soft_wrap=True)


def image_table(rows: list[dict[str, Any]], point: dict[str, Any]) -> Table:
    """The images of an evaluation and their mean, for a terminal of 80 columns."""
    title = f"{point['transform']}, {point['lattice']}, lambda = {point['lambda']:g}"
    table = Table(title=title, title_justify="left")
    table.add_column("image", overflow="fold")
    for heading in ("bits/pixel", "estimated", "PSNR (dB)", "MS-SSIM"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows[:_MOST_ROWS]:
        table.add_row(*_cells(row["image"], row["bpp"], row["estimated_bpp"], row["psnr"], row["ms_ssim"]))
    if len(rows) > _MOST_ROWS:
        table.add_row(f"{len(rows) - _MOST_ROWS} more in images.csv")
    table.add_section()
    table.add_row(*_cells("mean", point["coded_rate"], point["estimated_rate"], point["psnr"], point["ms_ssim"]))
    return table


def _cells(name: str, coded: float, estimated: float, psnr: float, similar: float | None) -> list[str]:
    short = name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
    return [short, f"{coded:.4f}", f"{estimated:.4f}", f"{psnr:.2f}", "-" if similar is None else f"{similar:.4f}"]
