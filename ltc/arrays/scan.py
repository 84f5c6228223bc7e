"""A first look at an array: its range, its columns, and a sample of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ltc.arrays.layouts import MOST_COLUMNS
from ltc.arrays.number_types import NumberType

__all__ = ["Columns", "Sample", "Scan", "Source", "scanned"]

# Numbers that are looked at, at once and in one run.
_PIECE, _RUN = 1 << 19, 1 << 12
# Numbers of the sample.
_SAMPLE = 1 << 18
# Rows that columns must have.
_LEAST_ROWS = 32


class Source(Protocol):
    """An array that is read in pieces."""

    name: str
    shape: tuple[int, ...]
    type: NumberType
    fortran: bool

    @property
    def size(self) -> int:
        """How many numbers there are."""

    def read(self, start: int, stop: int) -> np.ndarray:
        """Numbers as they are stored, in the order in which they are stored [stop - start]."""


@dataclass(frozen=True)
class Columns:
    """What is known of the columns of an array [rows, columns].

    Attributes:
        mean: float64 [columns], of the finite numbers.
        deviation: likewise.
        constant: whether all numbers of a column have the same bits.
        first: the first row, as it is stored.
    """

    mean: np.ndarray
    deviation: np.ndarray
    constant: np.ndarray
    first: np.ndarray


@dataclass(frozen=True)
class Sample:
    """Numbers of an array that stand for all.

    Attributes:
        x: float64 [n], finite.
        place: where in the array they are, int64 [n].
        whole: whether it is all of the array.
    """

    x: np.ndarray
    place: np.ndarray
    whole: bool

    def few(self, count: int) -> np.ndarray:
        """So many of its numbers, or a few more, in runs as long as its own: which ones."""
        if len(self.x) <= max(count, _RUN):
            return np.arange(len(self.x))
        runs = np.array_split(np.arange(len(self.x) // _RUN), max(1, count // _RUN))
        return (np.array([run[0] for run in runs if len(run)])[:, None] * _RUN + np.arange(_RUN)).ravel()

    def part(self, which: np.ndarray) -> Sample:
        """Some of its numbers."""
        return Sample(self.x[which], self.place[which], self.whole and len(which) == len(self.x))


@dataclass(frozen=True)
class Scan:
    """What a pass over an array has found.

    Attributes:
        size: how many numbers there are.
        finite: of these.
        low: the least finite number.
        high: the largest.
        constant: whether all numbers have the same bits.
        columns: of an array of at least 32 rows and two axes.
        sample: of the finite numbers.
    """

    size: int
    finite: int
    low: float
    high: float
    constant: bool
    columns: Columns | None
    sample: Sample


def scanned(source: Source) -> Scan:
    """Reads an array once, piece by piece."""
    width = source.shape[0 if source.fortran else -1] if len(source.shape) > 1 else 0
    by_column = 1 < width <= MOST_COLUMNS and source.size >= _LEAST_ROWS * width and source.type.is_lossy
    piece = max(1, _PIECE // width) * width if by_column else _PIECE
    columns = _ColumnSums(width) if by_column else None
    low, high, finite = np.inf, -np.inf, 0
    first: bytes | None = None
    constant = True
    for start in range(0, source.size, piece):
        raw = source.read(start, min(start + piece, source.size))
        if first is None:
            first = raw[:1].tobytes()
        constant = constant and raw.tobytes() == first * len(raw) if constant else False
        if not source.type.is_lossy:
            continue
        x = source.type.numbers(raw)
        count, least, largest = _range(x)
        low, high, finite = min(low, least), max(high, largest), finite + count
        if columns is not None:
            columns.add(raw.reshape(-1, width), x.reshape(-1, width))
    found = None if columns is None else columns.found()
    return Scan(source.size, finite, low, high, constant, found, _sample(source))


def _range(x: np.ndarray) -> tuple[int, float, float]:
    """How many are finite, and their range."""
    low, high = float(x.min()), float(x.max())
    if np.isfinite(low) and np.isfinite(high):
        return x.size, low, high
    x = x[np.isfinite(x)]
    return (x.size, float(x.min()), float(x.max())) if x.size else (0, np.inf, -np.inf)


class _ColumnSums:
    def __init__(self, width: int) -> None:
        self.rows, self.first, self.shift = 0, np.empty(0), np.zeros(width)
        self.sum, self.squares, self.count = np.zeros(width), np.zeros(width), np.zeros(width)
        self.constant = np.ones(width, bool)

    def add(self, raw: np.ndarray, x: np.ndarray) -> None:
        if not self.rows:
            self.first = raw[0].copy()
            with np.errstate(invalid="ignore"):
                self.shift = np.where(np.isfinite(x[0]), x[0], 0).astype(np.float64)
        self.rows += len(raw)
        if self.constant.any():
            bits = np.dtype(f"u{raw.dtype.itemsize}")
            self.constant &= (raw.view(bits) == self.first.view(bits)).all(0)
        with np.errstate(over="ignore", invalid="ignore"):
            centred = x - self.shift
            good = np.isfinite(centred)
            whole = bool(good.all())
            self.count += len(x) if whole else good.sum(0)
            centred = centred if whole else np.where(good, centred, 0)
            self.sum += centred.sum(0)
            self.squares += np.einsum("rc,rc->c", centred, centred)

    def found(self) -> Columns | None:
        with np.errstate(all="ignore"):
            count = np.maximum(self.count, 1)
            mean = self.sum / count
            variance = np.maximum(self.squares / count - mean * mean, 0)
            mean = mean + self.shift
            if not np.isfinite(variance).all() or not np.isfinite(mean.astype(np.float32)).all():
                return None
        return Columns(mean, np.sqrt(variance), self.constant, self.first)


def _sample(source: Source) -> Sample:
    """All of a small array, or runs of a large one, evenly spread."""
    size = source.size
    if not source.type.is_lossy:
        return Sample(np.empty(0), np.empty(0, np.int64), False)
    if size <= _SAMPLE:
        pieces = [(0, size)]
    else:
        runs = _SAMPLE // _RUN
        pieces = [(start, start + _RUN) for start in _starts(size, runs)]
    x = [source.type.numbers(source.read(*piece)).astype(np.float64) if size else np.empty(0) for piece in pieces]
    place = [np.arange(*piece) for piece in pieces]
    found, where = np.concatenate(x), np.concatenate(place)
    good = np.isfinite(found)
    return Sample(found[good], where[good], size == source.size)


def _starts(size: int, runs: int) -> Iterator[int]:
    """Where runs begin: a fixed jitter keeps them from meeting a period of the array."""
    jitter = np.random.default_rng(0).random(runs)
    share = (size - _RUN) / runs
    for i in range(runs):
        yield int((i + jitter[i]) * share)
