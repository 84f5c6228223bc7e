"""Context networks that start where linear transform coding ends: any transforms beside a lapped one."""

from __future__ import annotations

from collections.abc import Callable

import torch
from compressai.entropy_models import EntropyBottleneck
from compressai.latent_codecs import LatentCodec
from torch import Tensor, nn

from ltc.images.networks.block_transform import BlockAnalysis, BlockSynthesis, block_basis
from ltc.images.networks.codecs import Factorized
from ltc.images.networks.context import ContextNetwork
from ltc.images.networks.gains import step_of

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
        price: the lambda whose step at high rate (``ltc.images.networks.gains.step_of``) is a latent's unit.

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
        super().__init__(N, M, context, transforms)
        step = step_of(price)
        deviations = block_basis(M, _SIDE)[1][:, None, None] / step
        one = torch.ones(1, 1, 1)
        added = nn.Sequential(self.g_a, nn.Conv2d(M, M, 1))  # whose last layer may be within a residual block
        self.g_a = _Beside(
            nn.Sequential(BlockAnalysis(M, side=_SIDE), _Times(one / step)),
            nn.Sequential(_silent(added), _Times(_PART * deviations)),
        )
        self.g_s = _Beside(
            nn.Sequential(_Times(one * step), BlockSynthesis(M, side=_SIDE)),
            nn.Sequential(_Times(1 / deviations), _silent(self.g_s), _Times(_PART * one)),
        )
        if isinstance(self.latent_codec, Factorized):
            widen(self.latent_codec.entropy_bottleneck, deviations.flatten())


class _Beside(nn.Module):
    """The sum of what two modules make."""

    def __init__(self, linear: nn.Module, network: nn.Module) -> None:
        super().__init__()
        self.linear, self.network = linear, network

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x) + self.network(x)


class _Times(nn.Module):
    """A factor for each channel [channels or 1, 1, 1], which is not learned."""

    factor: Tensor

    def __init__(self, factor: Tensor) -> None:
        super().__init__()
        self.register_buffer("factor", factor, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.factor * x


def _silent(network: nn.Module) -> nn.Module:
    """A network whose last layer is zero."""
    *_, last = (layer for layer in network.modules() if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear))
    for parameter in last.parameters():
        nn.init.zeros_(parameter)
    return network


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
