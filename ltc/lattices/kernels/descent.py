"""Stochastic descent of a lattice's second moment, one random vector a step, and what it needs: a search, a reduction.

Everything works on a lower triangular basis (rows are basis vectors), which a swap of two vectors keeps up to one
rotation of the plane: no decomposition is ever made anew. Compiled, since a step takes a microsecond.
"""

from __future__ import annotations

import numpy as np

from ltc.lattices.kernels.parallel import compiled, inlined

__all__ = ["descend", "moments", "nearest_integers", "reduce_basis"]

# Lovasz's condition: how much shorter than its predecessor's a projection may be.
_DELTA = 0.99


@inlined
def _nearest(lower, cube, z, step, distance, residual, y):  # type: ignore[no-untyped-def]
    """Schnorr-Euchner search (Agrell, Eriksson, Vardy & Zeger 2002) for the vector ``cube @ lower``.

    ``y`` becomes ``cube`` minus the integers of the nearest point, and the error is ``y @ lower``; the squared error is
    the value. The other arguments are scratch: [n], but distance [n + 1] and residual [n + 1, n].
    """
    n = len(lower)
    for c in range(n):
        total = 0.0
        for r in range(c, n):
            total += cube[r] * lower[r, c]
        residual[n, c] = total
    distance[n] = 0.0
    best = np.inf
    i = n - 1
    center = residual[n, i] / lower[i, i]
    z[i] = np.rint(center)
    step[i] = 1.0 if center >= z[i] else -1.0
    while True:
        gap = residual[i + 1, i] - z[i] * lower[i, i]
        total = distance[i + 1] + gap * gap
        if total < best:
            if i > 0:
                distance[i] = total
                for c in range(i):
                    residual[i, c] = residual[i + 1, c] - z[i] * lower[i, c]
                i -= 1
                center = residual[i + 1, i] / lower[i, i]
                z[i] = np.rint(center)
                step[i] = 1.0 if center >= z[i] else -1.0
                continue
            best = total
            for c in range(n):
                y[c] = cube[c] - z[c]
        else:
            if i == n - 1:
                break
            i += 1
        # The next nearest integer at this level: zigzag around the center.
        z[i] += step[i]
        step[i] = -step[i] - (1.0 if step[i] > 0 else -1.0)
    return best


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


@inlined
def _reduce(lower):  # type: ignore[no-untyped-def]
    """Lenstra-Lenstra-Lovasz reduction in place; the lattice turns with it."""
    n, k = len(lower), 1
    while k < n:
        for j in range(k - 1, -1, -1):
            factor = np.rint(lower[k, j] / lower[j, j])
            if factor != 0:
                for c in range(j + 1):
                    lower[k, c] -= factor * lower[j, c]
        if lower[k, k] ** 2 + lower[k, k - 1] ** 2 >= _DELTA * lower[k - 1, k - 1] ** 2:
            k += 1
            continue
        for c in range(k + 1):
            lower[k, c], lower[k - 1, c] = lower[k - 1, c], lower[k, c]
        # Row k - 1 now reaches column k: turn the two columns until it does not.
        length = np.sqrt(lower[k - 1, k - 1] ** 2 + lower[k - 1, k] ** 2)
        cosine, sine = lower[k - 1, k - 1] / length, lower[k - 1, k] / length
        for r in range(k - 1, n):
            one, two = lower[r, k - 1], lower[r, k]
            lower[r, k - 1] = cosine * one + sine * two
            lower[r, k] = cosine * two - sine * one
        lower[k - 1, k] = 0.0
        if lower[k, k] < 0:
            for r in range(k, n):
                lower[r, k] = -lower[r, k]
        k = max(k - 1, 1)


@compiled
def reduce_basis(lower):  # type: ignore[no-untyped-def]
    """LLL reduction of a lower triangular basis in place; the lattice turns with it."""
    _reduce(lower)


@compiled
def nearest_integers(start, stop, lower, coordinates, found):  # type: ignore[no-untyped-def]
    """The nearest points of rows ``coordinates @ lower``.

    Args:
        start: first row.
        stop: row after the last.
        lower: lower triangular basis [n, n].
        coordinates: [count, n].
        found: out, the points' integers [count, n].
    """
    n = len(lower)
    z, step, y, distance = np.empty(n), np.empty(n), np.empty(n), np.empty(n + 1)
    residual = np.empty((n + 1, n))
    for row in range(start, stop):
        _nearest(lower, coordinates[row], z, step, distance, residual, y)
        for i in range(n):
            found[row, i] = np.rint(coordinates[row, i] - y[i])


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
        squares[row] = _nearest(lower, cubes[row], z, step, distance, residual, y)
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
    residual = np.empty((n + 1, n))
    mean = 0.0
    for t in range(len(cubes)):
        square = _nearest(lower, cubes[t], z, step, distance, residual, y)
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
            _reduce(lower)
        for i in range(n):
            for j in range(i + 1):
                total[i, j] += lower[i, j]
    moment[0] = mean / (n * len(cubes))
