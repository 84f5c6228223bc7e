"""The nearest point of any lattice by Schnorr-Euchner enumeration, and the reduction of a basis that makes it fast.

Everything works on a lower triangular basis (rows are basis vectors), which a swap of two vectors keeps up to one
rotation of the plane: no decomposition is ever made anew.

Agrell, Eriksson, Vardy & Zeger, "Closest point search in lattices", IEEE Trans. IT 48 (2002), section III; Lenstra,
Lenstra & Lovasz, Mathematische Annalen 261 (1982).
"""

from __future__ import annotations

import numpy as np

from ltc.lattices.kernels.compilation import compiled, inlined

__all__ = ["nearest_integers", "reduce", "reduce_basis", "search"]

# Lovasz's condition: how much shorter than its predecessor's a projection may be.
_DELTA = 0.99


@inlined
def search(lower, cube, z, step, distance, residual, y):  # type: ignore[no-untyped-def]
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
def reduce(lower, rows):  # type: ignore[no-untyped-def]
    """Lenstra-Lenstra-Lovasz reduction in place; the lattice turns with it.

    ``rows`` [n, m] is changed as the basis vectors are: the identity becomes the change of basis, m = 0 costs nothing.
    """
    n, k = len(lower), 1
    while k < n:
        for j in range(k - 1, -1, -1):
            factor = np.rint(lower[k, j] / lower[j, j])
            if factor != 0:
                for c in range(j + 1):
                    lower[k, c] -= factor * lower[j, c]
                for c in range(rows.shape[1]):
                    rows[k, c] -= factor * rows[j, c]
        if lower[k, k] ** 2 + lower[k, k - 1] ** 2 >= _DELTA * lower[k - 1, k - 1] ** 2:
            k += 1
            continue
        for c in range(k + 1):
            lower[k, c], lower[k - 1, c] = lower[k - 1, c], lower[k, c]
        for c in range(rows.shape[1]):
            rows[k, c], rows[k - 1, c] = rows[k - 1, c], rows[k, c]
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
def reduce_basis(lower, rows):  # type: ignore[no-untyped-def]
    """LLL reduction of a lower triangular basis in place; the lattice turns with it.

    Args:
        lower: [n, n].
        rows: [n, m], float64, changed as the basis vectors are; the identity becomes the change of basis.
    """
    reduce(lower, rows)


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
        search(lower, coordinates[row], z, step, distance, residual, y)
        for i in range(n):
            found[row, i] = np.rint(coordinates[row, i] - y[i])
