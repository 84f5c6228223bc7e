"""Quantization by a trellis code at the least cost, distortion and bits together: what codecs without torch run.

The cost of an integer k for a sample y is ``weight * (y - point(k))^2 + bits(k)``, with a table of both for
each class of samples. Of each residue mod 4 the better of the two k next to y takes part in the Viterbi search. Where
the table ends, a point is its integer, and its bits are those of the table's ends.
"""

from __future__ import annotations

import numpy as np

from ltc.lattices.kernels.compilation import compiled
from ltc.lattices.kernels.octets import four_costs
from ltc.lattices.kernels.rated_costs import cost_of, costs_around
from ltc.lattices.kernels.simd import LANES
from ltc.lattices.kernels.viterbi_steps import BITS, TILE, begin, end, forward, trace

__all__ = ["backward_edges", "quantize_each", "quantize_sequences", "walk_sequences"]


def backward_edges(next_state: np.ndarray, residue: np.ndarray) -> np.ndarray:
    """For each state and each of the two ways into it: the state before, and the residue read: [states, 2, 2].

    Examples:
        >>> backward_edges(np.array([[0, 1], [0, 1]]), np.array([[0, 2], [1, 3]])).tolist()
        [[[0, 0], [1, 1]], [[0, 2], [1, 3]]]
    """
    edges = np.argsort(next_state.ravel(), kind="stable").reshape(len(next_state), 2)
    return np.stack([edges // 2, residue.ravel()[edges]], -1).astype(np.intp)


@compiled
def quantize_sequences(y, kind, bits, inward, weight, back, length, out):  # type: ignore[no-untyped-def]
    """The integers of the cheapest paths.

    Args:
        y: samples in steps [n], float32 or float64; each ``length`` of them are a sequence that begins in state 0.
        kind: the class of each sample, uint8 [n].
        bits: float32 [classes, K], of the integers from -K/2 on, K at least 16.
        inward: point less integer, of these integers, in steps, the same shape.
        weight: lambda times the step's square, float32.
        back: of ``backward_edges``.
        length: of a sequence.
        out: int32 [n].
    """
    n, width = len(y), bits.shape[1]
    bits, inward = bits.ravel(), inward.ravel()
    sequences = (n + length - 1) // length
    branch = np.empty((4 * TILE, LANES), np.float32)
    paths = np.empty((2 * len(back), LANES), np.float32)
    choices = np.empty((min(length, n), len(back)), BITS)
    state = np.empty(LANES, np.intp)
    path = np.empty((TILE, LANES), np.float32)
    farther = np.empty(min(n, LANES * length), np.uint8)
    branch[:] = 0
    for first in range(0, sequences, LANES):
        lanes = min(LANES, sequences - first)
        longest = min(length, n - first * length)
        begin(paths)
        for t in range(0, longest, TILE):
            count = min(TILE, longest - t)
            for lane in range(lanes):
                start = (first + lane) * length + t
                # Past the end of the last sequence no branch is looked at.
                for i in range(min(count, n - start)):
                    low, one, two, three, four, which = costs_around(
                        y[start + i], kind[start + i], bits, inward, width, weight
                    )
                    row = 4 * i
                    branch[row + (low & 3), lane] = one
                    branch[row + ((low + 1) & 3), lane] = two
                    branch[row + ((low + 2) & 3), lane] = three
                    branch[row + ((low + 3) & 3), lane] = four
                    farther[start + i - first * length] = which
            forward(branch, count, back, paths, choices, t)
        end(paths, state)
        for t in range((longest - 1) // TILE * TILE, -1, -TILE):
            count = min(TILE, longest - t)
            trace(choices, t, count, back, state, path)
            for lane in range(lanes):
                start = (first + lane) * length + t
                for i in range(min(count, n - start)):
                    low = np.int64(np.floor(y[start + i])) - 3
                    j = (np.int64(path[i, lane]) - low) & 3
                    out[start + i] = low + j + 4 * ((farther[start + i - first * length] >> j) & 1)


@compiled
def quantize_each(y, kind, bits, inward, weight, out):  # type: ignore[no-untyped-def]
    """Every integer for itself: of the eight around a sample the cheapest.

    The arguments are those of ``quantize_sequences``.
    """
    width = bits.shape[1]
    bits, inward = bits.ravel(), inward.ravel()
    for i in range(len(y)):
        low = np.int64(np.floor(y[i])) - 3
        rest = np.float32(y[i] - low)
        at = low + width // 2
        shift = width * np.int64(kind[i])
        best = 0
        if at >= 0 and at + 8 <= width:
            one, two, three, four, which = four_costs(bits, inward, at + shift, rest, weight)
            least = min(min(one, two), min(three, four))
            best = 0 if one == least else 1 if two == least else 2 if three == least else 3
            best += 4 * ((int(which) >> best) & 1)
        else:
            least = np.float32(np.inf)
            for j in range(8):
                cost = cost_of(bits, inward, shift, width, at + j, rest - np.float32(j), weight)
                if cost < least:
                    best, least = j, cost
        out[i] = low + best


@compiled
def walk_sequences(symbols, starts, kind, after, length, out):  # type: ignore[no-untyped-def]
    """The integers of symbols that were coded apart for each class and parity: a walk through the trellis.

    Args:
        symbols: ``(k - parity) / 2`` of all samples, int32 [n], those of each class and parity together, in order.
        starts: where those of each class and parity begin, int64 [classes, 2]; is used up.
        kind: the class of each sample, uint8 [n].
        after: the state after each state, by ``(k >> 1) & 1``: [states, 2].
        length: of a sequence.
        out: int32 [n].

    Returns:
        Whether every class and parity had as many symbols as the walk asked for.
    """
    state = 0
    n = len(kind)
    ends = np.empty_like(starts)
    for c in range(len(starts)):
        ends[c, 0] = starts[c, 1]
        ends[c, 1] = starts[c + 1, 0] if c + 1 < len(starts) else n
    for at in range(n):
        if at % length == 0:
            state = 0
        parity = state & 1
        c = kind[at]
        place = starts[c, parity]
        if place >= ends[c, parity]:
            return False
        starts[c, parity] = place + 1
        j = symbols[place]
        out[at] = 2 * j + parity
        state = after[state, j & 1]
    return True
