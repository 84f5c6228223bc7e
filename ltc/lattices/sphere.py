"""The sphere decoder: exact nearest point for any generator matrix, by Schnorr-Euchner enumeration.

Agrell, Eriksson, Vardy & Zeger, "Closest point search in lattices", IEEE Trans. IT 48 (2002), section III. Its cost
grows exponentially with the dimension; here it serves lattices with no better search, and as the oracle that every
other search is tested against.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ltc.lattices.kernels.parallel import run_pieces
from ltc.lattices.kernels.schnorr_euchner import nearest_integers, reduce_basis
from ltc.lattices.lattice import Lattice

__all__ = ["SphereDecoder", "lll", "lower_triangular"]

# Vectors worth a second thread.
_GRAIN = 1 << 8


class SphereDecoder(Lattice):
    """The lattice of a generator matrix, scaled to unit volume, searched exactly on the CPU in float64.

    Args:
        generator: [n, n], rows are basis vectors, nonsingular.
        name: a name.

    Raises:
        ValueError: if the matrix is not square or is singular.

    Examples:
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
        self._lower = lower_triangular(reduced)
        self._reduced, self._inverse = torch.from_numpy(reduced), torch.from_numpy(np.linalg.inv(reduced))

    def nearest(self, x: Tensor) -> Tensor:
        coordinates = (x.detach().double().cpu() @ self._inverse).numpy()
        found = np.empty(coordinates.shape, dtype=np.int64)
        run_pieces(nearest_integers, len(found), _GRAIN, self._lower, coordinates, found)
        return (torch.from_numpy(found).double() @ self._reduced).to(x)


def lower_triangular(basis: np.ndarray) -> np.ndarray:
    """The lattice of the rows of ``basis`` [n, n] turned so that its basis is lower triangular, diagonal positive."""
    _, r = np.linalg.qr(basis.T.astype(np.float64))
    return np.ascontiguousarray((r * np.sign(np.diag(r))[:, None]).T)


def lll(basis: np.ndarray) -> np.ndarray:
    """Lenstra-Lenstra-Lovasz reduction of the rows of ``basis`` [n, n]: another basis of the same lattice, float64."""
    change = np.eye(len(basis))
    reduce_basis(lower_triangular(basis), change)
    return change @ basis
