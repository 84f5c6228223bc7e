"""The locally normalized prior: exact and codable for any lattice with a triangular generator matrix."""

from __future__ import annotations

from torch import Tensor

from ltc.entropy.cells import triangular_steps, with_slope_by_width
from ltc.entropy.entropy_model import EntropyModel
from ltc.entropy.families import Family
from ltc.lattices import Lattice

__all__ = ["TriangularPrior"]


class TriangularPrior(EntropyModel):
    """P(point) = prod_i f_i(x_i) / sum_z f_i(x_i + z B_ii), for an upper triangular generator B.

    Coordinate i of a point is ``z_i B_ii`` plus what z_1 .. z_{i-1} fixed, so that each factor is a probability of
    z_i given what came before, whatever the lattice. Here f_i(x) is a density's mass on a cell of width B_ii around x;
    the cells of a line x + z B_ii tile it, and so each of the sums is 1.

    Args:
        lattice: a lattice with a generator.
        dim: latent dimensions, a multiple of the lattice's.
        family: the f_i.
        run: coordinate i has the f of number ``i // run``, modulo how many the family has.

    Raises:
        ValueError: if the generator is missing or not upper triangular, or family and run do not fit the dimension.
    """

    _step: Tensor | None

    _which: Tensor

    def __init__(self, lattice: Lattice, dim: int, family: Family, run: int = 1) -> None:
        super().__init__(lattice, dim)
        self.family = family
        self.register_buffer("_which", family.which(dim, run), persistent=False)
        step = triangular_steps(lattice).repeat(dim // lattice.dim)
        self.register_buffer("_step", None if lattice.learns else step, persistent=False)

    @property
    def step(self) -> Tensor:
        """B_ii of each coordinate: float64 [dim]; of a learned lattice those of the moment, with their derivative."""
        if self._step is None:
            return triangular_steps(self.lattice).repeat(self.dim // self.lattice.dim)
        return self._step

    def log_mass(self, x: Tensor, width: Tensor) -> Tensor:
        """log f of each coordinate: the mass of a cell of this width around it, float64 [..., dim]."""
        return self.family.log_mass(x, width, self._which)

    def log_noisy_mass(self, y: Tensor, width: float) -> Tensor:
        return self.family.log_box_mass(y, width, self._which)

    def support(self) -> Tensor:
        return self.family.support()[self._which]

    def log_prob(self, points: Tensor, dither: Tensor | None = None) -> Tensor:
        self.check_points(points, dither)
        x = points if dither is None else points + dither
        step = self.step
        log_f = self.log_mass(x, step.detach())
        log_f = with_slope_by_width(log_f, x, step, lambda ends: self.family.log_density(ends, self._which))
        return log_f.sum(-1).to(points.dtype)
