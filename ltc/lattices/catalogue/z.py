"""Z^n: the integers; rounding, the quantizer of nonlinear transform coding."""

from __future__ import annotations

import torch
from torch import Tensor

from ltc.lattices.registry import register
from ltc.lattices.trellis import Trellis
from ltc.lattices.trellis_lattice import TrellisLattice

__all__ = ["IntegerLattice"]


@register("z", dim=1, fixed=False)
class IntegerLattice(TrellisLattice):
    """Z^n; G = 1/12."""

    name = "z"
    nsm = 1 / 12

    def __init__(self, dim: int) -> None:
        self.dim = dim
        self.generator = torch.eye(dim, dtype=torch.float64)
        self.steps = torch.ones(dim, dtype=torch.float64)
        self.trellis = Trellis.from_checks([[0] * dim], [1])

    def nearest(self, x: Tensor) -> Tensor:
        return torch.round(x)
