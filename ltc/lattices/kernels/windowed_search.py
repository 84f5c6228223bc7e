"""The cheapest path of one long sequence, decided a window later: memory does not grow with its length.

After ``rows`` samples a quarter of them is decided, the oldest, by the way back from the state that is best now; and
so on. A path must be one: where the way back misses the state in which the last decision has ended, the search goes
over these samples again, from that state, which hardly ever happens if the window is long enough.
"""

from __future__ import annotations

import numpy as np

from ltc.lattices.kernels.compilation import inlined
from ltc.lattices.kernels.shorts import SHORTS
from ltc.lattices.kernels.windowed_steps import DEAREST, aligned, begin_at, best_state, read, retrace, step

__all__ = ["ROWS", "price", "scratch", "search"]

ROWS = 4096
"""Samples whose decisions are kept, a bit a state and sample; three quarters of them are decided later."""


@inlined
def scratch(states, rows, n):  # type: ignore[no-untyped-def]
    """Memory for sequences of n: costs of paths, choices, costs of samples, residues, and costs of a step's edges."""
    rows = min(rows, 4 * ((n + 3) // 4))
    return (
        aligned(states),
        np.empty((rows, states // SHORTS), np.uint32),
        np.empty((rows, 4), np.int16),
        np.empty(rows, np.uint8),
        aligned(4 * SHORTS),
    )


@inlined
def price(zero, one, two, three, scale, costs, row):  # type: ignore[no-untyped-def]
    """``costs[row]`` becomes four costs, above the least of them, in short integers; infinite ones stay apart.

    Where both residues of a parity are not allowed both are: a path may have no choice.
    """
    lowest = min(min(zero, one), min(two, three))
    costs[row, 0] = _short(zero, two, lowest, scale)
    costs[row, 1] = _short(one, three, lowest, scale)
    costs[row, 2] = _short(two, zero, lowest, scale)
    costs[row, 3] = _short(three, one, lowest, scale)


@inlined
def _short(cost, other, lowest, scale):  # type: ignore[no-untyped-def]
    above = (cost - lowest) * scale
    # A number that is none compares as false.
    if above <= DEAREST:
        return np.int16(above + 0.5)
    return np.int16(0x7FFF) if cost == np.inf and other < np.inf else np.int16(DEAREST)


@inlined
def search(n, fill, source, memory, nu, masks, lanes, order, ends, out):  # type: ignore[no-untyped-def]
    """The residues of the cheapest path.

    Args:
        n: samples.
        fill: ``fill(source, first, last, costs)`` sets the costs of samples first to last - 1, that of sample t in row
            t mod rows.
        source: what ``fill`` takes them from.
        memory: of ``scratch``; its number of rows is a multiple of 4.
        nu, masks, lanes, order, ends: of ``ltc.lattices.kernels.phases.Phases``.
        out: uint8 [n].

    Returns:
        How often the search went over its samples again.
    """
    paths, choices, costs, path, branch = memory
    rows = len(choices)
    block = rows // 4
    t = done = state = again = 0
    begin_at(paths, 0)
    risen = 0
    while t < n:
        first, t = t, min(t + block, n)
        fill(source, first, t, costs)
        repeated = False
        while True:
            row, p = first % rows, first % nu
            for _ in range(first, t):
                risen = step(paths, choices, costs, row, branch, p, lanes, order, ends, risen)
                row = row + 1 if row + 1 < rows else 0
                p = p + 1 if p + 1 < nu else 0
            if t < n and t - done < rows:
                break
            stop = n if t == n else done + block
            middle = retrace(choices, stop, t, best_state(paths), nu)
            if read(choices, done, stop, middle, nu, masks, path) == state or repeated:
                row = done % rows
                for i in range(done, stop):
                    out[i] = path[row]
                    row = row + 1 if row + 1 < rows else 0
                state, done = middle, stop
                break
            begin_at(paths, state)
            risen, first, repeated = 0, done, True
            again += 1
    return again
