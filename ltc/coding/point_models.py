"""What the bitstream asks of a model of lattice points: integers one coordinate after another, each with a table."""

from __future__ import annotations

import abc
from dataclasses import dataclass

import numpy as np

__all__ = ["PointModel", "Step", "Walk"]

_NO_VALUE = np.iinfo(np.int64).min


@dataclass(frozen=True)
class Step:
    """The tables of one coordinate.

    Attributes:
        values: int64 [rows, symbols], the integer of each symbol, ascending; rows with fewer symbols are filled up with
            a number that no coordinate has.
        low: the least of all these integers.
        lookup: int32 [rows, integers], the symbol of the integer ``low + j``; ``symbols`` where there is none: escape.
        tables: float32 [rows, symbols + 1], counts less one (``ltc.coding.frequencies.counts``); None where they
            depend on more than the row.
    """

    values: np.ndarray
    low: int
    lookup: np.ndarray
    tables: np.ndarray | None = None

    @classmethod
    def of(cls, rows: list[np.ndarray], tables: np.ndarray | None = None) -> Step:
        """From each row's integers, ascending."""
        symbols = max(len(r) for r in rows)
        low, high = min(int(r[0]) for r in rows), max(int(r[-1]) for r in rows)
        values = np.full((len(rows), symbols), _NO_VALUE, dtype=np.int64)
        lookup = np.full((len(rows), high - low + 1), symbols, dtype=np.int32)
        for i, row in enumerate(rows):
            values[i, : len(row)] = row
            lookup[i, row - low] = np.arange(len(row))
        return cls(values, low, lookup, tables)

    @property
    def symbols(self) -> int:
        """How many symbols a row has; the escape has this number."""
        return self.values.shape[1]

    def symbol(self, rows: np.ndarray, k: np.ndarray) -> np.ndarray:
        """The symbols of integers k [count] in rows [count]; integers without one have the escape."""
        at = k - self.low
        inside = (at >= 0) & (at < self.lookup.shape[1])
        if inside.all():
            return self.lookup[rows, at]
        return np.where(inside, self.lookup[rows, np.where(inside, at, 0)], self.symbols)

    def integers(self, rows: np.ndarray, symbols: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(k, where it is escaped) of symbols; the k of an escape is 0, and of a symbol that does not exist too."""
        escaped = symbols == self.symbols
        k = self.values[rows, np.where(escaped, 0, symbols)]
        return np.where(escaped | (k == _NO_VALUE), 0, k), escaped


@dataclass(frozen=True)
class Look:
    """Where a batch stands at a coordinate.

    Attributes:
        step: the coordinate's tables.
        rows: each point's row [count].
        tables: tables [count, symbols + 1] of each point's own, where the step has none.
        shift: int64 [count], added to a point's integer before it is looked up; None for nothing.
    """

    step: Step
    rows: np.ndarray
    tables: np.ndarray | None = None
    shift: np.ndarray | None = None

    def symbols(self, k: np.ndarray) -> np.ndarray:
        """The symbols of integers k [count]."""
        return self.step.symbol(self.rows, k if self.shift is None else k + self.shift)

    def integers(self, symbols: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(k, where it is escaped) of symbols [count]."""
        k, escaped = self.step.integers(self.rows, symbols)
        return k if self.shift is None else k - self.shift, escaped

    def coding(self) -> tuple[np.ndarray, np.ndarray | None]:
        """The tables, and which of them each symbol has; None if each has its own."""
        if self.tables is not None:
            return self.tables, None
        assert self.step.tables is not None
        return self.step.tables, self.rows


class Walk(abc.ABC):
    """A batch of points on its way through the coordinates."""

    @abc.abstractmethod
    def look(self, i: int) -> Look:
        """Coordinate i, the next one."""

    @abc.abstractmethod
    def advance(self, i: int, rows: np.ndarray, symbols: np.ndarray, k: np.ndarray) -> np.ndarray:
        """Takes note of the integers k [count] of coordinate i, looked up in ``rows`` as ``symbols``.

        Returns:
            bool [count]: which of them can follow what came before.
        """


class PointModel(abc.ABC):
    """Probabilities of integer vectors, coordinate by coordinate.

    Attributes:
        dim: coordinates of a vector.
        weights: what a checkpoint must carry so that the tables can be made again, bit for bit, elsewhere.
        batch: vectors of one walk at most, so that memory stays bounded.
    """

    dim: int
    weights: dict[str, np.ndarray]
    batch: int = 1 << 20

    @abc.abstractmethod
    def walk(self, count: int, seed: int = 0) -> Walk:
        """The walk of ``count`` points, before the first coordinate; with the dither of a seed, if there is dither."""
