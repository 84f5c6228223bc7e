"""Nearest points of the Barnes-Wall lattice in sixteen dimensions: four sections of four coordinates.

A word of RM(1, 4) is, on each quarter, one of four lines l or its complement; the quarters' complements
(s0, s1, s2, s3) satisfy s0 + s1 = s2 + s3. So, for each line, quarters join to halves (s0, s1) and (s2, s3), and
eight pairs of halves to words; costs are kept for sum(j) even and odd, of which the whole needs even (Forney 1988).
"""

from __future__ import annotations

import itertools

import numpy as np
from torch import Tensor

from ltc.lattices.kernels.blocks import join, join_four, letter_costs, load_lanes, place, store_lanes
from ltc.lattices.kernels.compilation import compiled
from ltc.lattices.kernels.parallel import nearest_rows
from ltc.lattices.kernels.simd import LANES, filled, load, minimum, select, store

__all__ = ["BarnesWallSearch"]

# Vectors worth a second thread.
_GRAIN = 2048


class BarnesWallSearch:
    """The search as a function of x [batch, 16], for points (c + 2j) 2^(-3/4)."""

    def __init__(self) -> None:
        lines = np.array([[0, 0, 0, 0], [0, 1, 0, 1], [0, 0, 1, 1], [0, 1, 1, 0]])
        # Word ((l 2 + d) 2 + s0) 2 + s2 has line l, and complements s0, s0 + d, s2, s2 + d.
        signs = np.array([(s, s ^ d, t, t ^ d) for d, s, t in itertools.product((0, 1), repeat=3)])
        words = lines[:, None, None, :] ^ signs[None, :, :, None]
        numbers = lines @ (1, 2, 4, 8)
        self._tables = (np.stack([numbers, 15 - numbers], 1), words.reshape(32, 16).astype(np.uint8))

    def __call__(self, x: Tensor) -> Tensor:
        return nearest_rows(_search, x, _GRAIN, *self._tables)


@compiled
def _search(start, stop, x, out, quarters, words):  # type: ignore[no-untyped-def]
    up, down = np.full(16, 2**0.75).astype(x.dtype), np.full(16, 2**-0.75).astype(x.dtype)
    y = np.empty((16, LANES), x.dtype)
    cost = np.empty((16 * 4, LANES), x.dtype)
    pairs = np.empty((16, LANES), x.dtype)
    quarter = np.empty((4 * 32, LANES), x.dtype)
    half = np.empty((2 * 8, LANES), x.dtype)
    best = np.empty((1, LANES), x.dtype)
    word = np.empty((16, LANES), x.dtype)
    for first in range(start, stop, LANES):
        load_lanes(x, first, stop, up, y)
        letter_costs(y, 0, 1, 2, cost)
        for q in range(4):
            join_four(cost, 4 * q, pairs, quarter, 16 * q)
        least, number = filled(y, np.inf), filled(y, 0)
        for line in range(4):
            for h in range(2):
                for s in range(2):
                    for t in range(2):
                        u, v = 64 * h + 2 * quarters[line, s], 64 * h + 32 + 2 * quarters[line, t]
                        join(quarter, u, quarter, v, half, 8 * h + 4 * s + 2 * t)
            for d in range(2):
                for s in range(2):
                    u = 4 * s + 2 * (s ^ d)
                    u0, u1 = load(half, u), load(half, u + 1)
                    for t in range(2):
                        v = 8 + 4 * t + 2 * (t ^ d)
                        total = minimum(u0 + load(half, v), u1 + load(half, v + 1))
                        number = select(total < least, filled(y, ((2 * line + d) * 2 + s) * 2 + t), number)
                        least = minimum(total, least)
        store(best, 0, number)
        for lane in range(LANES):
            chosen = int(best[0, lane])
            for i in range(16):
                word[i, lane] = words[chosen, i]
        place(y, word, 0, 16, 1, filled(y, 0), 1, 2, filled(y, 0))
        store_lanes(y, down, first, stop, out)
