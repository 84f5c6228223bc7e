"""Zero-mean Gaussians of any scales: log masses on cells, and log densities."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ltc.entropy.families import GaussianMixture

__all__ = ["log_cell_mass", "log_density"]


def log_density(x: Tensor, scales: Tensor) -> Tensor:
    """log of the density of N(0, scale^2) at x: [...]."""
    return GaussianMixture.standard_log_density(x / scales) - torch.log(scales)


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
