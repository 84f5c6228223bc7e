"""A walk in training whose latents are those that the encoder's search will find."""

from __future__ import annotations

import torch
from compressai.entropy_models import GaussianConditional
from torch import Tensor

from ltc.images.gaussian_conditional import LatticeGaussianConditional
from ltc.images.networks.passes import Select, everything
from ltc.images.networks.relaxed import Relaxed

__all__ = ["Searched"]


class Searched(Relaxed):
    """Latents at the points of least bits + price * squared error, straight through.

    A network that has only seen nearest points mistakes what a search makes of its latents: contexts take the zeros
    that it leaves for smaller scales, and the synthesis does not know that they are too small. One that is trained with
    the search learns both.

    Args:
        y: latents [batch, channels, height, width].
        prices: bits for a unit of squared error of each latent, positive, [batch, channels, 1, 1].
    """

    def __init__(self, y: Tensor, prices: Tensor) -> None:
        super().__init__(y)
        self._prices = prices.expand_as(y)

    def gaussians(
        self, conditional: GaussianConditional, scales: Tensor, means: Tensor | None, select: Select = everything
    ) -> Tensor:
        if not isinstance(conditional, LatticeGaussianConditional):
            raise TypeError(
                "A search in training needs a lattice in the place of CompressAI's rounding: lattice=z, say."
            )
        y, scales = select(self.y), scales.clamp(min=0.0)
        with torch.no_grad():
            found = conditional.cheapest(y, scales, means, select(self._prices))
        decoded, likelihoods = conditional(y + (found - y).detach(), scales, means=means, training=True)
        self._parts.setdefault("y", []).append(likelihoods.flatten(1))
        return decoded
