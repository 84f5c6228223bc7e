"""The cheapest path of a trellis code, for sequences of any length: the Viterbi algorithm, one sequence a SIMD lane.

In trellis-coded quantization (Marcellin & Fischer 1990) the integers k of a sequence follow a convolutional code:
each state has two edges, each allows one residue k mod 4. A path starts in state 0 and may end anywhere. Each step
adds branch costs to the costs of the two states before a state and keeps the better sum (add, compare, select); of
a step only one bit a state and sequence is stored, from which the path is read backwards.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ltc.lattices.kernels.compilation import compiled, inlined
from ltc.lattices.kernels.parallel import nearest_rows, run_pieces
from ltc.lattices.kernels.simd import LANES, load, rint, store
from ltc.lattices.kernels.viterbi_steps import BITS, TILE, begin, end, forward, load_tile, trace

__all__ = ["ViterbiSearch"]

# State transitions worth a second thread.
_GRAIN = 1 << 21


class ViterbiSearch:
    """The search in one trellis code.

    Args:
        next_state: integers [S, 2], the states after each state; every state is there twice.
        residue: integers [S, 2], k mod 4 on these edges.
        step: a point is ``step * k``.

    Raises:
        ValueError: if a state has not two predecessors.

    Examples:
        >>> search = ViterbiSearch([[0, 1], [2, 3], [0, 1], [2, 3]], [[0, 2], [1, 3], [2, 0], [3, 1]])
        >>> search.integers(torch.tensor([[0.2, 1.9, 0.7]]))
        tensor([[0, 2, 1]])
    """

    def __init__(self, next_state: np.ndarray, residue: np.ndarray, step: float = 1.0) -> None:
        target, label = np.asarray(next_state).ravel(), np.asarray(residue).ravel() % 4
        states = len(target) // 2
        if not (np.bincount(target, minlength=states) == 2).all():
            raise ValueError("Each state of a trellis code has two predecessors.")
        edges = np.argsort(target, kind="stable").reshape(states, 2)
        # For each state and choice: the state before, and the residue read on the way.
        self._back = np.stack([edges // 2, label[edges]], -1).astype(np.intp)
        self._step = step

    def __call__(self, x: Tensor) -> Tensor:
        """The nearest points ``step * k`` to x [batch, n], float32 or float64, on the CPU; in the same precision."""
        return nearest_rows(_nearest, x, self._grain(x.shape[1]), self._back, self._step)

    def integers(self, x: Tensor) -> Tensor:
        """The integers k of the nearest points to x [batch, n]: int64 [batch, n]."""
        x = x.detach().contiguous()
        k = torch.empty(x.shape, dtype=torch.int64)
        run_pieces(_integers, len(x), self._grain(x.shape[1]), x.numpy(), k.numpy(), self._back, self._step)
        return k

    def residues(self, costs: Tensor) -> Tensor:
        """The residues mod 4 of the path with the least sum of any costs.

        Args:
            costs: [batch, n, 4], float32 or float64, on the CPU: the cost of the best k of each residue class; infinite
                where a class is not allowed.

        Returns:
            int64 [batch, n].
        """
        batch, n, _ = costs.shape
        costs = costs.detach().contiguous()
        path = torch.empty(batch, n, dtype=torch.int64)
        run_pieces(_residues, batch, self._grain(n), costs.numpy(), path.numpy(), self._back)
        return path

    def _grain(self, n: int) -> int:
        return max(LANES, _GRAIN // max(1, n * len(self._back)))


@compiled
def _nearest(start, stop, x, out, back, step):  # type: ignore[no-untyped-def]
    _search(start, stop, x, out, back, step, step)


@compiled
def _integers(start, stop, x, out, back, step):  # type: ignore[no-untyped-def]
    _search(start, stop, x, out, back, step, 1.0)


@inlined
def _search(start, stop, x, out, back, step, out_step):  # type: ignore[no-untyped-def]
    """``out[b]`` becomes ``out_step * k`` with ``step * k`` nearest to ``x[b]``."""
    real = x.dtype.type
    n = x.shape[1]
    y = np.empty((TILE, LANES), x.dtype)
    branch = np.empty((4 * TILE, LANES), x.dtype)
    paths = np.empty((2 * len(back), LANES), x.dtype)
    choices = np.empty((n, len(back)), BITS)
    state = np.empty(LANES, np.intp)
    down, up = real(1 / step), real(out_step)
    for first in range(start, stop, LANES):
        begin(paths)
        for t in range(0, n, TILE):
            count = min(TILE, n - t)
            load_tile(x, first, stop, t, count, down, y)
            for i in range(count):
                for r in range(4):
                    shifted = load(y, i) - r
                    error = shifted - 4 * rint(shifted * 0.25)
                    store(branch, 4 * i + r, error * error)
            forward(branch, count, back, paths, choices, t)
        end(paths, state)
        for t in range((n - 1) // TILE * TILE, -1, -TILE):
            count = min(TILE, n - t)
            # Branch costs are not needed any more; their table takes the residues.
            trace(choices, t, count, back, state, branch)
            load_tile(x, first, stop, t, count, down, y)
            for i in range(count):
                r = load(branch, i)
                store(y, i, r + 4 * rint((load(y, i) - r) * 0.25))
            for lane in range(min(LANES, stop - first)):
                for i in range(count):
                    out[first + lane, t + i] = y[i, lane] * up


@compiled
def _residues(start, stop, costs, out, back):  # type: ignore[no-untyped-def]
    n = costs.shape[1]
    flat = costs.reshape(len(costs), 4 * n)
    one = costs.dtype.type(1)
    branch = np.empty((4 * TILE, LANES), costs.dtype)
    paths = np.empty((2 * len(back), LANES), costs.dtype)
    choices = np.empty((n, len(back)), BITS)
    state = np.empty(LANES, np.intp)
    for first in range(start, stop, LANES):
        begin(paths)
        for t in range(0, n, TILE):
            count = min(TILE, n - t)
            load_tile(flat, first, stop, 4 * t, 4 * count, one, branch)
            forward(branch, count, back, paths, choices, t)
        end(paths, state)
        for t in range((n - 1) // TILE * TILE, -1, -TILE):
            count = min(TILE, n - t)
            trace(choices, t, count, back, state, branch)
            for lane in range(min(LANES, stop - first)):
                for i in range(count):
                    out[first + lane, t + i] = np.int64(branch[i, lane])
