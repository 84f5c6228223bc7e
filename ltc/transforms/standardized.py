"""Transforms of standardized symbols: a network sees numbers of mean 0 and variance 1, whatever the units."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ltc.transforms.fitted import Fitted

__all__ = ["Standardized", "StandardizedAnalysis", "StandardizedSynthesis"]


class Standardized(Fitted):
    """A network with the mean of each component and one scale for all: distortion weighs components alike.

    Attributes:
        mean: [components], 0 before ``fit``.
        scale: root mean square over components of the standard deviation, 1 before ``fit``.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, network: nn.Module, components: int) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("mean", torch.zeros(components))
        self.register_buffer("scale", torch.ones(()))

    def _take(self, covariance: Tensor, mean: Tensor) -> None:
        variance = float(covariance.diagonal().mean())
        self.mean.copy_(mean.repeat(len(self.mean) // len(mean)))
        self.scale.fill_(variance**0.5 if variance > 0 else 1.0)


class StandardizedAnalysis(Standardized):
    r"""$x \mapsto s f((x - m) / s)$: latents keep the source's units, so that a gain means what it means without.

    Args:
        network: f.
        components: of x.
    """

    def forward(self, x: Tensor) -> Tensor:
        """x [batch, components] to latents [batch, d]."""
        return self.scale * self.network((x - self.mean) / self.scale)


class StandardizedSynthesis(Standardized):
    r"""$y \mapsto m + s f(y / s)$.

    Args:
        network: f.
        components: of the reconstruction.
    """

    def forward(self, y: Tensor) -> Tensor:
        """Latents [batch, d] to reconstructions [batch, components]."""
        return self.mean + self.scale * self.network(y / self.scale)
