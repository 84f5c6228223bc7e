"""What kernels do with a block of LANES vectors: load it into SIMD lanes, store it, and tabulate its words' costs."""

from __future__ import annotations

import numpy as np

from ltc.lattices.kernels.compilation import inlined
from ltc.lattices.kernels.simd import LANES, filled, load, maximum, minimum, rint, select, store

__all__ = ["join", "join_four", "letter_costs", "load_lanes", "odd", "place", "store_lanes"]


@inlined
def load_lanes(x, first, last, scale, block):  # type: ignore[no-untyped-def]
    """Row i of ``block`` becomes coordinate i of ``x[first : first + LANES] * scale``.

    Lanes past row ``last - 1`` repeat that row.
    """
    for lane in range(LANES):
        row = min(first + lane, last - 1)
        for i in range(x.shape[1]):
            block[i, lane] = x[row, i] * scale[i]


@inlined
def store_lanes(block, scale, first, last, out):  # type: ignore[no-untyped-def]
    """``out[first : first + LANES]``, as far as ``last``, becomes the block's rows times ``scale``."""
    for lane in range(min(LANES, last - first)):
        for i in range(out.shape[1]):
            out[first + lane, i] = block[i, lane] * scale[i]


@inlined
def odd(j):  # type: ignore[no-untyped-def]
    """Which integers are odd; in floating point, which has no largest integer."""
    return rint(j * 0.5) != j * 0.5


@inlined
def letter_costs(y, offset, letter, spacing, cost):  # type: ignore[no-untyped-def]
    """Squared errors of the nearest points ``offset + letter * c + spacing * j``, c in {0, 1}, by the parity of j.

    Args:
        y: rows [coordinate].
        cost: filled, rows [coordinate, c, parity].
    """
    for i in range(y.shape[0]):
        for c in range(2):
            shifted = load(y, i) - (offset + letter * c)
            j = rint(shifted * (1 / spacing))
            error = shifted - j * spacing
            near = error * error
            # The second choice leaves an error of spacing - |error|.
            far = near + (spacing * spacing - abs(error) * (2 * spacing))
            is_odd = odd(j)
            store(cost, 4 * i + 2 * c, select(is_odd, far, near))
            store(cost, 4 * i + 2 * c + 1, select(is_odd, near, far))


@inlined
def join(u, u_row, v, v_row, out, row):  # type: ignore[no-untyped-def]
    """Min-plus sum of two (even, odd) pairs of rows."""
    u0, u1, v0, v1 = load(u, u_row), load(u, u_row + 1), load(v, v_row), load(v, v_row + 1)
    store(out, row, minimum(u0 + v0, u1 + v1))
    store(out, row + 1, minimum(u0 + v1, u1 + v0))


@inlined
def join_four(cost, first, pairs, words, to):  # type: ignore[no-untyped-def]
    """Costs of all 16 words of four coordinates, by the parity of their sum of j.

    Args:
        cost: rows [coordinate, c, parity], read from coordinate ``first``.
        pairs: scratch, rows [2, 4, parity].
        words: rows [word, parity], filled from word ``to`` on; a word has its first coordinate as lowest bit.
    """
    for h in range(2):
        row = 4 * (first + 2 * h)
        for v in range(2):
            for u in range(2):
                join(cost, row + 2 * u, cost, row + 4 + 2 * v, pairs, 8 * h + 4 * v + 2 * u)
    for v in range(4):
        for u in range(4):
            join(pairs, 2 * u, pairs, 8 + 2 * v, words, 2 * (to + 4 * v + u))


@inlined
def place(y, word, first, count, complements, offset, letter, spacing, need):  # type: ignore[no-untyped-def]
    """Replace coordinates by the nearest ``offset + letter * c + spacing * j`` with c a word and sum(j) = need mod 2.

    Wagner's rule: of a wrong parity, the coordinate nearest to a tie gives way.

    Args:
        y: rows [coordinate], of which ``count`` from ``first`` on are replaced.
        word: the word, rows [coordinate].
        complements: 1 for the word alone, 2 for the better of the word and its complement.
        offset, need: values in lanes.
    """
    least, chosen, flip = filled(y, np.inf), filled(y, 0), filled(y, -1)
    for other in range(complements):
        total, parity, widest, where = filled(y, 0), need, filled(y, -1), filled(y, 0)
        for i in range(first, first + count):
            shifted = load(y, i) - (offset + letter * abs(load(word, i) - other))
            j = rint(shifted * (1 / spacing))
            error = abs(shifted - spacing * j)
            total = total + error * error
            parity = parity + abs(j - 2 * rint(j * 0.5))
            where = select(widest < error, filled(y, i), where)
            widest = maximum(error, widest)
        wrong = odd(parity)
        total = select(wrong, total + (spacing * spacing - 2 * spacing * widest), total)
        better = total < least
        least = minimum(total, least)
        chosen = select(better, filled(y, other), chosen)
        flip = select(better, select(wrong, where, filled(y, -1)), flip)
    for i in range(first, first + count):
        r = offset + letter * abs(load(word, i) - chosen)
        shifted = load(y, i) - r
        j = spacing * rint(shifted * (1 / spacing))
        move = select(shifted < j, filled(y, -spacing), filled(y, spacing))
        store(y, i, r + j + select(flip == i, move, filled(y, 0)))
