"""What searches in a trellis code are made of, one sequence a SIMD lane: add, compare, select, and the way back."""

from __future__ import annotations

import numpy as np

from ltc.lattices.kernels.compilation import inlined
from ltc.lattices.kernels.simd import LANES, bits, filled, load, minimum, select, store

__all__ = ["BITS", "TILE", "begin", "end", "forward", "load_tile", "trace"]

# One bit a lane.
BITS = np.dtype(f"uint{LANES}")

# Samples loaded at once: their branch costs stay in the first-level cache. Path costs are set back to a minimum of 0
# after as many samples, so that float32 is precise enough for a sequence of any length.
TILE = 32


@inlined
def load_tile(x, first, last, t, count, scale, block):  # type: ignore[no-untyped-def]
    """Row i of ``block`` becomes ``x[first : first + LANES, t + i] * scale``; lanes past ``last - 1`` repeat it."""
    for lane in range(LANES):
        row = min(first + lane, last - 1)
        for i in range(count):
            block[i, lane] = x[row, t + i] * scale


@inlined
def begin(paths):  # type: ignore[no-untyped-def]
    """All paths start in state 0."""
    for s in range(len(paths)):
        store(paths, s, filled(paths, np.inf))
    store(paths, 0, filled(paths, 0))


@inlined
def forward(branch, count, back, paths, choices, t):  # type: ignore[no-untyped-def]
    """Add, compare, select for ``count`` samples, the first of which is number t.

    Args:
        branch: rows [sample, residue].
        back: [states, choice, 2].
        paths: rows [2, state], least costs of the paths to each state; the second half is scratch.
        choices: [n, states], whether the second choice is better, a bit a lane.
    """
    states = len(back)
    here, there = 0, states
    for i in range(count):
        for s in range(states):
            one = load(paths, here + back[s, 0, 0]) + load(branch, 4 * i + back[s, 0, 1])
            two = load(paths, here + back[s, 1, 0]) + load(branch, 4 * i + back[s, 1, 1])
            choices[t + i, s] = bits(two < one)
            store(paths, there + s, minimum(two, one))
        here, there = there, here
    least = load(paths, here)
    for s in range(1, states):
        least = minimum(load(paths, here + s), least)
    for s in range(states):
        store(paths, s, load(paths, here + s) - least)


@inlined
def end(paths, state):  # type: ignore[no-untyped-def]
    """The final state of the cheapest path of each lane."""
    least, where = load(paths, 0), filled(paths, 0)
    for s in range(1, len(paths) // 2):
        total = load(paths, s)
        where = select(total < least, filled(paths, s), where)
        least = minimum(total, least)
    store(paths, 0, where)
    for lane in range(LANES):
        state[lane] = np.intp(paths[0, lane])


@inlined
def trace(choices, t, count, back, state, path):  # type: ignore[no-untyped-def]
    """Follow the choices back from ``state`` [lane] over ``count`` samples; their residues become rows of ``path``."""
    for i in range(count - 1, -1, -1):
        for lane in range(LANES):
            s = state[lane]
            choice = (np.intp(choices[t + i, s]) >> lane) & 1
            path[i, lane] = back[s, choice, 1]
            state[lane] = back[s, choice, 0]
