"""Tables of RD points, for a terminal of 80 columns. Light to import: what ends a sweep need not know torch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.table import Table

__all__ = ["point_table", "sweep_table"]

_FIGURES = {
    "rate": "rate (bits/symbol)",
    "coded_rate": "rate in a file (bits/symbol)",
    "distortion": "distortion",
    "bound_rate": "R(D) (bits/symbol)",
    "gap": "gap to R(D) (bits)",
    "theory_gap": "gap in theory, at high rate (bits)",
}


def point_table(point: dict[str, Any]) -> Table:
    """The figures of one RD point with their standard errors, a row each."""
    table = Table(title=f"{point['source']}, {point['lattice']}, lambda = {point['lambda']:g}", title_justify="left")
    table.add_column("")
    table.add_column("value", justify="right")
    table.add_column("std. error", justify="right")
    for key, heading in _FIGURES.items():
        table.add_row(heading, _number(point.get(key)), _error(point.get(f"{key}_error")))
    return table


def sweep_table(points: Iterable[dict[str, Any]], title: str | None = None) -> Table:
    """The points of a sweep, a row each, with the settings in which they differ; a failed one shows its error."""
    points = list(points)
    settings = ["source", "transform", "entropy_model", "model", "n", "seed"]
    differing = [s for s in settings if len({str(p.get(s)) for p in points if p.get("rate") is not None}) > 1]
    table = Table(title=title, title_justify="left")
    for column in (*differing, "lattice"):
        table.add_column(column)
    for column in ("lambda", "rate", "distortion", "R(D)", "gap", "in theory"):
        table.add_column(column, justify="right")
    for point in points:
        names = [str(point.get(c) if point.get(c) is not None else "") for c in (*differing, "lattice", "lambda")]
        figures = [_number(point.get(key)) for key in _FIGURES if key != "coded_rate"]
        table.add_row(*names, *([] if point.get("error") else figures))
    return table


def _error(value: float | None) -> str:
    """A standard error has one digit that means something."""
    return "" if value is None or value != value else f"{value:.1g}"


def _number(value: float | None) -> str:
    if value is None or value != value:
        return "-"
    # Distortions may be small: of these, three digits.
    return f"{value:.4f}" if value == 0 or abs(value) >= 0.01 else f"{value:.3g}"
