"""What a network makes of a whole image, without a file: its reconstruction, and its bits by the likelihoods."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from ltc.images.padding import pad_to_multiple
from ltc.images.quality import bits
from ltc.pixels import to_image, to_pixels

if TYPE_CHECKING:
    from ltc.images.networks.image_network import ImageNetwork
    from ltc.images.networks.passes import Latents
    from ltc.images.refinement import Refinement

__all__ = ["Estimate", "estimate"]


class Estimate(NamedTuple):
    """What a network makes of an image.

    Attributes:
        reconstruction: pixels, uint8 [3, height, width].
        bits: how many the likelihoods say that they cost.
        latents: y and z that a search has found for it; None for those of the analysis transforms.
        search_seconds: how long the search took.
    """

    reconstruction: Tensor
    bits: float
    latents: tuple[Latents, Tensor | None] | None = None
    search_seconds: float = 0.0


@torch.no_grad()
def estimate(network: ImageNetwork, pixels: Tensor, search: Refinement | None = None) -> Estimate:
    """The forward pass of a network in evaluation mode, after the encoder's search, if it has one.

    Args:
        network: the network.
        pixels: uint8 [3, height, width], of any size.
        search: finds latents in the place of the analysis transforms'.
    """
    start = time.perf_counter()
    found = None if search is None else search.of_pixels(network, pixels).latents
    seconds = 0.0 if search is None else time.perf_counter() - start
    height, width = pixels.shape[1:]
    latents = found or (network.g_a(pad_to_multiple(to_image(pixels)[None], network.factor)), None)
    reconstruction, likelihoods = network.measure(*latents)
    shown = to_pixels(reconstruction[0, :, :height, :width])
    return Estimate(shown, float(bits(likelihoods)), found, seconds)
