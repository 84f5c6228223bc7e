"""Tables of a fixed-rate code: each integer from 0 to q - 1 has the same probability."""

from __future__ import annotations

import numpy as np

from ltc.coding.frequencies import counts
from ltc.coding.point_models import Look, PointModel, Step, Walk

__all__ = ["UniformModel"]


class UniformModel(PointModel):
    """Independent coordinates, uniform over 0 … q - 1.

    Args:
        dim: coordinates.
        q: how many integers.
    """

    def __init__(self, dim: int, q: int) -> None:
        self.dim, self.weights = dim, {}
        self._step = Step.of([np.arange(q)], counts(np.ones((1, q))))

    def walk(self, count: int, seed: int = 0) -> Walk:
        return _Walk(self._step, count)


class _Walk(Walk):
    def __init__(self, step: Step, count: int) -> None:
        self._look = Look(step, np.zeros(count, dtype=np.int64))

    def look(self, i: int) -> Look:
        return self._look

    def advance(self, i: int, rows: np.ndarray, symbols: np.ndarray, k: np.ndarray) -> np.ndarray:
        return symbols < self._look.step.symbols
