"""Tables of the locally normalized prior: any lattice with a triangular generator matrix.

Coordinate i of a point z B is ``B_ii (z_i + s_i)``, where s_i is what z_1 … z_{i-1} contribute. Split into an integer
and a phase in [0, 1), s_i asks for weights at ``B_ii (m + phase)``; the phase is rounded to a 256th, a loss far below
the coder's other ones, so that there are tables.
"""

from __future__ import annotations

import numpy as np

from ltc.coding.frequencies import counts
from ltc.coding.point_models import Look, PointModel, Step, Walk
from ltc.coding.trellis_steps import RARE

__all__ = ["PHASES", "TriangularModel"]

PHASES = 256
"""Phases that have tables of their own."""


class TriangularModel(PointModel):
    """The tables of a product of copies of a lattice, from its basis.

    Args:
        dim: coordinates, a multiple of the lattice's dimension.
        weights: ``w`` float64 [PHASES, integers, dim], weights of ``m + (phase + 1/2) / PHASES``, m from -radius to
            radius; ``basis`` float64 [n, n], upper triangular, rows are basis vectors.
    """

    def __init__(self, dim: int, weights: dict[str, np.ndarray]) -> None:
        self.dim, self.weights = dim, weights
        w, basis = weights["w"], weights["basis"]
        radius = w.shape[1] // 2
        self._slopes = basis / np.diag(basis)
        self._steps = []
        for i in range(dim):
            often = np.flatnonzero((w[:, :, i] > RARE * w[:, :, i].max(1, keepdims=True)).any(0))
            kept = np.arange(often[0], often[-1] + 1)
            self._steps.append(Step.of([kept - radius] * PHASES, counts(w[:, kept, i])))

    def walk(self, count: int, seed: int = 0) -> Walk:
        return _Walk(self._steps, self._slopes, count)


class _Walk(Walk):
    def __init__(self, steps: list[Step], slopes: np.ndarray, count: int) -> None:
        self._steps, self._slopes = steps, slopes
        self._sums = np.zeros((len(slopes), count))

    def look(self, i: int) -> Look:
        place = i % len(self._slopes)
        if place == 0:
            self._sums[:] = 0.0
        whole = np.floor(self._sums[place])
        phase = np.minimum(((self._sums[place] - whole) * PHASES).astype(np.int64), PHASES - 1)
        return Look(self._steps[i], phase, shift=whole.astype(np.int64))

    def advance(self, i: int, rows: np.ndarray, symbols: np.ndarray, k: np.ndarray) -> np.ndarray:
        place = i % len(self._slopes)
        for j in range(place + 1, len(self._slopes)):
            # A product and a sum, rounded one after the other, on every machine.
            self._sums[j] += k * self._slopes[place, j]
        return np.ones(len(k), dtype=bool)
