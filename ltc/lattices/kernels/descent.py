"""Stochastic descent of a lattice's second moment, one random vector a step, and what it needs: a search, a reduction.

Everything works on a lower triangular basis (rows are basis vectors), which a swap of two vectors keeps up to one
rotation of the plane: no decomposition is ever made anew. Compiled, since a step takes a microsecond.
"""

from __future__ import annotations

import numpy as np

from ltc.lattices.kernels.parallel import compiled, inlined

__all__ = ["descend", "moments", "reduce_basis"]

# Lovasz's condition: how much shorter than its predecessor's a projection may be.
_DELTA = 0.99


@inlined
def _nearest(lower, cube, point, z, step, distance, residual, y):  # type: ignore[no-untyped-def]
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
