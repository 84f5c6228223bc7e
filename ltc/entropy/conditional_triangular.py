"""The exact conditional prior of lattices with a triangular generator: coordinate after coordinate."""

from __future__ import annotations

from torch import Tensor

from ltc.entropy.cells import triangular_steps, with_slope_by_width
from ltc.entropy.conditional_base import ConditionalPrior
from ltc.entropy.gaussian_cells import log_cell_mass, log_density
from ltc.lattices import Lattice

__all__ = ["ConditionalTriangularPrior"]


class ConditionalTriangularPrior(ConditionalPrior):
    """P(point) = prod_i f_i(x_i), with f_i the mass of N(0, scale_i^2) on the cell of x_i, as wide as B_ii.

    Given z_1 .. z_{i-1}, coordinate x_i of a point z B is one of ``z_i B_ii`` plus what these fixed, for an upper
    triangular B. The cells of such a line tile it: each factor is a probability by itself, as in
    ``ltc.entropy.TriangularPrior``.

    Args:
        lattice: with an upper triangular generator; a learned one is learned here, too.

    Raises:
        ValueError: if the generator is missing or not upper triangular.

    Examples:
        >>> import torch
        >>> from ltc import lattices
        >>> prior = ConditionalTriangularPrior(lattices.get("an", 3))
        >>> prior.log_prob(torch.zeros(6), torch.full((6,), 0.05)).exp()
        tensor([1., 1.])
    """

    _step: Tensor | None

    def __init__(self, lattice: Lattice) -> None:
        super().__init__(lattice)
        step = triangular_steps(lattice)
        self.register_buffer("_step", None if lattice.learns else step, persistent=False)

    def log_prob(self, points: Tensor, scales: Tensor) -> Tensor:
        self.check_points(points, scales)
        shape = (*points.shape[:-1], points.shape[-1] // self.lattice.dim, self.lattice.dim)
        points, scales = points.reshape(shape), scales.reshape(shape)
        step = triangular_steps(self.lattice) if self._step is None else self._step
        log_f = log_cell_mass(points, scales, step.detach())
        return with_slope_by_width(log_f, points, step, lambda ends: log_density(ends, scales)).sum(-1)
