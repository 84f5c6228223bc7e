"""Tables of RD points, for a terminal."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from rich.console import Console
from rich.table import Table

__all__ = ["RDTable", "rd_table"]

_FIGURES = {
    "rate": "rate\nbits/symbol",
    "distortion": "distortion",
    "bound_rate": "R(D)\nbits/symbol",
    "gap": "gap\nbits",
    "theory_gap": "gap in theory\n(high rate)",
}


def rd_table(points: Iterable[dict[str, Any]], title: str | None = None) -> Table:
    """A rich table of RD points, one row each; failed points show their error."""
    table = Table(title=title, title_justify="left")
    for column in ("source", "lattice", "lambda"):
        table.add_column(column, justify="right" if column == "lambda" else "left")
    for heading in _FIGURES.values():
        table.add_column(heading, justify="right")
    for point in points:
        names = [str(point.get(c, "")) for c in ("source", "lattice", "lambda")]
        if point.get("error"):
            table.add_row(*names, f"[red]{point['error']}[/red]")
            continue
        table.add_row(*names, *(_number(point, key) for key in _FIGURES))
    return table


def _number(point: dict[str, Any], key: str) -> str:
    value = point.get(key)
    if value is None or value != value:
        return "-"
    error = point.get(f"{key}_error")
    return f"{value:.4f}" if error is None or error != error else f"{value:.4f} ± {error:.4f}"


class RDTable(pl.Callback):
    """Prints the point of a run, and where its files are.

    Args:
        folder: the run's folder.
    """

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder)

    def on_test_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        point = next((c.point for c in trainer.callbacks if hasattr(c, "point")), None)  # type: ignore[attr-defined]
        if not point or not trainer.is_global_zero:
            return
        console = Console()
        console.print(rd_table([point]))
        note = "" if point["exact"] else " The rate is a Monte-Carlo estimate, not a code length."
        speed = point["steps"] / max(point["train_seconds"], 1e-9)
        console.print(
            f"Trained {point['steps']:,} steps in {point['train_seconds']:.1f} s ({speed:.0f} steps/s); "
            f"evaluated on {point['eval_symbols']:,} symbols.{note}"
        )
        console.print(f"Results: {self.folder}", soft_wrap=True)
