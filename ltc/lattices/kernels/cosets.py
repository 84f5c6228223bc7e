"""Nearest points of cosets of Z^n and of D_n by the all-ones vector: A2, D_n, D_n*, E8.

The points are ``steps * (c + M j)`` with one letter c for all coordinates and, maybe, sum(j) even: round to each
coset; where the sum must be even and is odd, move the coordinate whose second choice costs least (Conway & Sloane
1982, sections II and IV).
"""

from __future__ import annotations

import numpy as np
from torch import Tensor

from ltc.lattices.kernels.blocks import load_lanes, store_lanes
from ltc.lattices.kernels.parallel import LANES, compiled, nearest_rows

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
        self._steps = {np.dtype(t): np.asarray(steps, t) for t in (np.float32, np.float64)}

    def __call__(self, x: Tensor) -> Tensor:
        steps = self._steps[np.dtype(str(x.dtype).removeprefix("torch."))]
        return nearest_rows(_search, x, _GRAIN // x.shape[1], steps, *self._rule)


# Rows of the scratch array: the sums of the coset at hand, and the best coset so far.
_TOTAL, _SIGN, _LEAST, _WHERE, _BEST, _LETTER, _FLIP = range(7)


@compiled
def _search(start, stop, x, out, steps, letters, spacing, even):  # type: ignore[no-untyped-def]
    real = x.dtype.type
    n = x.shape[1]
    inverse, weight = real(1) / steps, steps * steps
    m, per_m = real(spacing), real(1 / spacing)
    zero, one, two = real(0), real(1), real(2)
    y = np.empty((n, LANES), x.dtype)
    s = np.empty((7, LANES), x.dtype)
    for first in range(start, stop, LANES):
        load_lanes(x, first, stop, inverse, y)
        for lane in range(LANES):
            s[_BEST, lane] = real(np.inf)
            s[_LETTER, lane] = zero
            s[_FLIP, lane] = real(-1)
        for letter in range(letters):
            c = real(letter)
            for lane in range(LANES):
                s[_TOTAL, lane] = zero
                s[_SIGN, lane] = one
                s[_LEAST, lane] = real(np.inf)
                s[_WHERE, lane] = real(-1)
            if even:
                for i in range(n):
                    w, at = weight[i], real(i)
                    for lane in range(LANES):
                        j = np.rint((y[i, lane] - c) * per_m)
                        error = y[i, lane] - c - m * j
                        s[_TOTAL, lane] += error * error * w
                        # -1 for an odd j; in floating point, which has no largest j.
                        s[_SIGN, lane] *= one - two * abs(j - two * np.rint(j / two))
                        # The second choice of a coordinate leaves an error of M - |error| instead of |error|.
                        penalty = (m * m - two * m * abs(error)) * w
                        lower = penalty < s[_LEAST, lane]
                        s[_LEAST, lane] = penalty if lower else s[_LEAST, lane]
                        s[_WHERE, lane] = at if lower else s[_WHERE, lane]
                for lane in range(LANES):
                    odd = s[_SIGN, lane] < zero
                    s[_TOTAL, lane] += s[_LEAST, lane] if odd else zero
                    s[_WHERE, lane] = s[_WHERE, lane] if odd else real(-1)
            else:
                for i in range(n):
                    w = weight[i]
                    for lane in range(LANES):
                        error = y[i, lane] - c - m * np.rint((y[i, lane] - c) * per_m)
                        s[_TOTAL, lane] += error * error * w
            for lane in range(LANES):
                better = s[_TOTAL, lane] < s[_BEST, lane]
                s[_BEST, lane] = s[_TOTAL, lane] if better else s[_BEST, lane]
                s[_LETTER, lane] = c if better else s[_LETTER, lane]
                s[_FLIP, lane] = s[_WHERE, lane] if better else s[_FLIP, lane]
        for i in range(n):
            at = real(i)
            for lane in range(LANES):
                c = s[_LETTER, lane]
                shifted = y[i, lane] - c
                j = np.rint(shifted * per_m)
                move = -one if shifted < m * j else one
                y[i, lane] = c + m * (j + (move if s[_FLIP, lane] == at else zero))
        store_lanes(y, steps, first, stop, out)
