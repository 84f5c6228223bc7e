"""Nearest points of cosets of Z^n and of D_n by the all-ones vector: A2, D_n, D_n*, E8.

The points are ``steps * (c + M j)`` with one letter c for all coordinates and, maybe, sum(j) even: round to each
coset; where the sum must be even and is odd, move the coordinate whose second choice costs least (Conway & Sloane
1982, sections II and IV).
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ltc.lattices.kernels.blocks import load_lanes, odd, store_lanes
from ltc.lattices.kernels.compilation import compiled
from ltc.lattices.kernels.parallel import nearest_rows
from ltc.lattices.kernels.simd import LANES, filled, load, minimum, rint, select, store

__all__ = ["CosetSearch"]

# Scalars worth a second thread.
_GRAIN = 1 << 17


class CosetSearch:
    """The search as a function of x [batch, n].

    Args:
        letters: c runs over 0 to ``letters - 1``.
        spacing: M.
        even: whether sum(j) must be even.
        steps: lengths of the coordinates' steps [n].
    """

    def __init__(self, letters: int, spacing: int, even: bool, steps: np.ndarray) -> None:
        self._rule = (letters, spacing, even)
        # Steps, their inverses and squares, in the precision of the search.
        scales = np.stack([steps, 1 / steps, steps**2])
        self._scales = {torch.float32: scales.astype(np.float32), torch.float64: scales}

    def __call__(self, x: Tensor) -> Tensor:
        return nearest_rows(_search, x, _GRAIN // x.shape[1], self._scales[x.dtype], *self._rule)


@compiled
def _search(start, stop, x, out, scales, letters, spacing, even):  # type: ignore[no-untyped-def]
    n = x.shape[1]
    steps, inverse, weight = scales[0], scales[1], scales[2]
    y = np.empty((n, LANES), x.dtype)
    for first in range(start, stop, LANES):
        load_lanes(x, first, stop, inverse, y)
        best, chosen, flip = filled(y, np.inf), filled(y, 0), filled(y, -1)
        for letter in range(letters):
            total, parity, least, where = filled(y, 0), filled(y, 0), filled(y, np.inf), filled(y, -1)
            for i in range(n):
                shifted = load(y, i) - letter
                j = rint(shifted * (1 / spacing))
                error = shifted - j * spacing
                total = total + error * error * weight[i]
                if even:
                    parity = parity + abs(j - 2 * rint(j * 0.5))
                    # The second choice of a coordinate leaves an error of M - |error| instead of |error|.
                    penalty = (spacing * spacing - abs(error) * (2 * spacing)) * weight[i]
                    where = select(penalty < least, filled(y, i), where)
                    least = minimum(penalty, least)
            if even:
                wrong = odd(parity)
                total = select(wrong, total + least, total)
                where = select(wrong, where, filled(y, -1))
            better = total < best
            best = minimum(total, best)
            chosen = select(better, filled(y, letter), chosen)
            flip = select(better, where, flip)
        for i in range(n):
            shifted = load(y, i) - chosen
            j = rint(shifted * (1 / spacing)) * spacing
            move = select(shifted < j, filled(y, -spacing), filled(y, spacing))
            store(y, i, chosen + j + select(flip == i, move, filled(y, 0)))
        store_lanes(y, steps, first, stop, out)
