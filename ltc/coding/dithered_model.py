"""Tables given a dither: P(point | u) is proportional to a product of weights at ``k_i + u_i / step_i``.

Encoder and decoder share u, drawn from a seed that travels in the file, and they must agree on it to the last bit. So u
is drawn on a fine grid: ``u = z B / 64`` with integer z and the lattice's integer basis B, which makes each
``u_i / step_i`` a multiple of 1/64, known exactly. Such a u is uniform over the points of a grid in the fundamental
parallelepiped; modulo the lattice that is a uniform dither over the Voronoi cell, but for the grid.
"""

from __future__ import annotations

import numpy as np

from ltc.coding.frequencies import counts, ordered_sum
from ltc.coding.point_models import Look, PointModel, Step, Walk
from ltc.coding.trellis_steps import MEMORY, RARE, after_residues, residue_sums, scaled_sums
from ltc.lattices import TrellisLattice

__all__ = ["PHASES", "DitheredModel"]

PHASES = 64
"""Places of the dither between two integers."""


class DitheredModel(PointModel):
    """The tables of a product of copies of a trellis lattice, given a dither.

    Args:
        lattice: with a trellis that ends in one state.
        dim: coordinates, a multiple of the lattice's.
        weights: ``w`` float64 [PHASES, integers, dim], positive weights of ``k + phase / PHASES``, k from -radius on,
            radius a multiple of the modulus and the number of integers too.
    """

    def __init__(self, lattice: TrellisLattice, dim: int, weights: dict[str, np.ndarray]) -> None:
        self.dim, self.weights = dim, weights
        self.copies, self.modulus = dim // lattice.dim, lattice.trellis.modulus
        self.basis = lattice.trellis.basis()
        trellis = lattice.trellis
        self.after = after_residues(trellis.sections, trellis.state_counts, self.modulus)
        w = weights["w"]
        low = -(w.shape[1] - self.modulus) // 2
        self.sums = [residue_sums(w[:, :, i], self.modulus) for i in range(dim)]  # [phases, q] of each coordinate
        self.steps, self.inside = [], []
        for i in range(dim):
            often = (w[:, :, i] > RARE * self.sums[i][:, np.arange(w.shape[1]) % self.modulus]).any(0)
            k = np.flatnonzero(often)
            self.steps.append(Step.of([k + low] * PHASES))
            self.inside.append(np.ascontiguousarray(w[:, k, i]))  # [phases, symbols]
        self.batch = max(1, MEMORY // (sum(trellis.state_counts) * self.copies))

    def dither(self, count: int, seed: int) -> np.ndarray:
        """The dither in 64ths of a step: int64 [count, dim]."""
        # Philox's integers are the same for a seed in every version of numpy.
        raw = np.random.Philox(key=seed).random_raw(count * self.dim)
        z = (raw >> np.uint64(58)).astype(np.int64).reshape(-1, len(self.basis))
        return (z @ self.basis).reshape(count, self.dim)

    def walk(self, count: int, seed: int = 0) -> Walk:
        return _Walk(self, self.dither(count, seed))


class _Walk(Walk):
    def __init__(self, model: DitheredModel, dither: np.ndarray) -> None:
        self._model = model
        self._whole, self._phase = dither.T // PHASES, dither.T % PHASES  # [dim, count]
        self._state = np.zeros(dither.shape[0], dtype=np.int64)
        self._betas = self._backward()

    def _backward(self) -> list[np.ndarray]:
        """beta after each coordinate: [count, states]."""
        model, found = self._model, []
        for i in reversed(range(model.dim)):
            after = model.after[i % len(model.after)]
            if (i + 1) % len(model.after) == 0:
                beta = np.ones((len(self._state), 1))
            found.append(beta)
            terms = self._of_residues(i, model.sums[i])[:, :, None] * np.where(
                after >= 0, beta[:, after], 0.0
            ).swapaxes(1, 2)
            beta = scaled_sums(ordered_sum(terms.swapaxes(0, 1)))
        return found[::-1]

    def _of_residues(self, i: int, sums: np.ndarray) -> np.ndarray:
        """The sums of the residues of k, for each point: [count, q]. A point's look-ups are shifted by its dither."""
        q = self._model.modulus
        return sums[self._phase[i][:, None], (np.arange(q) + self._whole[i][:, None]) % q]

    def look(self, i: int) -> Look:
        model = self._model
        after = model.after[i % len(model.after)]
        if len(after) == 1:
            self._state = np.zeros_like(self._state)
        step, q = model.steps[i], model.modulus
        reached = after[self._state]  # [count, q]
        onward = np.where(reached >= 0, np.take_along_axis(self._betas[i], np.maximum(reached, 0), 1), 0.0)
        residues = (step.values[0] - self._whole[i][:, None]) % q  # of k, for each symbol
        tables = model.inside[i][self._phase[i]] * np.take_along_axis(onward, residues, 1)
        return Look(step, self._phase[i], counts(tables), self._whole[i])

    def advance(self, i: int, rows: np.ndarray, symbols: np.ndarray, k: np.ndarray) -> np.ndarray:
        after = self._model.after[i % len(self._model.after)][self._state, k % self._model.modulus]
        self._state = np.maximum(after, 0)
        return after >= 0
