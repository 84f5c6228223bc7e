"""The cheapest path of a trellis code of many states: the Viterbi algorithm, the states of a sequence in SIMD lanes.

What ``ltc.lattices.kernels.viterbi`` does for 16 sequences at once needs 16 times the memory: with 1,024 states and
more it no longer fits into a cache. Costs are rounded to short integers, a thousandth of a squared step; a window of
decisions takes the place of all of them.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ltc.lattices.kernels.compilation import compiled, inlined
from ltc.lattices.kernels.parallel import run_pieces
from ltc.lattices.kernels.phases import phases_of
from ltc.lattices.kernels.windowed_search import ROWS, price, scratch, search

__all__ = ["WindowedViterbiSearch"]

# State transitions worth a second thread.
_GRAIN = 1 << 21

# Short integers of a squared step; the largest error of a residue is two steps.
_FINE = 1024

# Where costs are any: short integers of the mean difference between the better residues of both parities, and how often
# the mean is taken again without what is far above it.
_MEAN, _TIMES = 512, 8


class WindowedViterbiSearch:
    """The search in one trellis code of 32 states or more.

    Args:
        h0, h1: its parity polynomials.
        step: a point is ``step * k``.
        rows: samples of which decisions are kept, a multiple of 4.

    Raises:
        ValueError: if there is no such code, or no such number of rows.

    Examples:
        >>> search = WindowedViterbiSearch(0o45, 0o10)
        >>> search.integers(torch.tensor([[0.2, 1.9, 0.7]]))
        tensor([[0, 2, 0]])
    """

    def __init__(self, h0: int, h1: int, step: float = 1.0, rows: int = ROWS) -> None:
        if rows < 4 or rows % 4:
            raise ValueError(f"A search decides a quarter of its rows at once, of a multiple of 4, not of {rows}.")
        found = phases_of(h0, h1)
        self._states = 1 << found.nu
        self._tables = found.nu, found.masks, found.lanes, found.order, found.ends
        self._step, self._rows = step, rows

    def __call__(self, x: Tensor) -> Tensor:
        """The nearest points ``step * k`` to x [batch, n], float32 or float64, on the CPU; in the same precision."""
        x = x.detach().contiguous()
        points = torch.empty_like(x)
        self._run(_nearest, x, points, self._step, self._step)
        return points

    def integers(self, x: Tensor) -> Tensor:
        """The integers k of the nearest points to x [batch, n]: int64 [batch, n]."""
        x = x.detach().contiguous()
        k = torch.empty(x.shape, dtype=torch.int64)
        self._run(_nearest, x, k, self._step, 1.0)
        return k

    def residues(self, costs: Tensor) -> Tensor:
        """The residues mod 4 of the path with the least sum of any costs.

        Args:
            costs: [batch, n, 4], float32 or float64, on the CPU: the cost of the best k of each residue class; infinite
                where a class is not allowed.

        Returns:
            int64 [batch, n].
        """
        costs = costs.detach().contiguous()
        path = torch.empty(costs.shape[:2], dtype=torch.int64)
        self._run(_residues, costs, path)
        return path

    def _run(self, kernel, given: Tensor, out: Tensor, *numbers: float) -> None:  # type: ignore[no-untyped-def]
        batch, n = given.shape[:2]
        grain = max(1, _GRAIN // max(1, n * self._states))
        arguments = given.numpy(), out.numpy(), *numbers, self._rows, *self._tables
        run_pieces(kernel, batch, grain, *arguments, multiple=1)


@compiled
def _nearest(start, stop, x, out, step, out_step, rows, nu, masks, lanes, order, ends):  # type: ignore[no-untyped-def]
    n = x.shape[1]
    memory = scratch(1 << nu, rows, n)
    path = np.empty(n, np.uint8)
    down = 1 / step
    for b in range(start, stop):
        search(n, _fill_errors, (x[b], down), memory, nu, masks, lanes, order, ends, path)
        for t in range(n):
            r = np.float64(path[t])
            out[b, t] = (r + 4 * np.rint((x[b, t] * down - r) * 0.25)) * out_step


@inlined
def _fill_errors(source, first, last, costs):  # type: ignore[no-untyped-def]
    x, down = source
    rows = len(costs)
    row = first % rows
    for t in range(first, last):
        y = np.float64(x[t] * down)
        y -= 4 * np.rint(0.25 * y)
        one, three = (y - 1) - 4 * np.rint((y - 1) * 0.25), (y + 1) - 4 * np.rint((y + 1) * 0.25)
        two = 2 - abs(y)
        price(y * y, one * one, two * two, three * three, _FINE, costs, row)
        row = row + 1 if row + 1 < rows else 0


@compiled
def _residues(start, stop, costs, out, rows, nu, masks, lanes, order, ends):  # type: ignore[no-untyped-def]
    n = costs.shape[1]
    memory = scratch(1 << nu, rows, n)
    path = np.empty(n, np.uint8)
    for b in range(start, stop):
        scale = _scale(costs[b])
        search(n, _fill_costs, (costs[b], scale), memory, nu, masks, lanes, order, ends, path)
        for t in range(n):
            out[b, t] = path[t]


@inlined
def _scale(costs):  # type: ignore[no-untyped-def]
    mean = np.inf
    for _ in range(_TIMES):
        total, count = 0.0, 0
        for t in range(len(costs)):
            even, odd = min(costs[t, 0], costs[t, 2]), min(costs[t, 1], costs[t, 3])
            rise, most = float(abs(even - odd)), 4 * mean
            if rise < np.inf:
                total += rise if rise < most else most
                count += 1
        mean = total / max(count, 1)
    return _MEAN / mean if mean > 0 else 1.0


@inlined
def _fill_costs(source, first, last, costs):  # type: ignore[no-untyped-def]
    given, scale = source
    rows = len(costs)
    row = first % rows
    for t in range(first, last):
        price(given[t, 0], given[t, 1], given[t, 2], given[t, 3], scale, costs, row)
        row = row + 1 if row + 1 < rows else 0
