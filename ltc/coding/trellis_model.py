"""Tables of trellis lattices and trellis codes: P(k_i | k_1 … k_{i-1}) depends on the trellis's state alone.

With weights w_i(k) and the backward sums ``beta_i(s)`` over all ways to go on, the conditional probability is
``w_i(k) beta_{i+1}(s') / beta_i(s)``: an arithmetic coder's table for every state, made once for all points. A mixture
of such models keeps, for every point, the components' posterior probabilities.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ltc.coding.frequencies import ESCAPE, counts, ordered_sum
from ltc.coding.point_models import Look, PointModel, Step, Walk
from ltc.coding.trellis_steps import PARITIES, RARE, after_residues, code_steps, odd_states, residue_sums, scaled_sums
from ltc.lattices import TrellisLattice

__all__ = ["TrellisModel"]


@dataclass(frozen=True)
class _Coordinate:
    """A coordinate's tables and the states around it.

    Attributes:
        step: the tables; with several components, without tables of their own.
        chances: float64 [components, rows, symbols], conditional probabilities.
        row_of: the row of each state before the coordinate; None if states are rows.
        after: [states, q], the state after a residue, -1 where it is not allowed.
    """

    step: Step
    chances: np.ndarray
    row_of: np.ndarray | None
    after: np.ndarray


class TrellisModel(PointModel):
    """The tables of a product of copies of a trellis lattice, or of a trellis code.

    Args:
        lattice: with a trellis.
        dim: coordinates, a multiple of the lattice's.
        weights: ``w`` float64 [components, integers, period], positive weights of the integers from -radius on, radius
            a multiple of the modulus and the number of integers too; period is ``dim``, or, for a trellis code, after
            how many runs the weights repeat. ``shares`` float64 [components], their probabilities.
        run: consecutive coordinates of a trellis code with the same weights.
    """

    def __init__(self, lattice: TrellisLattice, dim: int, weights: dict[str, np.ndarray], run: int = 1) -> None:
        self.dim, self.weights, self.run = dim, weights, run
        self.modulus = lattice.trellis.modulus
        self._coordinates = self._of_code(lattice) if lattice.is_code else self._of_lattice(lattice)

    def walk(self, count: int, seed: int = 0) -> Walk:
        if len(self.weights["shares"]) == 1:
            return _Walk(self._coordinates, self.modulus, count)
        return _MixtureWalk(self._coordinates, self.modulus, count, self.weights["shares"])

    def _of_lattice(self, lattice: TrellisLattice) -> list[_Coordinate]:
        trellis, w = lattice.trellis, self.weights["w"]
        after = after_residues(trellis.sections, trellis.state_counts, self.modulus)
        found = []
        for i in reversed(range(self.dim)):
            if (i + 1) % lattice.dim == 0:
                beta = np.ones((len(w), 1))
            here = after[i % lattice.dim]
            step, chances, beta = _tables(w[:, :, i], here, beta)
            found.append(_Coordinate(step, chances, None, here))
        return found[::-1]

    def _of_code(self, lattice: TrellisLattice) -> list[_Coordinate]:
        w = self.weights["w"]
        # In each state follow the integers of one parity, whose weights sum to 1: two rows, and no backward sums.
        parities = np.where(PARITIES, 0, -1)
        made = [_tables(w[:, :, i], parities, np.ones((len(w), 1)))[:2] for i in range(w.shape[2])]
        found, both = [], code_steps(lattice)
        rows = [odd_states(after).astype(np.int64) for after in both]
        for i in range(self.dim):
            # A copy of the code begins in state 0.
            later = int(i % lattice.dim > 0)
            found.append(_Coordinate(*made[i // self.run % len(made)], rows[later], both[later]))
        return found


class _Walk(Walk):
    def __init__(self, coordinates: list[_Coordinate], modulus: int, count: int) -> None:
        self._coordinates, self._modulus = coordinates, modulus
        self._state = np.zeros(count, dtype=np.int64)

    def look(self, i: int) -> Look:
        here = self._coordinates[i]
        if len(here.after) == 1:
            # A new copy of the lattice begins, whatever state a code has ended in.
            self._state = np.zeros_like(self._state)
        return Look(here.step, self._state if here.row_of is None else here.row_of[self._state])

    def advance(self, i: int, rows: np.ndarray, symbols: np.ndarray, k: np.ndarray) -> np.ndarray:
        after = self._coordinates[i].after[self._state, k % self._modulus]
        self._state = np.maximum(after, 0)
        return after >= 0


class _MixtureWalk(_Walk):
    def __init__(self, coordinates: list[_Coordinate], modulus: int, count: int, shares: np.ndarray) -> None:
        super().__init__(coordinates, modulus, count)
        self._posterior = np.tile(shares / ordered_sum(shares), (count, 1))

    def look(self, i: int) -> Look:
        look = super().look(i)
        mixed = np.zeros((len(look.rows), look.step.symbols))
        for m, chances in enumerate(self._coordinates[i].chances):
            mixed += self._posterior[:, m, None] * chances[look.rows]
        return Look(look.step, look.rows, counts(mixed))

    def advance(self, i: int, rows: np.ndarray, symbols: np.ndarray, k: np.ndarray) -> np.ndarray:
        chances = self._coordinates[i].chances
        known = symbols < chances.shape[2]
        at = np.where(known, symbols, 0)
        for m, p in enumerate(chances):
            # An escape tells nothing of the component.
            self._posterior[:, m] *= np.where(known, np.maximum(p[rows, at], ESCAPE**3), 1.0)
        self._posterior /= ordered_sum(self._posterior.T)[:, None]
        return super().advance(i, rows, symbols, k)


def _tables(w: np.ndarray, after: np.ndarray, beta: np.ndarray) -> tuple[Step, np.ndarray, np.ndarray]:
    """The tables of one coordinate, and the backward sums before it.

    Args:
        w: weights [components, integers], from a multiple of q on.
        after: [rows, q], the state after a residue, or -1.
        beta: backward sums after the coordinate [components, states].
    """
    components, integers = w.shape
    modulus = after.shape[1]
    low = -(integers - modulus) // 2
    by_residue = residue_sums(w, modulus)
    often = (w > RARE * by_residue[:, np.arange(integers) % modulus]).any(0)
    allowed = after >= 0
    k = [low + np.flatnonzero(often & np.tile(row, integers // modulus)) for row in allowed]
    step = Step.of(k)
    chances = np.zeros((components, len(after), step.symbols))
    before = np.empty((components, len(after)))
    for m in range(components):
        onward = np.where(allowed, beta[m][after], 0.0)  # [rows, q]
        before[m] = ordered_sum((by_residue[m] * onward).T)
        for row, integer in enumerate(k):
            chances[m, row, : len(integer)] = w[m, integer - low] * onward[row, integer % modulus] / before[m, row]
    if components == 1:
        step = Step(step.values, step.low, step.lookup, counts(chances[0]))
    return step, chances, scaled_sums(before)
