"""Stochastic descent of a lattice's second moment, one random vector a step.

Compiled, since a step takes a microsecond: a search and a rank-one change of a lower triangular basis.
"""

from __future__ import annotations

import numpy as np

from ltc.lattices.kernels.compilation import compiled, inlined
from ltc.lattices.kernels.schnorr_euchner import reduce, search

__all__ = ["descend", "moments"]


@inlined
def _normalize(lower):  # type: ignore[no-untyped-def]
    """Back to unit volume."""
    n = len(lower)
    log = 0.0
    for i in range(n):
        log += np.log(abs(lower[i, i]))
    factor = np.exp(-log / n)
    for i in range(n):
        for j in range(i + 1):
            lower[i, j] *= factor


@compiled
def moments(start, stop, lower, cubes, squares, gradients):  # type: ignore[no-untyped-def]
    """For rows of ``cubes``: the squared error of the point ``cube @ lower``, and its gradient by ``lower``.

    Args:
        start: first row.
        stop: row after the last.
        lower: lower triangular basis [n, n].
        cubes: uniform over the unit cube [count, n].
        squares: out, [count].
        gradients: out, [count, n, n], of the squared error at fixed integers; or [0, n, n] for none.
    """
    n = len(lower)
    z, step, y, distance = np.empty(n), np.empty(n), np.empty(n), np.empty(n + 1)
    residual = np.empty((n + 1, n))
    for row in range(start, stop):
        squares[row] = search(lower, cubes[row], z, step, distance, residual, y)
        if len(gradients):
            for j in range(n):
                error = 0.0
                for i in range(j, n):
                    error += y[i] * lower[i, j]
                for i in range(n):
                    gradients[row, i, j] = 2 * y[i] * error if i >= j else 0.0


@compiled
def descend(lower, cubes, rates, every, total, moment):  # type: ignore[no-untyped-def]
    """One step of gradient descent for each row of ``cubes``, in place.

    With y the cube's vector less the nearest integers and e = y B its error, the gradient of |e|^2 / (2 vol^(2/n)) at
    unit volume is y_i e_j - delta_ij |e|^2 / (n B_ii) (Agrell, Pook-Kolb & Allen 2022).

    Args:
        lower: lower triangular basis [n, n] of unit volume.
        cubes: uniform over the unit cube [steps, n].
        rates: step sizes [steps].
        every: steps between two reductions of the basis; 0 for none.
        total: [n, n], to which the basis after each step is added.
        moment: out, [1], the mean of |e|^2 / n on the way.
    """
    n = len(lower)
    z, step, y, distance = np.empty(n), np.empty(n), np.empty(n), np.empty(n + 1)
    residual, no_rows = np.empty((n + 1, n)), np.empty((n, 0))
    mean = 0.0
    for t in range(len(cubes)):
        square = search(lower, cubes[t], z, step, distance, residual, y)
        mean += square
        for j in range(n):
            error = 0.0
            for i in range(j, n):
                error += y[i] * lower[i, j]
            error *= rates[t]
            # Only after column j has been read to its end may it change.
            onto_volume = rates[t] * square / (n * lower[j, j])
            for i in range(j, n):
                lower[i, j] -= y[i] * error
            lower[j, j] += onto_volume
        _normalize(lower)
        if every and (t + 1) % every == 0:
            reduce(lower, no_rows)
        for i in range(n):
            for j in range(i + 1):
                total[i, j] += lower[i, j]
    moment[0] = mean / (n * len(cubes))
