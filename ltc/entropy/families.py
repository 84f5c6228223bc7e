"""The positive functions f_i that a product-form prior is made of: mixtures, one for each coordinate.

Any positive f_i gives an exact probability on a lattice once it is normalized there; what matters is how close
their product can come to the true one. On a Gaussian source Gaussian mixtures reach the theory's gap, logistic ones
lose 0.015 bit in 8 dimensions.
"""

from __future__ import annotations

import abc
import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["Family", "GaussianMixture", "LaplaceMixture", "LogisticMixture"]


class Family(nn.Module, abc.ABC):
    """A mixture of location-scale densities for each of ``dim`` coordinates.

    Args:
        dim: number of coordinates.
        components: mixture components for each coordinate.
        scale: initial scale, the same order as the latents' standard deviation.

    Subclasses give the standard density and the mass of a cell with its derivatives; masses are evaluated in float64,
    since that happens on small tables and tails matter.
    """

    # The scale at which tails are about as short as a standard Gaussian's.
    like_gaussian: float
    # |t - mean| beyond this many scales carries less than 1e-15 of a component.
    reach: float

    def __init__(self, dim: int, components: int = 3, scale: float = 1.0) -> None:
        super().__init__()
        if components < 1 or not scale > 0:
            raise ValueError(f"A mixture has components >= 1 and scale > 0, got {components} and {scale}.")
        self.dim, self.components = dim, components
        # Scales a factor 2 apart, so that the components differ from the first step on.
        spread = torch.arange(components, dtype=torch.float32) - (components - 1) / 2
        self.weight = nn.Parameter(torch.zeros(components, dim))
        self.mean = nn.Parameter(torch.zeros(components, dim))
        self.log_scale = nn.Parameter((math.log(scale) + spread * math.log(2))[:, None].repeat(1, dim))

    def log_mass(self, t: Tensor, width: Tensor, which: Tensor | None = None) -> Tensor:
        """log of the mass of [t - width/2, t + width/2]: float64 [..., m].

        Args:
            t: [..., m].
            width: [m].
            which: [m], the coordinates whose functions these are; all of them in order by default.
        """
        return self.log_mass_and_slope(t, width, which)[0]

    def log_mass_and_slope(
        self, t: Tensor, width: Tensor, which: Tensor | None = None, least: float = 0.0
    ) -> tuple[Tensor, Tensor]:
        """``log_mass``, and its derivative by ``t`` as a constant: float64 [..., m] each.

        Args:
            t: [..., m].
            width: [m].
            which: as in ``log_mass``.
            least: components that are narrower than a Gaussian of this scale count as having its width.
        """
        log_scale = self.log_scale
        if least > 0:
            log_scale = _AtLeast.apply(log_scale, math.log(least * self.like_gaussian))
        parts: list[Tensor] = [F.log_softmax(self.weight.double(), dim=0), self.mean, log_scale]
        if which is not None:
            parts = self._gather(which, parts)
        return _MixtureLogMass.apply(t.double(), *parts, width.double(), self)

    def _gather(self, which: Tensor, parts: list[Tensor]) -> list[Tensor]:
        """Parameters of coordinates by their functions' numbers."""
        # All of them in order need no copy.
        return parts if len(which) == self.dim else [part.index_select(1, which) for part in parts]

    def which(self, dim: int, run: int = 1) -> Tensor:
        """The function of each of ``dim`` coordinates: number ``i // run``, modulo how many there are; int64 [dim].

        Raises:
            ValueError: if the functions do not make up so many coordinates.
        """
        if run < 1 or dim % (self.dim * run):
            raise ValueError(f"{self.dim} functions in runs of {run} do not make up {dim} coordinates.")
        return torch.arange(dim) // run % self.dim

    def log_box_mass(self, y: Tensor, width: float, which: Tensor) -> Tensor:
        """log of the mass of a cube of this width around vectors [..., m]: [...], in the dtype of ``y``."""
        cell = torch.full(which.shape, width, dtype=torch.float64, device=which.device)
        return self.log_mass(y, cell, which).sum(-1).to(y.dtype)

    def log_density(self, t: Tensor, which: Tensor | None = None) -> Tensor:
        """log of the mixture's density: t [..., m] -> [..., m], in the dtype of ``t``; ``which`` as for the mass."""
        parts = [self.weight.to(t), self.mean.to(t), self.log_scale.to(t)]
        weight, mean, log_scale = parts if which is None else self._gather(which, parts)
        center = (t[..., None, :] - mean) / log_scale.exp()
        log_weight = F.log_softmax(weight, dim=0)
        return torch.logsumexp(log_weight + self.standard_log_density(center) - log_scale, dim=-2)

    @torch.no_grad()
    def rescale(self, factor: float) -> None:
        """Makes this the family of ``factor`` times the variable."""
        self.mean.mul_(factor)
        self.log_scale.add_(math.log(factor))

    @torch.no_grad()
    def permute(self, order: Tensor) -> None:
        """Makes function ``order[i]`` number i; ``order`` is int64 [dim].

        Raises:
            ValueError: if the order is one of another number of functions.
        """
        if len(order) != self.dim:
            raise ValueError(f"{self.dim} functions cannot be put into an order of {len(order)}.")
        for parameter in (self.weight, self.mean, self.log_scale):
            parameter.copy_(parameter[:, order])

    def support(self) -> Tensor:
        """[dim]: the mass outside [-support, support] is negligible (below 1e-15)."""
        return (self.mean.abs() + self.reach * self.log_scale.exp()).amax(0).detach()

    @staticmethod
    @abc.abstractmethod
    def standard_log_density(x: Tensor) -> Tensor:
        """log density of the standard member."""

    @staticmethod
    @abc.abstractmethod
    def standard_log_mass(center: Tensor, half: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """log mass of [center - half, center + half] under the standard member, accurate in both tails.

        Returns:
            The log mass, its derivative by ``center``, its derivative by ``half``.
        """


class _AtLeast(torch.autograd.Function):
    """``x.clamp(min=bound)``, but what lies below can be drawn upwards; the derivative of clamp would keep it there."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, bound: float) -> Tensor:
        ctx.save_for_backward(x >= bound)
        return x.clamp(min=bound)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (inside,) = ctx.saved_tensors
        return gradient * (inside | (gradient < 0)), None


class _MixtureLogMass(torch.autograd.Function):
    """The log mass of a mixture's cells with closed-form derivatives: a training step's table costs no graph."""

    @staticmethod
    def forward(
        ctx: Any, t: Tensor, log_weight: Tensor, mean: Tensor, log_scale: Tensor, width: Tensor, family: Family
    ) -> tuple[Tensor, Tensor]:
        scale = log_scale.double().exp()
        center = (t[..., None, :] - mean) / scale
        half = width / (2 * scale)
        log_mass, by_center, by_half = family.standard_log_mass(center, half)
        joint = log_mass + log_weight
        total = torch.logsumexp(joint, dim=-2)
        share = torch.exp(joint - total[..., None, :])
        by_t = share * by_center / scale
        slope = by_t.sum(-2)
        by_log_scale = -share * (by_center * center + by_half * half)
        ctx.save_for_backward(slope, share, by_t, by_log_scale)
        ctx.dtype = mean.dtype
        ctx.mark_non_differentiable(slope)
        return total, slope

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:
        slope, share, by_t, by_log_scale = ctx.saved_tensors
        over = tuple(range(gradient.ndim - 1))
        outer = gradient[..., None, :]
        return (
            gradient * slope if ctx.needs_input_grad[0] else None,
            (outer * share).sum(over),
            -(outer * by_t).sum(over).to(ctx.dtype),
            (outer * by_log_scale).sum(over).to(ctx.dtype),
            None,
            None,
        )


class GaussianMixture(Family):
    """f_i is the cell mass of a Gaussian mixture: the default."""

    like_gaussian = 1.0
    reach = 9.0

    @staticmethod
    def standard_log_density(x: Tensor) -> Tensor:
        return -0.5 * x.square() - 0.5 * math.log(2 * math.pi)

    @staticmethod
    def standard_log_mass(center: Tensor, half: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        # In the lower tail log Phi is accurate and never saturates; the law is symmetric.
        low = -center.abs()
        inner, outer = low + half, low - half
        upper, lower = torch.special.log_ndtr(inner), torch.special.log_ndtr(outer)
        log_mass = upper + torch.log(-torch.expm1(lower - upper))
        constant = log_mass + 0.5 * math.log(2 * math.pi)
        at_inner = torch.exp(-0.5 * inner.square() - constant)
        at_outer = torch.exp(-0.5 * outer.square() - constant)
        return log_mass, center.sign() * (at_outer - at_inner), at_inner + at_outer


class LogisticMixture(Family):
    """f_i is the cell mass of a logistic mixture."""

    like_gaussian = 0.33
    reach = 36.0

    @staticmethod
    def standard_log_density(x: Tensor) -> Tensor:
        return F.logsigmoid(x) + F.logsigmoid(-x)

    @staticmethod
    def standard_log_mass(center: Tensor, half: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        # sigmoid(c + h) - sigmoid(c - h) = sigmoid(c + h) sigmoid(h - c) (1 - exp(-2 h))
        right, left = center + half, half - center
        log_mass = F.logsigmoid(right) + F.logsigmoid(left) + torch.log(-torch.expm1(-2 * half))
        by_right, by_left = torch.sigmoid(-right), torch.sigmoid(-left)
        return log_mass, by_right - by_left, by_right + by_left + 2 / torch.expm1(2 * half)


class LaplaceMixture(Family):
    """f_i is the cell mass of a Laplace mixture, for peaked latents."""

    like_gaussian = 0.3
    reach = 36.0

    @staticmethod
    def standard_log_density(x: Tensor) -> Tensor:
        return -x.abs() - math.log(2)

    @staticmethod
    def standard_log_mass(center: Tensor, half: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        # The cell reaches over the peak, mass 1 - (e^(low-h) + e^-(low+h)) / 2, or is a difference of tails.
        low = -center.abs()
        over = low + half > 0
        outer, inner = torch.exp(low - half), torch.exp(-(low + half).clamp(min=0))
        peak = 1 - 0.5 * (outer + inner)
        tail = low - math.log(2) + half + torch.log(-torch.expm1(-2 * half))
        log_mass = torch.where(over, torch.log(peak), tail)
        by_low = torch.where(over, 0.5 * (inner - outer) / peak, 1.0)
        by_half = torch.where(over, 0.5 * (inner + outer) / peak, 1 + 2 / torch.expm1(2 * half))
        return log_mass, -center.sign() * by_low, by_half
