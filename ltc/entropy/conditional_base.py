"""What a conditional prior is to a bottleneck: points and a scale for each of their coordinates in, probability out."""

from __future__ import annotations

import abc
from typing import Any

import torch
from torch import Tensor, nn

from ltc.entropy.families import GaussianMixture
from ltc.lattices import Lattice
from ltc.lattices.arguments import check_like, check_vectors

__all__ = ["ConditionalPrior", "log_cell_mass"]


class ConditionalPrior(nn.Module, abc.ABC):
    """Exact probabilities of lattice points under zero-mean Gaussians whose scales differ from element to element.

    A mean needs no place here: the lattice is moved along with it, ``Q(y - mean) + mean``.

    Args:
        lattice: the lattice.

    Attributes:
        group: consecutive coordinates that have one probability: n, or 1 where a coordinate's can be told apart.
    """

    group: int

    def __init__(self, lattice: Lattice) -> None:
        super().__init__()
        self.lattice, self.group = lattice, lattice.dim

    @abc.abstractmethod
    def log_prob(self, points: Tensor, scales: Tensor) -> Tensor:
        """Natural logarithm of each group's probability.

        Args:
            points: points of a product of m copies of the lattice [..., m * n].
            scales: standard deviations of their coordinates [..., m * n], positive.

        Returns:
            [..., m * n / group]; a point's is the sum of its groups'. Differentiable once by ``points`` (the slope of
            the smooth functions f_i there, for the straight-through estimator) and by ``scales``.

        Raises:
            TypeError: if something is no tensor.
            ValueError: if the last axis is no multiple of n, or the scales' shape is not that of the points.
        """

    def check_points(self, points: Tensor, scales: Tensor) -> None:
        """Makes sure that points are those of copies of the lattice, and each coordinate has a scale.

        Raises:
            TypeError: if something is no tensor.
            ValueError: if a shape does not fit.
        """
        check_vectors(points, self.lattice.dim, self, "log_prob", copies=True)
        check_like(scales, points, "scales", self, "log_prob")


def log_cell_mass(points: Tensor, scales: Tensor, width: Tensor) -> Tensor:
    """log of a Gaussian's mass on [point - width/2, point + width/2], accurate in both tails.

    Args:
        points: centres of the cells [...].
        scales: standard deviations [...].
        width: [n], broadcast against the last axis.

    Returns:
        [...], in the dtype of ``points``; differentiable once by points and scales.
    """
    return _LogCellMass.apply(points, scales, width)


class _LogCellMass(torch.autograd.Function):
    """Evaluated in float64, where a narrow cell's mass loses no digits; its closed-form derivatives are kept."""

    @staticmethod
    def forward(ctx: Any, points: Tensor, scales: Tensor, width: Tensor) -> Tensor:
        inverse = 1 / scales.double()
        center, half = points.double() * inverse, 0.5 * width.double() * inverse
        log_mass, by_center, by_half = GaussianMixture.standard_log_mass(center, half)
        if any(ctx.needs_input_grad):
            by_scale = (by_center * center + by_half * half) * -inverse
            ctx.save_for_backward((by_center * inverse).to(points.dtype), by_scale.to(scales.dtype))
        return log_mass.to(points.dtype)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        by_point, by_scale = ctx.saved_tensors
        return gradient * by_point, gradient * by_scale, None
