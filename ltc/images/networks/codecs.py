"""CompressAI's latent codecs, with each vector quantized by the conditional that codes it.

CompressAI's checkerboard rounds in its own `forward`, its raster scan has its entropy coder written into it, and its
channel groups expect shapes that a Gaussian codec does not give: these are the parts that change here. Every class has
`code_shape(height, width)`, the ``shape`` that `decompress` takes for latents of a height and width.
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

from ltc.images.networks.serial import SerialCoder

__all__ = ["ChannelGroups", "Checkerboard", "Factorized", "Gaussian", "Hyperprior", "RasterScan"]


class Factorized(EntropyBottleneckLatentCodec):
    """A learned density for each channel, and no context."""

    def code_shape(self, height: int, width: int) -> Any:
        return height, width


class Gaussian(GaussianConditionalLatentCodec):
    """Gaussians whose scales and means come from outside."""

    def code_shape(self, height: int, width: int) -> Any:
        return height, width


class Hyperprior(HyperpriorLatentCodec):
    """Side information first, then latents; the hyper-latents have a quarter of their height and width."""

    def code_shape(self, height: int, width: int) -> Any:
        return {"y": self.y.code_shape(height, width), "hyper": (height // 4, width // 4)}


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

    def code_shape(self, height: int, width: int) -> Any:
        return self.context_prediction.in_channels, height, width


class ChannelGroups(ChannelGroupsLatentCodec):
    """Groups of channels one after the other; each sees those before it.

    Reference: Minnen & Singh, ICIP 2020, arXiv:2007.08739.
    """

    def decompress(self, strings: list[list[bytes]], shape: list[Any], side_params: Tensor, **_: Any) -> dict[str, Any]:
        each = len(strings) // len(self.groups)
        height, width = side_params.shape[2:]
        decoded = side_params.new_zeros(len(side_params), sum(self.groups), height, width)
        # As in `compress`, contexts are taken from slices of one tensor: the same numbers in the same layout.
        parts = decoded.split(self.groups, 1)
        for k, part in enumerate(parts):
            params = self._get_ctx_params(k, side_params, parts)
            found = self.latent_codec[f"y{k}"].decompress(strings[each * k : each * (k + 1)], shape[k], params)
            part[:] = found["y_hat"]
        return {"y_hat": decoded}

    def code_shape(self, height: int, width: int) -> Any:
        return [self.latent_codec[f"y{k}"].code_shape(height, width) for k in range(len(self.groups))]


class RasterScan(RasterScanLatentCodec):
    """One position after the other, each sees those before it.

    Reference: Minnen, Ballé & Toderici, NeurIPS 2018, arXiv:1809.02736.
    """

    def forward(self, y: Tensor, params: Tensor) -> dict[str, Any]:
        if self.training:
            return super().forward(y, params)
        y_hat, likelihoods = self._coder().quantize(y, params)
        return {"likelihoods": {"y": likelihoods}, "y_hat": y_hat}

    def compress(self, y: Tensor, ctx_params: Tensor) -> dict[str, Any]:
        coded = [self._coder().encode(*pair) for pair in zip(y.split(1), ctx_params.split(1), strict=True)]
        strings, decoded = zip(*coded, strict=True)
        return {"strings": [list(strings)], "shape": y.shape[2:], "y_hat": torch.cat(decoded)}

    def decompress(self, strings: list[list[bytes]], shape: Any, ctx_params: Tensor, **_: Any) -> dict[str, Any]:
        pairs = zip(strings[0], ctx_params.split(1), strict=True)
        return {"y_hat": torch.cat([self._coder().decode(*pair) for pair in pairs])}

    def code_shape(self, height: int, width: int) -> Any:
        return height, width

    def _coder(self) -> SerialCoder:
        return SerialCoder(self.gaussian_conditional, self.context_prediction, self.entropy_parameters)
