"""The exact conditional prior of lattices with a trellis, and of trellis codes: a normalization for each vector."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ltc.entropy.cells import trellis_cells
from ltc.entropy.conditional_base import ConditionalPrior
from ltc.entropy.gaussian_cells import log_cell_mass
from ltc.entropy.gaussian_classes import class_sums
from ltc.lattices import Lattice, TrellisLattice
from ltc.lattices.path_sum import log_path_sum

__all__ = ["ConditionalCodePrior", "ConditionalTrellisPrior"]


class ConditionalTrellisPrior(ConditionalPrior):
    """P(k) = prod_i f_i(k_i) / Z, with f_i the mass of N(0, scale_i^2) on the cell of k_i, as wide as a step.

    As in ``ltc.entropy.TrellisPrior``, Z is the sum over all paths of the trellis of the product of the class
    sums ``S_i(r)``, which for a Gaussian have closed forms (``ltc.entropy.gaussian_classes``); here each vector has
    its own scales and so its own Z.

    Args:
        lattice: a lattice with a trellis that ends in one state.

    Raises:
        ValueError: if there is none.

    Examples:
        >>> from ltc import lattices
        >>> prior = ConditionalTrellisPrior(lattices.get("e8"))
        >>> prior.log_prob(torch.zeros(16), torch.full((16,), 0.11)).exp()
        tensor([1., 1.])
    """

    lattice: TrellisLattice
    step: Tensor

    def __init__(self, lattice: Lattice) -> None:
        super().__init__(lattice)
        if not isinstance(lattice, TrellisLattice) or lattice.is_code:
            raise ValueError(f"{lattice.name} has no trellis with one final state.")
        self.trellis = lattice.trellis
        if self.trellis.modulus == 1:
            self.group = 1  # all integers are points, and their masses sum to 1
        self.register_buffer("step", lattice.steps, persistent=False)

    def log_prob(self, points: Tensor, scales: Tensor) -> Tensor:
        self.check_points(points, scales)
        n = self.lattice.dim
        points, scales = points.unflatten(-1, (-1, n)), scales.unflatten(-1, (-1, n))
        log_f = log_cell_mass(points, scales, self.step)
        if self.group == 1:
            return log_f.flatten(-2)
        log_sums = _LogClassSums.apply(scales, self.step, self.trellis.modulus)
        return log_f.sum(-1) - log_path_sum(self.trellis, log_sums)


class ConditionalCodePrior(ConditionalPrior):
    """P(k) = prod_i f_i(k_i), with f_i the mass of N(0, scale_i^2) on the cell of k_i, two steps wide.

    In each state of a trellis code follow the k of one parity, whose cells fill the line: each factor is a probability
    by itself, of k_i given the path so far (``ltc.entropy.cells.spacing``).

    Args:
        lattice: a trellis code.
    """

    lattice: TrellisLattice
    width: Tensor

    def __init__(self, lattice: Lattice) -> None:
        super().__init__(lattice)
        if not isinstance(lattice, TrellisLattice) or not lattice.is_code:
            raise ValueError(f"{lattice.name} is no trellis code.")
        self.group = 1
        self.register_buffer("width", trellis_cells(lattice), persistent=False)

    def log_prob(self, points: Tensor, scales: Tensor) -> Tensor:
        self.check_points(points, scales)
        n = self.lattice.dim
        return log_cell_mass(points.unflatten(-1, (-1, n)), scales.unflatten(-1, (-1, n)), self.width).flatten(-2)


class _LogClassSums(torch.autograd.Function):
    """log S_i(r) of each element's scale: [..., n] -> [..., n, q]."""

    @staticmethod
    def forward(ctx: Any, scales: Tensor, step: Tensor, modulus: int) -> Tensor:
        inverse = (1 / step).to(scales.dtype)
        sums, slopes = class_sums(scales * inverse, modulus)
        # A class without mass, or with less than a rounding error, adds nothing to Z; its logarithm must be a number.
        sums = sums.clamp_(min=torch.finfo(scales.dtype).tiny)
        if ctx.needs_input_grad[0]:
            ctx.save_for_backward(slopes * inverse[:, None] / sums.clamp(min=torch.finfo(scales.dtype).eps))
        return sums.log()

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (slopes,) = ctx.saved_tensors
        return (gradient * slopes).sum(-1), None, None
