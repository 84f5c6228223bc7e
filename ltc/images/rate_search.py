"""The trellis search for one image's latents: squared error by what the decoder makes of it, plus bits.

Where a synthesis transform is nearly linear and orthogonal, as one is that starts at a block transform, errors of
latents add up in the image: a latent's error costs its square times the energy of what the decoder makes of a unit of
it. That gain is measured at the image itself, one for each channel, by a random projection of the decoder's derivative.
With it the points of least cost are found by one trellis search for each group of latents, instead of by descent.

For rounding this is rate-distortion optimized quantization (Sullivan & Wiegand, IEEE Signal Processing Magazine 15
(1998)); for trellis codes the search of dependent quantization (Schwarz, Nguyen, Marpe & Wiegand, "Hybrid video coding
with trellis-coded quantization", DCC 2019).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from compressai.entropy_models import EntropyBottleneck, GaussianConditional
from torch import Tensor

from ltc.images.gaussian_conditional import LatticeGaussianConditional
from ltc.images.networks.passes import Estimate, Latents, Select, no_search
from ltc.images.networks.raster_scan import RasterContext

if TYPE_CHECKING:
    from ltc.images.networks.image_network import ImageNetwork

__all__ = ["cheapest_latents", "decoder_energies"]


def decoder_energies(network: ImageNetwork, y: Latents, z: Tensor | None = None, seed: int = 0) -> list[Tensor]:
    """What a unit of each latent is worth in the decoded image.

    Args:
        network: in evaluation mode, with its tables.
        y: latents of one image, or their parts in coding order.
        z: its hyper-latents; by default those that the hyper-analysis makes of y.
        seed: of the projection.

    Returns:
        For each group of latents that Gaussians code, in coding order: the mean over its positions of the squared norm
        of the decoder's derivative, pixels in [0, 1], float64 [1, channels, 1, 1]. None for latents with a learned
        density, which the search leaves as they are.

    Raises:
        ValueError: for a network that codes position after position.
    """
    with torch.inference_mode(False), torch.enable_grad():
        walk = _Leaves(y, z)
        image = network.synthesize(network.code(walk))
        if not walk.leaves:
            return []
        # The mean of the square of a random projection is the squared norm (Hutchinson 1990).
        signs = torch.randint(0, 2, image.shape, generator=torch.Generator().manual_seed(seed)).to(image) * 2 - 1
        slopes = torch.autograd.grad(image, walk.leaves, signs)
    return [slope.double().square().mean((0, 2, 3), keepdim=True) for slope in slopes]


@torch.no_grad()
def cheapest_latents(
    network: ImageNetwork, y: Latents, z: Tensor | None, energies: list[Tensor], price: float
) -> tuple[Latents, Tensor | None]:
    """The latents of least ``bits + price * squared error of the image``, by the trellis.

    Args:
        network: in evaluation mode, with its tables.
        y: latents of one image.
        z: its hyper-latents.
        energies: of ``decoder_energies``.
        price: bits for a unit of squared error, summed over the values of pixels in [0, 1].

    Returns:
        y, in parts as they will be decoded, and z; for ``ImageNetwork.measure`` and ``ImageNetwork.compress``.
    """
    walk = _Cheapest(y, z, [price * energy.clamp(min=1e-12) for energy in energies])
    network.code(walk)
    return walk.parts, walk.hyper


class _Searched(Estimate):
    """What both walks of a search share: positions one after another are not for them."""

    def positions(self, conditional: GaussianConditional, context: RasterContext) -> Tensor:
        raise no_search()


class _Leaves(_Searched):
    """Keeps what Gaussians decode as variables of their own: what context models make of them is not looked at."""

    def __init__(self, y: Latents, z: Tensor | None) -> None:
        super().__init__(y, z)
        self.leaves: list[Tensor] = []

    def _estimate(self, conditional: Any, y: Tensor, scales: Tensor, means: Tensor) -> Tensor:
        with torch.no_grad():
            decoded = conditional(y.double(), scales, means=means, training=False)[0]
        self.leaves.append(decoded.detach().clone().requires_grad_())
        return self.leaves[-1]


class _Cheapest(_Searched):
    """Takes the cheapest points in the place of the nearest ones."""

    def __init__(self, y: Latents, z: Tensor | None, weights: list[Tensor]) -> None:
        super().__init__(y, z)
        self.parts: list[Tensor] = []
        self._weights = iter(weights)

    @property
    def hyper(self) -> Tensor | None:
        """The hyper-latents that the parts were found with."""
        return self._z

    def density(self, name: str, bottleneck: EntropyBottleneck, analysis: Select) -> Tensor:
        if name == "z" and self._z is None:
            self._z = analysis(self._y.whole)
        return super().density(name, bottleneck, analysis)

    def _estimate(self, conditional: GaussianConditional, y: Tensor, scales: Tensor, means: Tensor) -> Tensor:
        weights = next(self._weights)
        if isinstance(conditional, LatticeGaussianConditional):
            found = conditional.cheapest(y.double(), scales, means, weights.expand_as(y))
        else:
            found = conditional(y.double(), scales, means=means, training=False)[0]
        self.parts.append(found)
        return found
