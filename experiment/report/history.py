"""Training curves: what the CSV logger wrote, thinned to what a screen can show."""

from __future__ import annotations

import csv
import math
from pathlib import Path

__all__ = ["read_history", "thinned"]

Series = list[tuple[float, float]]


def read_history(folder: Path | None) -> dict[str, Series]:
    """The logged quantities of a job's training: (step, value) in the order of steps, by name.

    A log that was cut off by a kill is read as far as it goes; figures of the evaluation are no part of it.

    Args:
        folder: the job's folder; None: there is none.
    """
    found: dict[str, dict[float, float]] = {}
    for path in sorted([] if folder is None else folder.glob("metrics*/metrics.csv")):
        with path.open(newline="", errors="replace") as file:
            for row in csv.DictReader(file):
                step = _number(row.get("step"))
                for key, text in row.items():
                    value = _number(text) if isinstance(key, str) and not _evaluation(key) else None
                    if step is not None and value is not None:
                        # A training that went on from a checkpoint logs some steps again.
                        found.setdefault(key, {})[step] = value
    return {key: sorted(series.items()) for key, series in found.items() if len(series) > 1}


def thinned(series: Series, count: int) -> Series:
    """At most about ``count`` points: the means of consecutive ones.

    Examples:
        >>> thinned([(0, 1.0), (1, 3.0), (2, 5.0), (3, 7.0)], 2)
        [(0.5, 2.0), (2.5, 6.0)]
    """
    size = math.ceil(len(series) / max(count, 1))
    if size <= 1:
        return series
    parts = [series[i : i + size] for i in range(0, len(series), size)]
    return [(sum(x for x, _ in part) / len(part), sum(y for _, y in part) / len(part)) for part in parts]


def _evaluation(key: str) -> bool:
    return key in ("step", "epoch") or key.startswith(("test/", "rd/"))


def _number(text: object) -> float | None:
    try:
        value = float(str(text))
    except ValueError:
        return None
    return value if math.isfinite(value) else None
