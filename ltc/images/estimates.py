"""What a network makes of a whole image, without a file: its reconstruction, and its bits by the likelihoods."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from ltc.images.padding import pad_to_multiple
from ltc.pixels import to_image, to_pixels

if TYPE_CHECKING:
    from ltc.images.networks.image_network import ImageNetwork

__all__ = ["Estimate", "bits", "estimate"]


class Estimate(NamedTuple):
    """Pixels uint8 [3, height, width], and how many bits the likelihoods say that they cost."""

    reconstruction: Tensor
    bits: float


def bits(likelihoods: dict[str, Tensor]) -> Tensor:
    """The information of each image: -log2 of its likelihoods, [batch]."""
    return sum((-values.log2().flatten(1).sum(1) for values in likelihoods.values()), torch.zeros(()))


@torch.no_grad()
def estimate(network: ImageNetwork, pixels: Tensor, latents: tuple[Tensor, Tensor | None] | None = None) -> Estimate:
    """The forward pass of a network in evaluation mode.

    Args:
        network: the network.
        pixels: uint8 [3, height, width], of any size.
        latents: y and z, to take in the place of the analysis transforms'.
    """
    height, width = pixels.shape[1:]
    if latents is None:
        latents = network.g_a(pad_to_multiple(to_image(pixels)[None], network.factor)), None
    reconstruction, likelihoods = network.measure(*latents)
    return Estimate(to_pixels(reconstruction[0, :, :height, :width]), float(bits(likelihoods)))
