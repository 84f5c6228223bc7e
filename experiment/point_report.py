"""After a run: its RD point as a table, and where its files are."""

from __future__ import annotations

from rich.console import Console

from experiment.file_note import file_note
from experiment.result import Result
from experiment.sweeping import sweeping
from experiment.tables import point_table

__all__ = ["print_point"]


def print_point(result: Result) -> None:
    """Prints the point of a run; in a sweep nothing, its table has a row for each job."""
    if sweeping():
        return
    point = result.point
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
    console.print(f"Results: {result.folder}", soft_wrap=True)
