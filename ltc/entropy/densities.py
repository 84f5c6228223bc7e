"""Densities on R^n for the Monte-Carlo rate: a product of mixtures, and zuko's normalizing flows."""

from __future__ import annotations

import abc
from collections.abc import Callable

from torch import Tensor, nn

from ltc.entropy.families import Family, GaussianMixture

__all__ = ["Density", "FactorizedDensity", "FlowDensity"]


class Density(nn.Module, abc.ABC):
    """A learned density: ``forward`` maps points [..., n] to log densities [...]."""

    @abc.abstractmethod
    def forward(self, y: Tensor) -> Tensor: ...


class FactorizedDensity(Density):
    """A product of one-dimensional mixtures.

    Args:
        dim: n.
        family: makes the mixtures from ``dim``.
    """

    def __init__(self, dim: int, family: Callable[[int], Family] = GaussianMixture) -> None:
        super().__init__()
        self.family = family(dim)

    def forward(self, y: Tensor) -> Tensor:
        return self.family.log_density(y).sum(-1)


class FlowDensity(Density):
    """One of zuko's flows.

    Args:
        dim: n.
        flow: a class of ``zuko.flows``: RealNVP (coupling), MAF, NSF.
        options: its options, e.g. ``transforms=3, hidden_features=[64, 64]``.
    """

    def __init__(self, dim: int, flow: Callable[..., nn.Module], **options: object) -> None:
        super().__init__()
        self.flow = flow(features=dim, **options)

    def forward(self, y: Tensor) -> Tensor:
        return self.flow().log_prob(y)
