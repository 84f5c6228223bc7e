"""A coder: analysis transform, bottleneck, synthesis transform."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from ltc.models.bottleneck import Bottleneck
from ltc.models.rd_search import RDSearch

__all__ = ["Coder", "Coding"]


class Coding(NamedTuple):
    """What a coder makes of a batch: reconstruction [batch, ...] and bits of each block [batch]."""

    reconstruction: Tensor
    bits: Tensor


class Coder(nn.Module):
    """x -> y = gain * g_a(x) -> a lattice point near y -> g_s(point / gain).

    In training the bottleneck's surrogate of quantization is used. In evaluation the point is the nearest one, or, with
    a ``search``, the one that is better for rate + lambda * distortion.

    Args:
        analysis: g_a, maps a block [batch, n * source.dim] to latents [batch, latent_dim].
        bottleneck: quantizer and entropy model.
        synthesis: g_s, maps latents back.

    Attributes:
        gain: the latents' scale relative to what the transforms learned; 1 until a calibration changes it.
        search: the rate-distortion optimal search of the encoder; None where the bottleneck has none.
    """

    gain: Tensor

    def __init__(self, analysis: nn.Module, bottleneck: Bottleneck, synthesis: nn.Module) -> None:
        super().__init__()
        self.analysis, self.bottleneck, self.synthesis = analysis, bottleneck, synthesis
        self.register_buffer("gain", torch.ones(()))
        self.search: RDSearch | None = None

    def forward(self, x: Tensor) -> Coding:
        y = self.latents(x)
        point, bits = self.bottleneck(y)
        coding = Coding(self.decode(point), bits)
        if self.training or self.search is None:
            return coding
        point = self.quantize(y)
        searched = Coding(self.decode(point), self.bottleneck.rate(point))
        return Coding(*self.search.better(x, coding, searched))

    def latents(self, x: Tensor) -> Tensor:
        """y: [batch, latent_dim]."""
        return self.gain * self.analysis(x)

    def quantize(self, y: Tensor) -> Tensor:
        """The point of each vector of latents: what the search finds, or the nearest one."""
        if self.search is None:
            return self.bottleneck.quantize(y)
        return self.bottleneck.quantize(self.search.stretch * y, float(self.search.mu), self.search.power)

    def decode(self, point: Tensor) -> Tensor:
        """The reconstruction of quantized latents."""
        return self.synthesis(point / self.gain)

    def reconstruct(self, x: Tensor) -> Tensor:
        """The reconstruction from nearest points: no rate is computed, and a dithered coder does without its dither."""
        return self.decode(self.bottleneck.quantize(self.latents(x)))
