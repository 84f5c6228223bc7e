"""Networks with a choice of transforms, and of context models: none, checkerboard, by channels, by positions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from compressai.entropy_models import EntropyBottleneck, GaussianConditional
from compressai.latent_codecs import HyperLatentCodec, LatentCodec
from compressai.layers import GDN, CheckerboardMaskedConv2d, MaskedConv2d
from compressai.models import SimpleVAECompressionModel
from compressai.models.utils import conv, deconv
from torch import Tensor, nn

from ltc.images.networks.codecs import ChannelGroups, Checkerboard, Factorized, Gaussian, Hyperprior, RasterScan
from ltc.images.networks.image_network import ImageNetwork
from ltc.images.networks.passes import Pass

__all__ = [
    "ContextNetwork",
    "channel_context",
    "checkerboard_context",
    "factorized_context",
    "hyperprior_context",
    "raster_context",
]


class ContextNetwork(ImageNetwork, SimpleVAECompressionModel):
    """Any transforms with any latent codec: what a context model is worth, all else equal.

    The context models are those of the tables of Zhang & Wu, "Learning Optimal Lattice Vector Quantizers for End-to-end
    Neural Image Compression", NeurIPS 2024.

    Args:
        N: channels of the transforms and of the hyper-latents.
        M: channels of the latents.
        context: makes the latent codec of (N, M).
        transforms: makes the analysis and the synthesis transform of (N, M), a sixteenth of the image's height and
            width; None for those of bmshj2018-hyperprior.
    """

    def __init__(
        self,
        N: int,
        M: int,
        context: Callable[[int, int], LatentCodec],
        transforms: Callable[[int, int], tuple[nn.Module, nn.Module]] | None = None,
    ) -> None:
        super().__init__()
        self.g_a, self.g_s = (transforms or _convolutions)(N, M)
        self.latent_codec = context(N, M)
        self.factor = self.latent_codec.factor
        self.N, self.M = N, M

    def code(self, coding: Pass) -> Tensor:
        codec: Any = self.latent_codec
        return codec.code(coding)


def _convolutions(N: int, M: int) -> tuple[nn.Module, nn.Module]:
    """The transforms of bmshj2018-hyperprior."""
    analysis = nn.Sequential(conv(3, N), GDN(N), conv(N, N), GDN(N), conv(N, N), GDN(N), conv(N, M))
    inverse = [GDN(N, inverse=True) for _ in range(3)]
    return analysis, nn.Sequential(
        deconv(M, N), inverse[0], deconv(N, N), inverse[1], deconv(N, N), inverse[2], deconv(N, 3)
    )


def factorized_context(N: int, M: int) -> LatentCodec:
    """No context and no side information."""
    return Factorized(entropy_bottleneck=EntropyBottleneck(M))


def hyperprior_context(N: int, M: int) -> LatentCodec:
    """Side information alone."""
    return _with_hyperprior(N, M, Gaussian())


def checkerboard_context(N: int, M: int) -> LatentCodec:
    """Half of the positions see the other half."""
    return _with_hyperprior(
        N,
        M,
        Checkerboard(
            latent_codec={"y": Gaussian()},
            context_prediction=CheckerboardMaskedConv2d(M, 2 * M, kernel_size=5, padding=2, stride=1),
            entropy_parameters=_parameters(4 * M, 2 * M),
        ),
    )


def channel_context(N: int, M: int, groups: Sequence[int] | int = 4) -> LatentCodec:
    """Each group of channels sees those before it.

    Args:
        N: channels of the hyper-latents.
        M: channels of the latents.
        groups: how many channels each group has, or into how many equal groups M is cut.

    Raises:
        ValueError: if groups do not make M channels.
    """
    sizes = [M // groups] * groups if isinstance(groups, int) else list(groups)
    if sum(sizes) != M or min(sizes) < 1:
        raise ValueError(f"groups={groups} do not make the M={M} channels of the latents.")
    codec = ChannelGroups(
        groups=sizes,
        channel_context={f"y{k}": _neighbours(sum(sizes[:k]), 2 * sizes[k]) for k in range(1, len(sizes))},
        latent_codec={
            f"y{k}": Gaussian(entropy_parameters=_parameters(2 * M + (k > 0) * 2 * size, 2 * size))
            for k, size in enumerate(sizes)
        },
    )
    return _with_hyperprior(N, M, codec)


def raster_context(N: int, M: int) -> LatentCodec:
    """Each position sees those before it."""
    codec = RasterScan(
        gaussian_conditional=GaussianConditional(None),
        entropy_parameters=_parameters(4 * M, 2 * M),
        context_prediction=MaskedConv2d(M, 2 * M, kernel_size=5, padding=2, stride=1),
    )
    return _with_hyperprior(N, M, codec)


def _with_hyperprior(N: int, M: int, codec: LatentCodec) -> LatentCodec:
    """The hyperprior of mbt2018-mean around a codec that takes 2·M channels of side information."""
    h_a = nn.Sequential(
        conv(M, N, stride=1, kernel_size=3),
        nn.LeakyReLU(inplace=True),
        conv(N, N),
        nn.LeakyReLU(inplace=True),
        conv(N, N),
    )
    h_s = nn.Sequential(
        deconv(N, M),
        nn.LeakyReLU(inplace=True),
        deconv(M, M * 3 // 2),
        nn.LeakyReLU(inplace=True),
        conv(M * 3 // 2, M * 2, stride=1, kernel_size=3),
    )
    hyper = HyperLatentCodec(entropy_bottleneck=EntropyBottleneck(N), h_a=h_a, h_s=h_s)
    return Hyperprior(latent_codec={"y": codec, "hyper": hyper})


def _parameters(inputs: int, outputs: int) -> nn.Module:
    """Pointwise: scales and means from context and side information."""
    middle = [(2 * inputs + outputs) // 3, (inputs + 2 * outputs) // 3]
    return nn.Sequential(
        nn.Conv2d(inputs, middle[0], 1),
        nn.LeakyReLU(inplace=True),
        nn.Conv2d(middle[0], middle[1], 1),
        nn.LeakyReLU(inplace=True),
        nn.Conv2d(middle[1], outputs, 1),
    )


def _neighbours(inputs: int, outputs: int) -> nn.Module:
    """What groups of channels before say about the next one, each position with its neighbourhood."""
    middle = max(inputs, outputs)
    return nn.Sequential(
        conv(inputs, middle, kernel_size=5, stride=1),
        nn.LeakyReLU(inplace=True),
        conv(middle, outputs, kernel_size=3, stride=1),
    )
