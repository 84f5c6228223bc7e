"""The sphere decoder: exact nearest point for any generator matrix, by Schnorr-Euchner enumeration.

Agrell, Eriksson, Vardy & Zeger, "Closest point search in lattices", IEEE Trans. IT 48 (2002), section III. Its cost
grows exponentially with the dimension; here it serves lattices with no better search, and as the oracle that every
other search is tested against.
"""

from __future__ import annotations

import numba
import numpy as np
import torch
from torch import Tensor

from ltc.lattices.lattice import Lattice

__all__ = ["SphereDecoder"]


class SphereDecoder(Lattice):
    """The lattice of a generator matrix, scaled to unit volume, searched exactly on the CPU in float64.

    Args:
        generator: [n, n], rows are basis vectors, nonsingular.
        name: a name.

    Raises:
        ValueError: if the matrix is not square or is singular.

    Example:
        >>> hexagonal = SphereDecoder([[1.0, 0.0], [0.5, 3**0.5 / 2]])
        >>> hexagonal.quantize(torch.tensor([[0.1, 0.05]]))
        tensor([[0., 0.]])
    """

    def __init__(self, generator: Tensor | list[list[float]], name: str = "generator") -> None:
        matrix = torch.as_tensor(generator, dtype=torch.float64)
        if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
            raise ValueError(f"A generator matrix is square, got shape {tuple(matrix.shape)}.")
        volume = float(torch.linalg.det(matrix).abs())
        if not volume > 0:
            raise ValueError("A generator matrix is nonsingular, got determinant 0.")
        self.name, self.dim = name, len(matrix)
        self.generator = matrix / volume ** (1 / self.dim)
        # Shorter basis vectors make the search faster and change no point.
        reduced = lll(self.generator.numpy())
        q, r = np.linalg.qr(reduced.T)
        sign = np.sign(np.diagonal(r))
        self._rotation = torch.from_numpy(q * sign)  # reduced = lower @ rotation.T
        self._lower = np.ascontiguousarray((r * sign[:, None]).T)
        self._reduced = torch.from_numpy(reduced)

    def nearest(self, x: Tensor) -> Tensor:
        rotated = (x.detach().double().cpu() @ self._rotation).numpy()
        z = torch.from_numpy(_search(self._lower, rotated)).double()
        return (z @ self._reduced).to(x)


def lll(basis: np.ndarray, delta: float = 0.99) -> np.ndarray:
    """Lenstra-Lenstra-Lovasz reduction of the rows of ``basis`` [n, n], in float64."""
    b = np.array(basis, dtype=np.float64)
    n, k = len(b), 1
    while k < n:
        # Rows are few and short: the orthogonalization is made anew after each change.
        _, r = np.linalg.qr(b.T)
        for j in reversed(range(k)):
            factor = np.rint(r[j, k] / r[j, j])
            b[k] -= factor * b[j]
            r[:, k] -= factor * r[:, j]
        if r[k, k] ** 2 >= (delta - (r[k - 1, k] / r[k - 1, k - 1]) ** 2) * r[k - 1, k - 1] ** 2:
            k += 1
        else:
            b[[k - 1, k]] = b[[k, k - 1]]
            k = max(k - 1, 1)
    return b


@numba.njit(cache=True, parallel=True)
def _search(lower, points):  # type: ignore[no-untyped-def]
    """For each point the integers z that minimize |point - z @ lower|, ``lower`` lower triangular."""
    count, n = points.shape
    found = np.zeros((count, n), np.int64)
    for p in numba.prange(count):
        z = np.zeros(n, np.int64)
        step = np.zeros(n, np.int64)
        distance = np.zeros(n + 1)
        # residual[i] is the point less what levels >= i contribute, for coordinates < i.
        residual = np.zeros((n + 1, n))
        residual[n] = points[p]
        best = np.inf
        i = n - 1
        center = residual[n, i] / lower[i, i]
        z[i] = np.int64(np.rint(center))
        step[i] = 1 if center >= z[i] else -1
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
                    z[i] = np.int64(np.rint(center))
                    step[i] = 1 if center >= z[i] else -1
                    continue
                best = total
                found[p] = z
            else:
                if i == n - 1:
                    break
                i += 1
            # The next nearest integer at this level: zigzag around the center.
            z[i] += step[i]
            step[i] = -step[i] - (1 if step[i] > 0 else -1)
        # (levels above are revisited by the same loop until none can improve)
    return found
