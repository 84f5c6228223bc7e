"""The table of a run of an image network: an image a row, and their mean, for a terminal and as ``images.csv``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from experiment.file_note import file_note
from experiment.result import Result
from experiment.sweeping import sweeping
from ltc.files import whole_file

__all__ = ["image_table", "print_images", "write_images"]

# Rows of the printed table; images.csv has all.
_MOST_ROWS = 24
_LONGEST_NAME = 24


def write_images(folder: Path, rows: list[dict[str, Any]]) -> None:
    """``images.csv``: the images of an evaluation, and their mean."""
    import pandas as pd

    table = pd.DataFrame(rows)
    figures = table.drop(columns=["image", "exact"]).mean().to_dict()
    mean = {"image": "mean", **figures, "exact": table["exact"].all()}
    with whole_file(folder / "images.csv") as temporary:
        pd.concat([table, pd.DataFrame([mean])]).to_csv(temporary, index=False)


def print_images(result: Result) -> None:
    """Prints the images of a run; in a sweep nothing, its table has a row for each job."""
    if sweeping():
        return
    point = result.point
    console = Console()
    console.print(image_table(result.module.rows, point))
    speed = point["steps"] / max(point["train_seconds"], 1e-9)
    console.print(f"Trained {point['steps']:,} steps in {point['train_seconds']:.1f} s ({speed:.1f} steps/s).")
    if (point["lattices"] or "").count("%") > 1:
        console.print(f"Latents are quantized by {point['lattices']}.")
    if note := file_note(point["estimated_rate"], point["coded_rate"]):
        console.print(note)
    if not point["decoded_exactly"]:
        console.print("Some images were not decoded to the very pixels of the network: see images.csv.")
    console.print(f"Results: {result.folder}", soft_wrap=True)


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
