"""Masses of an entropy bottleneck's learned densities, one for each channel, on cells of any width."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from ltc.coding.conditional_model import distinct_steps
from ltc.entropy.cells import spacing
from ltc.entropy.trellis_sums import table_integers, table_radius
from ltc.lattices import TrellisLattice

__all__ = ["log_masses", "log_sigmoid_difference", "mass_tables", "reach"]

# Mass of a tail that may be left out.
_TAIL = 1e-8


def log_sigmoid_difference(upper: Tensor, lower: Tensor) -> Tensor:
    """log(sigmoid(upper) - sigmoid(lower)), also where both are nearly 0 or 1."""
    return F.logsigmoid(upper) + F.logsigmoid(-lower) + torch.log(-torch.expm1((lower - upper).clamp(max=-1e-12)))


def log_masses(bottleneck: Any, x: Tensor, width: Tensor, channels: Tensor | None = None) -> Tensor:
    """log masses of the channels' densities on cells around median + x, differentiable by x and width.

    Args:
        bottleneck: CompressAI's, or one of its kind.
        x: [channels, values].
        width: of the cells [values] or [channels, 1].
        channels: which channels the rows belong to; all, in their order, by default.

    Returns:
        [channels, values].
    """
    at = x
    if channels is not None:  # the densities are evaluated of all channels, or of none
        at = x.new_zeros(bottleneck.channels, x.shape[1]).index_copy(0, channels, x)
        width = width.new_ones(bottleneck.channels, 1).index_copy(0, channels, width)
    at = (at + bottleneck._get_medians().detach()[:, 0])[:, None]
    width = width if width.ndim == 1 else width[:, None]
    lower, upper = (
        bottleneck._logits_cumulative(edge, stop_gradient=False)[:, 0] for edge in (at - width / 2, at + width / 2)
    )
    log_mass = log_sigmoid_difference(upper, lower)
    return log_mass if channels is None else log_mass.index_select(0, channels)


def mass_tables(bottleneck: Any, lattice: TrellisLattice) -> tuple[Tensor, Tensor | None, int]:
    """log masses of the integers -radius, -radius + 1, … under each channel's density, and their slopes.

    Args:
        bottleneck: CompressAI's, or one of its kind.
        lattice: whose steps and modulus they are made for.

    Returns:
        [kinds of steps, channels, integers], twice, the slopes only where gradients are taken (in inference mode
        there is no derivative to be had); the radius, a multiple of q, as the number of integers is.
    """
    q, steps = lattice.trellis.modulus, torch.from_numpy(distinct_steps(lattice)[0]).to(bottleneck.quantiles)
    medians = bottleneck.quantiles[:, 0, 1].detach()
    need = math.ceil(reach(bottleneck) / float(steps.min())) + 1
    radius = table_radius(need, q)
    k = table_integers(radius, q, medians.device)
    at = medians[:, None, None, None] + steps[:, None] * k  # [channels, 1, kinds, integers]
    width = steps[:, None] * spacing(lattice)
    learning = torch.is_grad_enabled()
    at.requires_grad_(learning)
    lower, upper = (
        bottleneck._logits_cumulative(edge.flatten(2), stop_gradient=False).reshape(at.shape)
        for edge in (at - width / 2, at + width / 2)
    )
    log_mass = log_sigmoid_difference(upper, lower)
    slope = None
    if learning:
        (slope,) = torch.autograd.grad(log_mass.sum(), at, retain_graph=True)
        slope = slope[:, 0].transpose(0, 1)
    return log_mass[:, 0].transpose(0, 1), slope, radius


@torch.no_grad()
def reach(bottleneck: Any) -> float:
    """So far from its median no channel's density has mass; the quantiles may not have been learned."""
    far = 2.0 ** torch.arange(2, 13, device=bottleneck.quantiles.device)
    at = bottleneck._get_medians() + torch.cat([-far, far])
    logits = bottleneck._logits_cumulative(at, stop_gradient=True)[:, 0].unflatten(-1, (2, -1))
    tails = torch.maximum(torch.sigmoid(logits[:, 0]), torch.sigmoid(-logits[:, 1])).amax(0)
    return float(far[torch.cat([tails[:-1], tails.new_zeros(1)]).lt(_TAIL).int().argmax()])
