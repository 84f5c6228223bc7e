"""Context networks that start where linear transform coding ends: any transforms beside a lapped one."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from compressai.entropy_models import EntropyBottleneck
from compressai.latent_codecs import LatentCodec
from torch import Tensor, nn

from ltc.images.networks.block_transform import BlockAnalysis, BlockSynthesis, block_basis
from ltc.images.networks.codecs import Factorized
from ltc.images.networks.context import ContextNetwork

__all__ = ["BlockContextNetwork", "widen"]

# Pixels along a block's sides: the transforms have a sixteenth of the image's height and width.
_SIDE = 16

# What the networks add, in deviations of a latent and of a pixel in [0, 1].
_PART = 0.2


class BlockContextNetwork(ContextNetwork):
    """A ``ContextNetwork`` whose transforms are added to those of lapped blocks of 16 x 16, and begin at nothing.

    From random numbers it takes days to a network of 30 dB; the lapped transform of 192 latents has 31 dB on Kodak
    before the first step. So networks can be compared at rates that matter after minutes of training on a laptop. What
    their transforms have learned by then is little: comparisons are of quantizers and of context models.

    Args:
        N: channels of the transforms and of the hyper-latents.
        M: channels of the latents, up to 768.
        context: makes the latent codec of (N, M).
        transforms: makes the transforms of (N, M), as in ``ContextNetwork``.
        price: the lambda that latents are scaled for: at high rate cells of volume 3 / (2 ln 2 lambda) / 255^2 per
            coefficient of pixels in [0, 1] are the cheapest.

    Raises:
        ValueError: if there are not as many latents, or lambda is not positive.
    """

    def __init__(
        self,
        N: int,
        M: int,
        context: Callable[[int, int], LatentCodec],
        transforms: Callable[[int, int], tuple[nn.Module, nn.Module]] | None = None,
        price: float = 0.025,
    ) -> None:
        if not price > 0:
            raise ValueError(f"price is a positive lambda, got {price}.")
        super().__init__(N, M, context, transforms)
        step = (12 * 3 / (2 * math.log(2) * price)) ** 0.5 / 255
        deviations = block_basis(M, _SIDE)[1][:, None, None] / step
        one = torch.ones(1, 1, 1)
        analysis = nn.Sequential(self.g_a, nn.Conv2d(M, M, 1))  # whose last layer may be within a residual block
        self.g_a = _Beside(BlockAnalysis(M, side=_SIDE), analysis, one, 1 / (step * one), _PART * deviations)
        self.g_s = _Beside(BlockSynthesis(M, side=_SIDE), self.g_s, step * one, one, _PART * one, 1 / deviations)
        if isinstance(self.latent_codec, Factorized):
            widen(self.latent_codec.entropy_bottleneck, deviations.flatten())


class _Beside(nn.Module):
    """``after * linear(before * x) + part * network(scale * x)``, the network's last layer zero at the start."""

    before: Tensor
    after: Tensor
    part: Tensor
    scale: Tensor

    def __init__(
        self,
        linear: nn.Module,
        network: nn.Module,
        before: Tensor,
        after: Tensor,
        part: Tensor,
        scale: Tensor | None = None,
    ) -> None:
        super().__init__()
        self.linear, self.network = linear, network
        factors = {
            "before": before,
            "after": after,
            "part": part,
            "scale": torch.ones(1, 1, 1) if scale is None else scale,
        }
        for name, value in factors.items():
            self.register_buffer(name, value, persistent=False)
        layers = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)
        *_, last = (layer for layer in network.modules() if isinstance(layer, layers))
        for parameter in last.parameters():
            nn.init.zeros_(parameter)

    def forward(self, x: Tensor) -> Tensor:
        return self.after * self.linear(self.before * x) + self.part * self.network(self.scale * x)


@torch.no_grad()
def widen(bottleneck: EntropyBottleneck, scales: Tensor) -> None:
    """Lets the densities of an entropy bottleneck start at a width of each channel's own (``init_scale`` for each).

    Args:
        bottleneck: CompressAI's, as it was made.
        scales: [channels].

    Examples:
        >>> bottleneck = EntropyBottleneck(2)
        >>> widen(bottleneck, torch.tensor([10.0, 40.0]))
        >>> bottleneck.quantiles[:, 0].tolist()
        [[-10.0, 0.0, 10.0], [-40.0, 0.0, 40.0]]
    """
    each = scales.to(bottleneck.quantiles) ** (1 / len(bottleneck.matrices))
    bottleneck.quantiles[:, 0, 0], bottleneck.quantiles[:, 0, 2] = -scales, scales
    for matrix in bottleneck.matrices:
        matrix.copy_(torch.log(torch.expm1(1 / each / matrix.shape[1]))[:, None, None].expand_as(matrix))
