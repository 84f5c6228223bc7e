"""A_n*: the dual of the root lattice of the simplex, the best known quantizer in two and three dimensions."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ltc.lattices.lattice import Lattice
from ltc.lattices.registry import register

__all__ = ["DualRootLatticeA", "permutohedron_nsm"]


def permutohedron_nsm(dim: int) -> float:
    """G(A_n*), exactly: the normalized second moment of its Voronoi cell, the permutohedron with (n+1)! vertices.

    A facet is the product of two smaller permutohedra, of orders k and m - k, at squared distance k (m - k) m / 4 from
    the center for vertices that are permutations of m = n + 1 consecutive integers; so volumes and moments follow from
    those of smaller orders, cone by cone (Conway & Sloane, SPLAG, chapter 21, section 3.F).

    Examples:
        >>> round(permutohedron_nsm(2), 6), round(permutohedron_nsm(3), 6)
        (0.080188, 0.078543)
    """
    # Of orders 1, 2, ..., m: volume, and the mean of |x|^2 over the cell.
    volumes, moments = [1.0], [0.0]
    for m in range(2, dim + 2):
        n = m - 1
        volume, moment = 0.0, 0.0
        for k in range(1, m):
            height = math.sqrt(k * (m - k) * m) / 2
            cone = math.comb(m, k) * volumes[k - 1] * volumes[m - k - 1] * height / n
            volume += cone
            # Over a cone of n dimensions with apex 0, the mean of |x|^2 is n / (n + 2) times that over its base.
            moment += cone * n / (n + 2) * (height**2 + moments[k - 1] + moments[m - k - 1])
        volumes.append(volume)
        moments.append(moment / volume)
    return moments[-1] / dim / volumes[-1] ** (2 / dim)


@register("an_dual", dim=3, fixed=False)
class DualRootLatticeA(Lattice):
    """A_n* in n coordinates, at unit volume: Z^(n+1) projected along (1, ..., 1).

    A nearest point is the projection of ``round(y + s)`` for one of the shifts s in [0, 1): as s grows, coordinates are
    rounded up one by one, those with the largest fractional part first, so n + 1 candidates are all there are
    (McKilliam, Clarkson & Quinn, "An algorithm to compute the nearest point in the lattice A_n*", IEEE Trans. IT 54
    (2008)). Sorting makes it n log n. The coordinates are those of a triangular generator, so that the locally
    normalized prior applies. A3* is D3* (``dn_dual``), which has a trellis too.
    """

    name = "an_dual"

    def __init__(self, dim: int) -> None:
        self.dim = dim
        self.nsm = permutohedron_nsm(dim)
        size = dim + 1
        # The projections of the first n unit vectors.
        projected = torch.eye(dim, size, dtype=torch.float64) - 1 / size
        # projected = triangular @ frame, with orthonormal rows in ``frame``; turned round to be upper triangular.
        q, r = torch.linalg.qr(projected.T)
        sign = torch.sign(torch.diagonal(r))
        self._scale = float(size ** (1 / (2 * dim)))  # det(A_n*) = 1 / (n + 1)
        self._frame = (q * sign).T.flip(0)
        self.generator = (r * sign[:, None]).T.flip(0, 1) * self._scale

    def nearest(self, x: Tensor) -> Tensor:
        y = x @ (self._frame.to(x) / self._scale)
        rounded = torch.round(y)
        error, order = (y - rounded).sort(-1, descending=True)
        # Candidate i rounds the first i of them up by one. Of its error d, |d - mean(d)|^2 counts.
        total = error.sum(-1, keepdim=True) - torch.arange(self.dim + 1, device=x.device, dtype=x.dtype)
        growth = (1 - 2 * error).cumsum(-1)[..., :-1]
        distance = torch.cat([torch.zeros_like(growth[..., :1]), growth], -1) - total.square() / (self.dim + 1)
        rank = order.argsort(-1)
        raised = rank < distance.argmin(-1, keepdim=True)
        return (rounded + raised.to(x)) @ (self._frame.to(x).T * self._scale)
