"""LIC-TCM: blocks that are half transformer, half CNN, and channel-wise autoregression with attention."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from compressai.layers import (
    ResidualBlock,
    ResidualBlockUpsample,
    ResidualBlockWithStride,
    conv1x1,
    conv3x3,
    subpel_conv3x3,
)
from compressai.models import SimpleVAECompressionModel
from torch import Tensor, nn

from ltc.images.networks.image_network import ImageNetwork
from ltc.images.networks.passes import Pass
from ltc.images.networks.slices import Slices, SlicesWithHyperprior
from ltc.images.networks.windows import Windows

__all__ = ["LICTCM", "SwinAttention", "TransformerCNN", "tcm_transforms"]


class TransformerCNN(nn.Module):
    """One half of the channels through a residual block, the other through window attention, then both are mixed.

    Args:
        channels: of input and output, an even number.
        window: of the attention.
        head: channels of an attention head.
        shift: whether windows are shifted.
    """

    def __init__(self, channels: int, window: int, head: int, shift: bool) -> None:
        super().__init__()
        half = channels // 2
        self.before, self.after = conv1x1(channels, channels), conv1x1(channels, channels)
        self.convolution, self.attention = ResidualBlock(half, half), Windows(half, 1, window, head, shift)

    def forward(self, x: Tensor) -> Tensor:
        local, distant = self.before(x).chunk(2, 1)
        return x + self.after(torch.cat([self.convolution(local), self.attention(distant)], 1))


class SwinAttention(nn.Module):
    """What window attention finds, gated by what it makes of a second look: Cheng et al.'s attention with windows.

    Args:
        channels: of input and output.
        inner: of the attention, whose cost it keeps low.
        window: of the attention.
        head: channels of an attention head.
    """

    def __init__(self, channels: int, inner: int, window: int, head: int) -> None:
        super().__init__()
        self.narrow, self.widen = conv1x1(channels, inner), conv1x1(inner, channels)
        self.attention = Windows(inner, 2, window, head)
        self.content, self.gate = ResidualBlock(inner, inner), ResidualBlock(inner, inner)

    def forward(self, x: Tensor) -> Tensor:
        inner = self.narrow(x)
        gate = torch.sigmoid(self.gate(self.attention(inner)))
        return x + self.widen(self.content(inner) * gate)


class LICTCM(ImageNetwork, SimpleVAECompressionModel):
    """LIC-TCM, written from its paper.

    Reference: Liu, Sun & Katto, "Learned Image Compression with Mixed Transformer-CNN Architectures", CVPR 2023,
    arXiv:2303.14978. Its small model has N=64 (128 channels between stages), M=320, 192 hyper-latents, two blocks a
    stage, heads of 8, 16, 32 channels, windows of 8 and 4, and 5 slices.

    Args:
        N: half of the channels between stages.
        M: channels of the latents.
        hyper: channels of the hyper-latents.
        depth: blocks of each of the three stages.
        heads: channels of an attention head in each stage, divisors of N.
        window: of the transforms.
        hyper_window: of the hyper-transforms and of the entropy model's attention.
        slices: of the latents' channels.
    """

    def __init__(
        self,
        N: int = 32,
        M: int = 80,
        hyper: int = 48,
        depth: int = 2,
        heads: Sequence[int] = (8, 16, 32),
        window: int = 8,
        hyper_window: int = 4,
        slices: int = 5,
    ) -> None:
        super().__init__()
        if len(heads) != 3:
            raise ValueError(f"LIC-TCM has heads for three stages, got {list(heads)}.")
        # Each stage's heads share N channels; those of the entropy model have 16.
        if N < 1 or N % (multiple := math.lcm(16, *heads)):
            raise ValueError(
                f"LIC-TCM with heads={list(heads)} has N in multiples of {multiple}, so that heads have whole "
                f"channels; got N={N}."
            )
        self.g_a, self.g_s = tcm_transforms(2 * N, M, depth, heads, window)
        third = heads[-1]

        def stage() -> nn.Module:
            return TransformerCNN(2 * N, hyper_window, third, shift=False)

        def hyper_decoder() -> nn.Module:
            return nn.Sequential(
                ResidualBlockUpsample(hyper, 2 * N, 2),
                stage(),
                subpel_conv3x3(2 * N, M, 2),
            )

        self.latent_codec = SlicesWithHyperprior(
            Slices(M, slices, width=M, side=M, attend=lambda c: SwinAttention(c, N, hyper_window, 16)),
            hyper,
            analysis=nn.Sequential(
                ResidualBlockWithStride(M, 2 * N, 2),
                stage(),
                conv3x3(2 * N, hyper, stride=2),
            ),
            scales=hyper_decoder(),
            means=hyper_decoder(),
        )

    def code(self, coding: Pass) -> Tensor:
        codec: Any = self.latent_codec
        return codec.code(coding)


def tcm_transforms(
    N: int, M: int, depth: int = 2, heads: Sequence[int] = (8, 16, 32), window: int = 8
) -> tuple[nn.Module, nn.Module]:
    """The transforms of LIC-TCM with N channels between stages and M latents, for a `ContextNetwork`, too.

    Raises:
        ValueError: if half of the channels, which are those of the attention, are no whole number of heads.
    """
    if N % (multiple := 2 * math.lcm(*heads)):
        raise ValueError(
            f"LIC-TCM with heads={list(heads)} has channels in multiples of {multiple} between stages, not {N}."
        )

    def stage(head: int) -> list[nn.Module]:
        return [TransformerCNN(N, window, head, shift=bool(i % 2)) for i in range(depth)]

    first, second, third = heads
    analysis = nn.Sequential(
        ResidualBlockWithStride(3, N, 2),
        *stage(first),
        ResidualBlockWithStride(N, N, 2),
        *stage(second),
        ResidualBlockWithStride(N, N, 2),
        *stage(third),
        conv3x3(N, M, stride=2),
    )
    synthesis = nn.Sequential(
        ResidualBlockUpsample(M, N, 2),
        *stage(third),
        ResidualBlockUpsample(N, N, 2),
        *stage(second),
        ResidualBlockUpsample(N, N, 2),
        *stage(first),
        subpel_conv3x3(N, 3, 2),
    )
    return analysis, synthesis
