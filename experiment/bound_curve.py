"""R(D) around a point, kept beside it in ``rd_bound.json``: what pictures of a sweep draw it from. Light to import."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from pathlib import Path

from ltc.files import write_json

__all__ = ["as_far_as", "read_bound", "write_bound"]

_NAME = "rd_bound.json"


def write_bound(folder: Path, source: str, rates: Iterable[float], distortions: Iterable[float]) -> None:
    """Keeps R(D) at some distortions around a point.

    Args:
        folder: of the point's run.
        source: its name.
        rates: R(D), bits per symbol.
        distortions: at these.
    """
    pairs = [[float(r), float(d)] for r, d in zip(rates, distortions, strict=True)]
    write_json(folder / _NAME, {"source": source, "rate_distortion": pairs})


def read_bound(folder: Path) -> list[tuple[float, float]]:
    """(rate, distortion) of a run's folder; nothing where there is no such file, or none that can be read."""
    try:
        pairs = json.loads((folder / _NAME).read_text())["rate_distortion"]
        return [(float(r), float(d)) for r, d in pairs if d > 0]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def as_far_as(
    curve: Iterable[tuple[float, float]], points: Iterable[tuple[float, float]], highest: float
) -> list[tuple[float, float]]:
    """The part of R(D) that belongs beside points: from the lowest of their bounds to their highest rate.

    Args:
        curve: (rate, distortion) of R(D), in any order.
        points: R(D) at the distortions of the points.
        highest: the points' highest rate, where the curve ends with a point of its own.

    Examples:
        >>> as_far_as([(0.5, 0.5), (3.0, 0.015625)], [(1.0, 0.25)], 2.0)
        [(2.0, 0.0625)]
    """
    lowest = min(rate for rate, _ in points)
    every = sorted({*curve, *points})
    found = [(rate, d) for rate, d in every if lowest <= rate <= highest]
    after = next((pair for pair in every if pair[0] > highest), None)
    if after is None or not found or found[-1][0] >= highest:
        return [pair for pair in found if pair not in set(points)]
    # Between two points of R(D) its logarithm is all but straight.
    (r0, d0), (r1, d1) = found[-1], after
    share = (highest - r0) / (r1 - r0)
    end = math.exp((1 - share) * math.log(d0) + share * math.log(d1))
    return [*(pair for pair in found if pair not in set(points)), (highest, end)]
