"""The locally normalized prior: exact and codable for any lattice with a triangular generator matrix."""

from __future__ import annotations

import torch
from torch import Tensor

from ltc.entropy.entropy_model import EntropyModel
from ltc.entropy.families import Family
from ltc.lattices import Lattice

__all__ = ["TriangularPrior"]


class TriangularPrior(EntropyModel):
    """P(point) = prod_i f_i(x_i) / sum_z f_i(x_i + z B_ii), for an upper triangular generator B.

    Coordinate i of a point is ``z_i B_ii`` plus what z_1 .. z_{i-1} fixed, so that each factor is a probability of
    z_i given what came before, whatever the lattice.

    Args:
        lattice: a lattice with a generator.
        dim: latent dimensions, a multiple of the lattice's.
        family: makes the f_i.

    Raises:
        ValueError: if the generator is missing or not upper triangular.
    """

    step: Tensor

    def __init__(self, lattice: Lattice, dim: int, family: Family) -> None:
        super().__init__(lattice, dim)
        generator = lattice.generator
        if generator is None or not torch.allclose(generator, generator.triu(), atol=1e-9):
            raise ValueError(f"{lattice.name} has no upper triangular generator matrix.")
        self.family = family
        self.register_buffer("step", generator.diagonal().abs().repeat(dim // lattice.dim), persistent=False)

    def support(self) -> Tensor:
        return self.family.support()

    def log_prob(self, points: Tensor, dither: Tensor | None = None) -> Tensor:
        x = points if dither is None else points + dither
        log_f = self.family.log_mass(x, self.step)
        # All values that coordinate i could have taken: x_i and its translates by B_ii, from the nearest to zero on.
        offset = torch.remainder(x.double(), self.step)
        radius = int((self.support() / self.step).amax()) + 2
        grid = torch.arange(-radius, radius + 1, device=x.device, dtype=torch.float64)
        others = self.family.log_mass(offset[..., None, :] + grid[:, None] * self.step, self.step)
        # A point beyond the grid counts in its own sum too, or its probability could exceed one.
        beyond = (x.detach() / self.step).floor().abs() > radius
        total = others.logsumexp(-2)
        total = torch.where(beyond, torch.logaddexp(total, log_f), total)
        return (log_f - total).sum(-1).to(points.dtype)
