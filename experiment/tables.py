"""Tables of RD points, for terminals of any width. Light to import: what ends a sweep need not know torch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.table import Table

from experiment.curves import SETTINGS

__all__ = ["SweepTable", "point_table", "sweep_table"]

_FIGURES = {
    "rate": "rate (bits/symbol)",
    "coded_rate": "rate in a file (bits/symbol)",
    "distortion": "distortion",
    "bound_rate": "R(D) (bits/symbol)",
    "gap": "gap to R(D) (bits)",
    "theory_gap": "gap in theory, at high rate (bits)",
}

# Of a sweep's table, from left to right, with the narrow headings of a column.
_COLUMNS = {
    **{"rate": "rate", "estimated_rate": "estimated", "coded_rate": "in a file", "distortion": "distortion"},
    **{"psnr": "PSNR", "ms_ssim": "MS-SSIM", "bound_rate": "R(D)", "gap": "gap", "theory_gap": "in theory"},
}
# What is left out where a terminal is too narrow, the first first: it follows from the rest, or is in rd_points.csv.
_SPARED = ["theory_gap", "bound_rate", "ms_ssim", "estimated_rate", "coded_rate"]
# Settings with a column of their own in every table come last.
_SETTINGS = [name for name in SETTINGS if name not in ("lattice", "lambda")]
# Below that a name is broken into syllables; and the part of a rate from which a file's is told apart.
_NARROWEST, _APART = 18, 0.005


def point_table(point: dict[str, Any]) -> Table:
    """The figures of one RD point with their standard errors, a row each."""
    table = Table(title=f"{point['source']}, {point['lattice']}, lambda = {point['lambda']:g}", title_justify="left")
    table.add_column("", overflow="fold")
    table.add_column("value", justify="right", no_wrap=True)
    table.add_column("std. error", justify="right", no_wrap=True)
    for key, heading in _FIGURES.items():
        table.add_row(heading, _number(point.get(key)), _error(point.get(f"{key}_error")))
    return table


def sweep_table(points: Iterable[dict[str, Any]], title: str | None = None) -> SweepTable:
    """The points of a sweep, a row each, with the settings in which they differ; a failed one has no figures."""
    return SweepTable(list(points), title)


class SweepTable:
    """A table that fits the terminal it is printed to without cutting a number.

    Where its columns do not fit side by side, settings are stacked in one column, and then columns that follow from the
    others are left out.

    Args:
        points: rows as those of ``rd_points.csv``.
        title: above the table.
    """

    def __init__(self, points: Sequence[dict[str, Any]], title: str | None = None) -> None:
        self.points, self.title = points, title
        done = [p for p in points if _known(p.get("rate"))]
        self.differing = [s for s in _SETTINGS if len({str(p.get(s)) for p in done}) > 1]
        self.figures = [key for key in _COLUMNS if key == "rate" or any(_known(p.get(key)) for p in done)]
        # The rate of images is that of files already.
        if not any(_file_differs(p) for p in done) and "coded_rate" in self.figures:
            self.figures.remove("coded_rate")

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width, figures = options.max_width, list(self.figures)
        table = self.side_by_side(figures)
        if Measurement.get(console, options.update(width=1000), table).maximum > width:
            for spared in _SPARED:
                if self._stacked_width(console, options, figures) <= width:
                    break
                figures = [key for key in figures if key != spared]
            table = self.stacked(figures)
        yield table

    def side_by_side(self, figures: Sequence[str]) -> Table:
        """A column for each setting in which points differ."""
        table = self._table([*self.differing, "lattice"], ["lambda", *(_COLUMNS[key] for key in figures)])
        for point in self.points:
            settings = [_text(point.get(key)) for key in (*self.differing, "lattice", "lambda")]
            table.add_row(*settings, *_cells(point, figures))
        return table

    def stacked(self, figures: Sequence[str]) -> Table:
        """One column for all settings, several lines high where they are long."""
        table = self._table([], [_COLUMNS[key] for key in figures], first="point")
        for point in self.points:
            names = [_text(point.get("lattice")), *(f"{key}={_text(point.get(key))}" for key in self.differing)]
            names.append(f"lambda={_text(point.get('lambda'))}")
            table.add_row(", ".join(filter(None, names)), *_cells(point, figures))
        return table

    def _table(self, texts: Sequence[str], numbers: Sequence[str], first: str | None = None) -> Table:
        table = Table(title=self.title, title_justify="left")
        if first is not None:
            table.add_column(first, overflow="fold")
        for column in texts:
            table.add_column(column, no_wrap=True)
        for column in numbers:
            table.add_column(column, justify="right", no_wrap=True)
        return table

    def _stacked_width(self, console: Console, options: ConsoleOptions, figures: Sequence[str]) -> int:
        """What the table takes at least."""
        numbers = self._table([], [_COLUMNS[key] for key in figures], first="x" * _NARROWEST)
        for point in self.points:
            numbers.add_row("", *_cells(point, figures))
        return Measurement.get(console, options.update(width=1000), numbers).maximum


def _cells(point: dict[str, Any], figures: Sequence[str]) -> list[str]:
    return [] if point.get("error") else [_number(point.get(key)) for key in figures]


def _known(value: Any) -> bool:
    return value is not None and value == value


def _file_differs(point: dict[str, Any]) -> bool:
    """Whether the rate of a file is not the model's, but for the last digits."""
    rate: Any = point.get("rate")
    coded: Any = point.get("coded_rate")
    return _known(rate) and _known(coded) and abs(coded - rate) > _APART * abs(rate)


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _error(value: float | None) -> str:
    """A standard error has one digit that means something."""
    return "" if value is None or value != value else f"{value:.1g}"


def _number(value: float | None) -> str:
    if value is None or value != value:
        return "-"
    # Distortions may be small: of these, three digits.
    return f"{value:.4f}" if value == 0 or abs(value) >= 0.01 else f"{value:.3g}"
