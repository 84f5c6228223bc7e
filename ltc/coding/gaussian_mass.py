"""Masses of a Gaussian on cells around the integers, the same to the last bit on any machine.

Tables of a bitstream may not depend on a library's exponential or error function. Here the density is integrated by
Gauss-Legendre quadrature and its exponential is a Taylor polynomial: additions, multiplications, divisions and floors
of IEEE doubles in a fixed order, and nothing else. So a scale is all that a checkpoint must carry.
"""

from __future__ import annotations

import numba
import numpy as np

__all__ = ["LEAST_MASS", "REACH", "cell_mass", "gaussian_masses"]

REACH = 6.0
"""Beyond so many scales from its mean a Gaussian has hardly a mass that is not escaped anyway."""

LEAST_MASS = 2.0**-100
"""No mass is less: whatever a trellis allows has a code."""

# Five nodes and weights on [-1, 1] (Abramowitz & Stegun, table 25.4): 1e-8 and better on cells of a standard deviation.
_NODES = np.array([-0.9061798459386640, -0.5384693101056831, 0.0, 0.5384693101056831, 0.9061798459386640])
_WEIGHTS = np.array(
    [0.2369268850561891, 0.4786286704993665, 0.5688888888888889, 0.4786286704993665, 0.2369268850561891]
)

_INVERSE_ROOT = 0.3989422804014327  # 1 / sqrt(2 pi)


def gaussian_masses(scale: float, width: float, count: int) -> np.ndarray:
    """Masses of N(0, scale^2) on the cells of the integers 0, 1, … ``count - 1``.

    Args:
        scale: standard deviation, in units of the distance of neighbouring integers.
        width: of a cell, in the same units: the cell of k is [k - width/2, k + width/2].
        count: how many.

    Returns:
        float64 [count], each at least 2^-100.

    Examples:
        >>> gaussian_masses(1.0, 1.0, 3).round(4).tolist()
        [0.3829, 0.2417, 0.0606]
    """
    found = np.empty(count)
    _fill(float(scale), float(width), found)
    return found


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _fill(scale, width, found):  # type: ignore[no-untyped-def]
    for k in range(len(found)):
        found[k] = cell_mass(k - 0.5 * width, width, scale, np.inf)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def cell_mass(low, width, scale, furthest):  # type: ignore[no-untyped-def]
    """The mass of N(0, scale^2) on [low, low + width], at least 2^-100; parts beyond ``furthest`` are left out."""
    parts = int(np.ceil(width / scale))
    half = width / (2 * parts)  # of a part of a cell, at most half a standard deviation
    total = 0.0
    for part in range(parts):
        center = low + (2 * part + 1) * half
        if abs(center) < furthest:
            for node in range(5):
                u = (center + half * _NODES[node]) / scale
                total += _WEIGHTS[node] * _exponential(-0.5 * u * u)
    return max(total * half / scale * _INVERSE_ROOT, LEAST_MASS)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _exponential(y):  # type: ignore[no-untyped-def]
    """exp(y) for y <= 0, to 1e-13: a polynomial of y / 2^m, squared m times."""
    if y < -100.0:
        return 0.0
    squarings = 0
    while y < -0.0625:
        y *= 0.5
        squarings += 1
    value = 1.0
    for term in range(9, 0, -1):
        value = 1.0 + value * y / term
    for _ in range(squarings):
        value = value * value
    return value
