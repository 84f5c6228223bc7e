"""``Vectors``: rows of numbers, wherever they are; ``ArrayVectors``: in memory."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

import numpy as np

__all__ = ["PIECE", "ArrayVectors", "Vectors"]

PIECE = 1 << 20
"""Numbers of a piece, about, where all of an array is read."""


class Vectors(ABC):
    """An array of vectors ``[rows, dim]``, of which as much is read as is asked for.

    Attributes:
        name: how messages call it.
        dim: components of a vector.
    """

    name: str
    dim: int

    @abstractmethod
    def __len__(self) -> int:
        """The number of rows."""

    @abstractmethod
    def read(self, start: int, stop: int) -> np.ndarray:
        """Rows ``start`` to ``stop``, float32 [stop - start, dim], a copy."""

    @abstractmethod
    def rows(self, index: np.ndarray) -> np.ndarray:
        """Any rows, float32 [len(index), dim], a copy.

        Args:
            index: int64 [count], from 0 to the number of rows less one.
        """

    def pieces(self) -> Iterator[np.ndarray]:
        """All rows in order, float32, about ``PIECE`` numbers at a time."""
        step = max(1, PIECE // self.dim)
        for start in range(0, len(self), step):
            yield self.read(start, min(start + step, len(self)))


class ArrayVectors(Vectors):
    """Vectors in memory.

    Args:
        array: float32 [rows, dim].
        name: how messages call it.
    """

    def __init__(self, array: np.ndarray, name: str) -> None:
        self.name, self.dim, self._array = name, array.shape[1], array

    def __len__(self) -> int:
        return len(self._array)

    def read(self, start: int, stop: int) -> np.ndarray:
        return self._array[start:stop].copy()

    def rows(self, index: np.ndarray) -> np.ndarray:
        return self._array[index]
