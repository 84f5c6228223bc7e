"""Nearest points of the Leech lattice: three sections of eight coordinates, joined by a convolution over Z2^3 x Z2.

With k = m + 2c + 4j, c = (a+x | b+x | a+b+x) in Turyn's form and each section free to be complemented, a section has
64 classes (x, a) of two words, each class with a cost for sum(j) even and for sum(j) odd. For given m and x,
the first two sections are merged over all a, b with the same a + b = g: 256 sums instead of 512 triples of pairs, and
8 x 2 remain to be joined with the third section. The idea of merged sections is that of Vardy & Be'ery (1993).
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ltc.lattices.kernels.blocks import join_four, letter_costs, load_lanes, place, store_lanes
from ltc.lattices.kernels.compilation import compiled, inlined
from ltc.lattices.kernels.parallel import nearest_rows, run_pieces
from ltc.lattices.kernels.simd import LANES, filled, load, minimum, select, store

__all__ = ["LeechSearch"]

# Vectors worth a second thread.
_GRAIN = 128

# Rows of the class table for one m: [section, x, a, parity of sum(j)].
_CLASS_ROWS = 3 * 8 * 8 * 2


class LeechSearch:
    """The search as a function of x [batch, 24].

    Args:
        words: [8, 8, 2, 8] bits, ``words[x, a]`` the two words of a class, complements of one another. The classes
            ``a`` are numbered so that a + b has the number ``a ^ b``.
    """

    def __init__(self, words: np.ndarray) -> None:
        words = np.ascontiguousarray(words.reshape(64, 2, 8))
        # A word's halves, each one of 16 half words; unsigned, for an index that cannot be negative is cheaper.
        halves = (words.reshape(64, 2, 2, 4) @ (1, 2, 4, 8)).astype(np.uint8)
        self._tables = (halves, words[:, 0].astype(np.uint8))

    def __call__(self, x: Tensor) -> Tensor:
        return nearest_rows(_search, x, _GRAIN, *self._tables)

    def residues(self, costs: Tensor) -> Tensor:
        """The residues k mod 8 of the point with the least sum of any costs.

        Args:
            costs: [batch, 24, 8], float32 or float64, on the CPU: the cost of the best k of each residue class.

        Returns:
            int64 [batch, 24].
        """
        flat = costs.detach().reshape(len(costs), 24 * 8).contiguous()
        path = torch.empty(len(costs), 24, dtype=torch.int64)
        run_pieces(_residues, len(flat), _GRAIN, flat.numpy(), path.numpy(), *self._tables)
        return path


@compiled
def _search(start, stop, x, out, halves, words):  # type: ignore[no-untyped-def]
    dtype = x.dtype
    up, down = np.full(24, 8**0.5).astype(dtype), np.full(24, 8**-0.5).astype(dtype)
    y = np.empty((24, LANES), dtype)
    cost = np.empty((24 * 4, LANES), dtype)
    pairs = np.empty((16, LANES), dtype)
    half = np.empty((2 * 32, LANES), dtype)
    classes = np.empty((2 * _CLASS_ROWS, LANES), dtype)
    best = np.empty((2, LANES), dtype)
    word = np.empty((24, LANES), dtype)
    need = np.empty((4, LANES), dtype)
    for first in range(start, stop, LANES):
        load_lanes(x, first, stop, up, y)
        store(best, 0, filled(best, np.inf))
        store(best, 1, filled(best, 0))
        for m in range(2):
            letter_costs(y, m, 2, 4, cost)
            _join_sections(cost, halves, m, pairs, half, classes, best)
        for lane in range(LANES):
            _trace(classes, words, lane, best, word, need)
        for section in range(3):
            place(y, word, 8 * section, 8, 2, load(need, 3), 2, 4, load(need, section))
        store_lanes(y, down, first, stop, out)


@compiled
def _residues(start, stop, costs, out, halves, words):  # type: ignore[no-untyped-def]
    dtype = costs.dtype
    ones = np.full(24 * 8, 1).astype(dtype)
    table = np.empty((24 * 8, LANES), dtype)
    cost = np.empty((24 * 4, LANES), dtype)
    pairs = np.empty((16, LANES), dtype)
    half = np.empty((2 * 32, LANES), dtype)
    classes = np.empty((2 * _CLASS_ROWS, LANES), dtype)
    best = np.empty((2, LANES), dtype)
    word = np.empty((24, LANES), dtype)
    need = np.empty((4, LANES), dtype)
    for first in range(start, stop, LANES):
        load_lanes(costs, first, stop, ones, table)
        store(best, 0, filled(best, np.inf))
        store(best, 1, filled(best, 0))
        for m in range(2):
            for i in range(24):
                for c in range(2):
                    for parity in range(2):
                        store(cost, 4 * i + 2 * c + parity, load(table, 8 * i + m + 2 * c + 4 * parity))
            _join_sections(cost, halves, m, pairs, half, classes, best)
        for lane in range(min(LANES, stop - first)):
            _trace(classes, words, lane, best, word, need)
            for section in range(3):
                _choose(table, word, lane, section, int(need[3, lane]), int(need[section, lane]), out, first + lane)


@inlined
def _choose(table, word, lane, section, m, need, out, row):  # type: ignore[no-untyped-def]
    """The cheaper of a section's word and its complement, with sum(j) = need mod 2 by Wagner's rule."""
    least = np.inf
    for other in range(2):
        total, parity, slack, flip = 0.0, 0, np.inf, 0
        for i in range(8 * section, 8 * section + 8):
            at = 8 * i + m + 2 * abs(int(word[i, lane]) - other)
            even, odd = table[at, lane], table[at + 4, lane]
            total += min(even, odd)
            parity ^= odd < even
            if abs(even - odd) < slack:
                slack, flip = abs(even - odd), i
        if parity != need:
            total += slack
        else:
            flip = -1
        if total < least:
            least = total
            for i in range(8 * section, 8 * section + 8):
                residue = m + 2 * abs(int(word[i, lane]) - other)
                at = 8 * i + residue
                second = (table[at + 4, lane] < table[at, lane]) != (i == flip)
                out[row, i] = residue + 4 * second


@inlined
def _join_sections(cost, halves, m, pairs, half, classes, best):  # type: ignore[no-untyped-def]
    """Class costs of all sections from the letters' costs, and ``best`` updated, for one m."""
    for section in range(3):
        for h in range(2):
            join_four(cost, 8 * section + 4 * h, pairs, half, 16 * h)
        _class_costs(half, halves, classes, m * _CLASS_ROWS + 128 * section)
    _best_triple(classes, m, best)


