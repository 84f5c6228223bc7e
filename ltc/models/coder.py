"""A coder: analysis transform, bottleneck, synthesis transform."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn

from ltc.models.bottleneck import Bottleneck

__all__ = ["Coder", "Coding"]


class Coding(NamedTuple):
    """What a coder makes of a batch: reconstruction [batch, ...] and bits of each block [batch]."""

    reconstruction: Tensor
    bits: Tensor


class Coder(nn.Module):
    """x -> y = g_a(x) -> the lattice point of y -> g_s(point).

    Args:
        analysis: g_a, maps a block [batch, n * source.dim] to latents [batch, latent_dim].
        bottleneck: quantizer and entropy model.
        synthesis: g_s, maps latents back.
    """

    def __init__(self, analysis: nn.Module, bottleneck: Bottleneck, synthesis: nn.Module) -> None:
        super().__init__()
        self.analysis, self.bottleneck, self.synthesis = analysis, bottleneck, synthesis

    def forward(self, x: Tensor) -> Coding:
        point, bits = self.bottleneck(self.analysis(x))
        return Coding(self.synthesis(point), bits)

    def reconstruct(self, x: Tensor) -> Tensor:
        """The reconstruction alone: no rate is computed, and a dithered coder does without its dither."""
        return self.synthesis(self.bottleneck.quantize(self.analysis(x)))
