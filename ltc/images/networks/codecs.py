"""CompressAI's latent codecs with a walk for an image's latents, which files and evaluation take (``code``).

Training's `forward` is CompressAI's but for the checkerboard, which rounds in its own: each vector is quantized by the
conditional that codes it. Codecs of whole networks have `factor`, pixels along each side of an image for one latent of
those with a density.
"""

from __future__ import annotations

from typing import Any

import torch
from compressai.latent_codecs import (
    ChannelGroupsLatentCodec,
    CheckerboardLatentCodec,
    EntropyBottleneckLatentCodec,
    GaussianConditionalLatentCodec,
    HyperpriorLatentCodec,
    RasterScanLatentCodec,
)
from torch import Tensor

from ltc.images.exact import Exact
from ltc.images.networks.passes import Pass, Select, everything
from ltc.images.networks.raster_scan import RasterContext

__all__ = ["ChannelGroups", "Checkerboard", "Factorized", "Gaussian", "Hyperprior", "RasterScan"]


class Factorized(EntropyBottleneckLatentCodec):
    """A learned density for each channel, and no context."""

    factor = 16

    def code(self, coding: Pass) -> Tensor:
        return coding.density("y", self.entropy_bottleneck, everything)


class Gaussian(GaussianConditionalLatentCodec):
    """Gaussians whose scales and means come from outside."""

    def code(self, side: Tensor, coding: Pass, select: Select = everything) -> Tensor:
        """The decoded latents of side information, or of context too; ``select`` is their part of all latents."""
        scales, means = self._chunk(Exact(self.entropy_parameters)(side))
        return coding.gaussians(self.gaussian_conditional, scales, means, select)


class Hyperprior(HyperpriorLatentCodec):
    """Side information first, then latents; the hyper-latents have a quarter of their height and width."""

    factor = 64

    def code(self, coding: Pass) -> Tensor:
        hyper: Any = self.hyper
        side = Exact(hyper.h_s)(coding.density("z", hyper.entropy_bottleneck, hyper.h_a))
        codec: Any = self.y
        return codec.code(side, coding)


class Checkerboard(CheckerboardLatentCodec):
    """Half of the positions first, as the black squares of a chessboard, then the others, which see them.

    Reference: He, Zheng, Sun, Wang & Qin, CVPR 2021, arXiv:2103.15306.
    """

    def forward(self, y: Tensor, side_params: Tensor) -> dict[str, Any]:
        halves, sides = self.unembed(y), self.unembed(side_params)
        decoded = [torch.zeros_like(halves[0]), torch.zeros_like(halves[1])]
        likelihoods = []
        for i in range(2):
            around = self.unembed(self.context_prediction(self.embed(torch.stack(decoded))))[i]
            # Nothing is known before the first half: its context is zero, not the convolution's bias.
            around = around * i
            out = self.latent_codec["y"](halves[i], self.entropy_parameters(self.merge(around, sides[i])))
            decoded[i] = out["y_hat"]
            likelihoods.append(out["likelihoods"]["y"])
        return {
            "likelihoods": {"y": self.embed(torch.stack(likelihoods))},
            "y_hat": self.embed(torch.stack(decoded)),
        }

    def code(self, side: Tensor, coding: Pass) -> Tensor:
        sides, codec = self.unembed(side), self.latent_codec["y"]
        decoded = [side.new_zeros(1, self.context_prediction.in_channels, *sides.shape[3:]) for _ in range(2)]
        context, parameters = Exact(self.context_prediction), Exact(self.entropy_parameters)
        for i in range(2):
            around = self.unembed(context(self.embed(torch.stack(decoded))))[i] * i
            gaussians = parameters(self.merge(around, sides[i]))
            decoded[i] = codec.code(gaussians, coding, lambda y, half=i: self.unembed(y)[half])
        return self.embed(torch.stack(decoded))


class ChannelGroups(ChannelGroupsLatentCodec):
    """Groups of channels one after the other; each sees those before it.

    Reference: Minnen & Singh, ICIP 2020, arXiv:2007.08739.
    """

    def code(self, side: Tensor, coding: Pass) -> Tensor:
        decoded: list[Tensor] = []
        for k in range(len(self.groups)):
            known = side
            if decoded:
                context = Exact(self.channel_context[f"y{k}"])(self.merge_y(*decoded))
                known = self.merge_params(context, side)
            codec: Any = self.latent_codec[f"y{k}"]
            decoded.append(codec.code(known, coding, lambda y, group=k: y.split(self.groups, 1)[group]))
        return torch.cat(decoded, 1)


class RasterScan(RasterScanLatentCodec):
    """One position after the other, each sees those before it.

    Reference: Minnen, Ballé & Toderici, NeurIPS 2018, arXiv:1809.02736.
    """

    def code(self, side: Tensor, coding: Pass) -> Tensor:
        networks = self.context_prediction, self.entropy_parameters
        return coding.positions(self.gaussian_conditional, RasterContext(side, *networks))
