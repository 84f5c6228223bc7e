"""A_n: the root lattice of the simplex, the integer vectors of R^(n+1) that sum to zero."""

from __future__ import annotations

import torch
from torch import Tensor

from ltc.lattices.lattice import Lattice
from ltc.lattices.registry import register

__all__ = ["RootLatticeA"]


@register("an", dim=2, fixed=False)
class RootLatticeA(Lattice):
    """A_n in n coordinates, at unit volume.

    The nearest point is found in the hyperplane of R^(n+1): round, then give the excess of the sum back to the
    coordinates whose rounding error was largest (Conway & Sloane 1982, section III). The hyperplane's
    coordinates are those of a triangular generator, so that the locally normalized prior applies to it.

    G(A_n) = (n+1)^(-1/n) (1/12 + 1/(6(n+1))) (Conway & Sloane 1982, equation 20).
    """

    name = "an"

    def __init__(self, dim: int) -> None:
        self.dim = dim
        self.nsm = (dim + 1) ** (-1 / dim) * (1 / 12 + 1 / (6 * (dim + 1)))
        roots = torch.eye(dim, dim + 1, dtype=torch.float64) - torch.eye(dim, dim + 1, dtype=torch.float64).roll(1, 1)
        # roots = triangular @ frame, with orthonormal rows in ``frame``; turned round to be upper triangular.
        q, r = torch.linalg.qr(roots.T)
        sign = torch.sign(torch.diagonal(r))
        self._scale = float((dim + 1) ** (-1 / (2 * dim)))  # det(A_n) = n + 1
        self._frame = (q * sign).T.flip(0)
        self.generator = (r * sign[:, None]).T.flip(0, 1) * self._scale

    def nearest(self, x: Tensor) -> Tensor:
        frame = self._frame.to(x) / self._scale
        y = x @ frame
        rounded = torch.round(y)
        excess = rounded.sum(-1, keepdim=True)
        # Rank 0 is the coordinate that rounding raised most.
        rank = (y - rounded).argsort(-1).argsort(-1)
        lower = (rank < excess).to(x)
        raised = (rank >= self.dim + 1 + excess).to(x)
        return (rounded - lower + raised) @ (self._frame.to(x).T * self._scale)