@inlined
def _class_costs(half, halves, classes, to):  # type: ignore[no-untyped-def]
    """The cost of the better of two words, for both parities of sum(j): 128 rows from row ``to`` on."""
    for i in range(64):
        even, odd = filled(half, np.inf), filled(half, np.inf)
        for word in range(2):
            f, s = 2 * np.intp(halves[i, word, 0]), 32 + 2 * np.intp(halves[i, word, 1])
            f0, f1, s0, s1 = load(half, f), load(half, f + 1), load(half, s), load(half, s + 1)
            even = minimum(even, minimum(f0 + s0, f1 + s1))
            odd = minimum(odd, minimum(f0 + s1, f1 + s0))
        store(classes, to + 2 * i, even)
        store(classes, to + 2 * i + 1, odd)


@inlined
def _best_triple(classes, m, best):  # type: ignore[no-untyped-def]
    """Keep in ``best`` the least sum over three sections, and its number ((m 8 + x) 8 + a + b) 2 + parity."""
    least, number = load(best, 0), load(best, 1)
    for x in range(8):
        one = m * _CLASS_ROWS + 16 * x
        two, three = one + 128, one + 256
        for g in range(8):
            even, odd = filled(best, np.inf), filled(best, np.inf)
            for a in range(8):
                u, v = one + 2 * a, two + 2 * (a ^ g)
                u0, u1, v0, v1 = load(classes, u), load(classes, u + 1), load(classes, v), load(classes, v + 1)
                even = minimum(even, minimum(u0 + v0, u1 + v1))
                odd = minimum(odd, minimum(u0 + v1, u1 + v0))
            here = ((m * 8 + x) * 8 + g) * 2
            # Over all sections sum(j) = m mod 2.
            even = even + load(classes, three + 2 * g + m)
            number = select(even < least, filled(best, here), number)
            least = minimum(even, least)
            odd = odd + load(classes, three + 2 * g + 1 - m)
            number = select(odd < least, filled(best, here + 1), number)
            least = minimum(odd, least)
    store(best, 0, least)
    store(best, 1, number)


@inlined
def _trace(classes, words, lane, best, word, need):  # type: ignore[no-untyped-def]
    """One word of each section's class, and the parities, behind a lane's best number."""
    number = int(best[1, lane])
    p, g, x, m = number & 1, (number >> 1) & 7, (number >> 4) & 7, (number >> 7) & 1
    one = m * _CLASS_ROWS + 16 * x
    least = best.dtype.type(np.inf)
    chosen = 0
    for choice in range(16):
        # Row 2a + u of the first section, row 2(a + g) + (u + p) of the second.
        total = classes[one + choice, lane] + classes[one + 128 + (choice ^ (2 * g + p)), lane]
        chosen = choice if total < least else chosen
        least = min(total, least)
    a, u = chosen >> 1, chosen & 1
    for i in range(8):
        word[i, lane] = words[8 * x + a, i]
        word[8 + i, lane] = words[8 * x + (a ^ g), i]
        word[16 + i, lane] = words[8 * x + g, i]
    need[0, lane], need[1, lane], need[2, lane], need[3, lane] = u, u ^ p, p ^ m, m
