"""Which points make a curve, and what a curve is called. Light to import, as whatever ends a sweep."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

__all__ = ["ALONG", "CURVE", "SETTINGS", "TELLING", "curve_style", "curves"]

SETTINGS = ("source", "transform", "lattice", "entropy_model", "model", "lambda", "n", "seed")
"""What a point is a point of, as people say it: columns of ``rd_points.csv``."""

ALONG = ("lambda", "seed")
"""What runs along a curve."""

CURVE = tuple(name for name in SETTINGS if name not in ALONG)
"""Points that differ in one of these belong to different curves."""

TELLING = ("lattice", "model", "entropy_model", "transform", "source", "n")
"""The same, the most telling of a coder first."""


def curves(points: Any, along: str = "rate") -> Iterator[tuple[str, Any]]:
    """The curves of a sweep: the name of each, of the settings in which they differ, and its points.

    Args:
        points: pandas DataFrame of RD points, some of whose settings may be unknown.
        along: the column by which a curve's points are sorted.

    Examples:
        >>> import pandas as pd
        >>> points = pd.DataFrame({"lattice": ["z", "e8", "z"], "n": [1, 8, 1], "rate": [2.0, 1.0, 1.0]})
        >>> [(name, list(curve["rate"])) for name, curve in curves(points)]
        [('z, 1', [1.0, 2.0]), ('e8, 8', [1.0])]
    """
    present = [column for column in CURVE if column in points]
    naming = [column for column in present if points[column].nunique() > 1] or ["lattice"]
    for key, curve in points.groupby(present, dropna=False, sort=False):
        names = dict(zip(present, key, strict=True))
        yield ", ".join(str(names[column]) for column in naming), curve.sort_values(along)


def curve_style(number: int) -> dict[str, Any]:
    """Marker and colour of a curve in pictures, by its number."""
    return {"marker": "osD^vP*X<>h"[number % 11], "markersize": 4, "color": f"C{number % 10}"}
