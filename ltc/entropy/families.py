"""The positive functions f_i that a product-form prior is made of: mixtures, one for each coordinate.

Any positive f_i gives an exact probability on a lattice once it is normalized there; what matters is how close
their product can come to the true one. On a Gaussian source Gaussian mixtures reach the theory's gap, logistic ones
lose 0.015 bit in 8 dimensions.
"""

from __future__ import annotations

import abc
import math

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

    Subclasses give the standard density and distribution function; evaluation is in float64, since it happens on
    small tables and tails matter.
    """

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

    def log_mass(self, t: Tensor, width: Tensor) -> Tensor:
        """log of the mass of [t - width/2, t + width/2]: t [..., dim], width [dim] -> float64 [..., dim]."""
        scale = self.log_scale.double().exp()
        center = (t.double()[..., None, :] - self.mean.double()) / scale
        half = width.double() / (2 * scale)
        return torch.logsumexp(self._log_weight() + self.standard_log_mass(center, half), dim=-2)

    def log_density(self, t: Tensor) -> Tensor:
        """log of the mixture's density: t [..., dim] -> [..., dim], in the dtype of ``t``."""
        log_scale = self.log_scale.to(t)
        center = (t[..., None, :] - self.mean.to(t)) / log_scale.exp()
        return torch.logsumexp(self._log_weight().to(t) + self.standard_log_density(center) - log_scale, dim=-2)

    def support(self) -> Tensor:
        """[dim]: the mass outside [-support, support] is negligible (below 1e-15)."""
        return (self.mean.abs() + self.reach * self.log_scale.exp()).amax(0).detach()

    def _log_weight(self) -> Tensor:
        return F.log_softmax(self.weight.double(), dim=0)

    @staticmethod
    @abc.abstractmethod
    def standard_log_density(x: Tensor) -> Tensor:
        """log density of the standard member."""

    @staticmethod
    @abc.abstractmethod
    def standard_log_mass(center: Tensor, half: Tensor) -> Tensor:
        """log mass of [center - half, center + half] under the standard member, accurate in both tails."""


class GaussianMixture(Family):
    """f_i is the cell mass of a Gaussian mixture: the default."""

    reach = 9.0

    @staticmethod
    def standard_log_density(x: Tensor) -> Tensor:
        return -0.5 * x.square() - 0.5 * math.log(2 * math.pi)

    @staticmethod
    def standard_log_mass(center: Tensor, half: Tensor) -> Tensor:
        # In the lower tail log Phi is accurate and never saturates; the law is symmetric.
        low = -center.abs()
        upper, lower = torch.special.log_ndtr(low + half), torch.special.log_ndtr(low - half)
        return upper + torch.log(-torch.expm1(lower - upper))


class LogisticMixture(Family):
    """f_i is the cell mass of a logistic mixture."""

    reach = 36.0

    @staticmethod
    def standard_log_density(x: Tensor) -> Tensor:
        return F.logsigmoid(x) + F.logsigmoid(-x)

    @staticmethod
    def standard_log_mass(center: Tensor, half: Tensor) -> Tensor:
        # sigmoid(c + h) - sigmoid(c - h) = sigmoid(c + h) sigmoid(h - c) (1 - exp(-2 h))
        return F.logsigmoid(center + half) + F.logsigmoid(half - center) + torch.log(-torch.expm1(-2 * half))


class LaplaceMixture(Family):
    """f_i is the cell mass of a Laplace mixture, for peaked latents."""

    reach = 36.0

    @staticmethod
    def standard_log_density(x: Tensor) -> Tensor:
        return -x.abs() - math.log(2)

    @staticmethod
    def standard_log_mass(center: Tensor, half: Tensor) -> Tensor:
        low = -center.abs()
        # The cell reaches over the peak, or not: 1 - (e^(low-h) + e^-(low+h)) / 2, or a difference of tails.
        # Each branch is clamped where the other holds, so that no gradient is NaN.
        over = low + half > 0
        peak = 1 - 0.5 * (torch.exp(low - half) + torch.exp(-(low + half).clamp(min=0)))
        tail = low - math.log(2) + torch.where(over, 0.0, half) + torch.log(-torch.expm1(-2 * half))
        return torch.where(over, torch.log(torch.where(over, peak, 1.0)), tail)
