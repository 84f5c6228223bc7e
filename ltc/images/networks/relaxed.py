"""A walk with derivatives: what training and an encoder's descent take in the place of ``passes.Estimate``."""

from __future__ import annotations

import torch
from compressai.entropy_models import EntropyBottleneck, GaussianConditional
from torch import Tensor

from ltc.images.exact import ChosenGrids
from ltc.images.networks.passes import Pass, Select, everything, no_search
from ltc.images.networks.raster_scan import RasterContext

__all__ = ["Relaxed"]


class Relaxed(Pass):
    """Latents of any number of images as bottlenecks have them in training: with noise, or straight through.

    To be used within ``ltc.images.exact.with_derivatives``.

    Args:
        y: latents [batch, channels, height, width].
        z: hyper-latents, where they are not those that the hyper-analysis makes of y.

    Attributes:
        y: the latents.
        z: the hyper-latents; None before the walk, and where there are none.
        likelihoods: of y, and of z where there is side information: [batch, count].
    """

    def __init__(self, y: Tensor, z: Tensor | None = None) -> None:
        super().__init__(ChosenGrids())
        self.y, self.z, self._parts = y, z, dict[str, list[Tensor]]()

    @property
    def likelihoods(self) -> dict[str, Tensor]:
        return {name: torch.cat(parts, 1) for name, parts in sorted(self._parts.items())}

    def settled(self, values: Tensor) -> Tensor:
        return values

    def density(self, name: str, bottleneck: EntropyBottleneck, analysis: Select) -> Tensor:
        if name == "z" and self.z is None:
            self.z = analysis(self.y)
        decoded, likelihoods = bottleneck(self.y if self.z is None else self.z, training=True)
        self._parts.setdefault(name, []).append(likelihoods.flatten(1))
        return decoded

    def gaussians(
        self, conditional: GaussianConditional, scales: Tensor, means: Tensor | None, select: Select = everything
    ) -> Tensor:
        decoded, likelihoods = conditional(select(self.y), scales.clamp(min=0.0), means=means, training=True)
        self._parts.setdefault("y", []).append(likelihoods.flatten(1))
        return decoded

    def told(self, value: Tensor) -> Tensor:
        return value

    def positions(self, conditional: GaussianConditional, context: RasterContext) -> Tensor:
        raise no_search()
