"""SwinT-ChARM: transforms of window attention alone, and channel-wise autoregression."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from compressai.models import SimpleVAECompressionModel
from torch import Tensor, nn

from ltc.images.networks.image_network import ImageNetwork
from ltc.images.networks.passes import Pass
from ltc.images.networks.slices import Slices, SlicesWithHyperprior
from ltc.images.networks.windows import Windows, merge, split

__all__ = ["SwinTChARM", "swint_transforms"]


class SwinTChARM(ImageNetwork, SimpleVAECompressionModel):
    """SwinT-ChARM, written from its paper.

    Each stage of the encoder merges patches of 2 x 2 and attends in windows; the decoder is its mirror image.

    Reference: Zhu, Yang & Cohen, "Transformer-based Transform Coding", ICLR 2022. The paper's widths are 128, 192, 256,
    320, its hyper-widths 192, 192, its depths 2, 2, 6, 2 and 5, 1, with windows of 8 and 4, heads of 32 channels and 10
    slices.

    Args:
        widths: channels after each of the four stages; the last are the latents'.
        depths: attention blocks of each stage.
        hyper_widths: channels after each of the two stages of the hyper-encoder.
        hyper_depths: attention blocks of these.
        head: channels of an attention head.
        window: of the transforms.
        hyper_window: of the hyper-transforms.
        slices: of the latents' channels.

    Raises:
        ValueError: if there are not four stages, or numbers do not divide each other as they must.
    """

    def __init__(
        self,
        widths: Sequence[int] = (48, 64, 96, 128),
        depths: Sequence[int] = (2, 2, 2, 2),
        hyper_widths: Sequence[int] = (64, 64),
        hyper_depths: Sequence[int] = (2, 1),
        head: int = 16,
        window: int = 8,
        hyper_window: int = 4,
        slices: int = 4,
    ) -> None:
        super().__init__()
        if (len(widths), len(depths), len(hyper_widths), len(hyper_depths)) != (4, 4, 2, 2):
            raise ValueError("SwinT-ChARM has four widths and depths, and two hyper_widths and hyper_depths.")
        M = widths[-1]
        self.g_a, self.g_s = _transforms(widths, depths, window, head)
        hyper = [M, *hyper_widths]
        self.latent_codec = SlicesWithHyperprior(
            Slices(M, slices, width=M, side=M),
            hyper_widths[-1],
            analysis=_encoder(hyper, hyper_depths, hyper_window, head),
            scales=_decoder(hyper, hyper_depths, hyper_window, head),
            means=_decoder(hyper, hyper_depths, hyper_window, head),
        )

    def code(self, coding: Pass) -> Tensor:
        codec: Any = self.latent_codec
        return codec.code(coding)


def swint_transforms(
    N: int, M: int, depths: Sequence[int] = (2, 2, 2, 2), window: int = 8, head: int = 16
) -> tuple[nn.Module, nn.Module]:
    """The transforms of SwinT-ChARM with N channels in each stage and M latents, for a `ContextNetwork`.

    Raises:
        ValueError: if head does not divide N and M.
    """
    return _transforms((N, N, N, M), depths, window, head)


def _transforms(widths: Sequence[int], depths: Sequence[int], window: int, head: int) -> tuple[nn.Module, nn.Module]:
    return _encoder([3, *widths], depths, window, head), _decoder([3, *widths], depths, window, head)


def _encoder(widths: Sequence[int], depths: Sequence[int], window: int, head: int) -> nn.Module:
    stages: list[nn.Module] = []
    for (inputs, outputs), depth in zip(pairwise(widths), depths, strict=True):
        stages += [merge(inputs, outputs), Windows(outputs, depth, window, head)]
    return nn.Sequential(*stages)


def _decoder(widths: Sequence[int], depths: Sequence[int], window: int, head: int) -> nn.Module:
    stages: list[nn.Module] = []
    for (outputs, inputs), depth in reversed(list(zip(pairwise(widths), depths, strict=True))):
        stages += [Windows(inputs, depth, window, head), split(inputs, outputs)]
    return nn.Sequential(*stages)
