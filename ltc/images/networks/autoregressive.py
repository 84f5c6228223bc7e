"""Networks whose latents are coded one position after the other: mbt2018 and cheng2020-attn."""

from __future__ import annotations

from typing import Any

import torch
from compressai.models import Cheng2020Attention as _Cheng2020Attention
from compressai.models import JointAutoregressiveHierarchicalPriors as _JointAutoregressive
from torch import Tensor

from ltc.images.networks.image_network import ImageNetwork
from ltc.images.networks.serial import SerialCoder

__all__ = ["Cheng2020Attention", "JointAutoregressive"]


class _Autoregressive(_JointAutoregressive, ImageNetwork):
    """Coding by `SerialCoder`, and an evaluation that decodes as the decoder will, position after position."""

    def forward(self, x: Tensor) -> dict[str, Any]:
        if self.training:
            return super().forward(x)
        y = self.g_a(x)
        z_hat, z_likelihoods = self.entropy_bottleneck(self.h_a(y))
        side = self.h_s(z_hat)
        y_hat, y_likelihoods = self._coder().quantize(y, side)
        return {"x_hat": self.g_s(y_hat), "likelihoods": {"y": y_likelihoods, "z": z_likelihoods}}

    @torch.no_grad()
    def compress(self, x: Tensor) -> dict[str, Any]:
        y = self.g_a(x)
        z = self.h_a(y)
        z_strings = self.entropy_bottleneck.compress(z)
        side = self.h_s(self.entropy_bottleneck.decompress(z_strings, z.shape[2:]))
        pairs = zip(y.split(1), side.split(1), strict=True)
        y_strings = [self._coder().encode(y_one, side_one)[0] for y_one, side_one in pairs]
        return {"strings": [y_strings, z_strings], "shape": z.shape[2:]}

    @torch.no_grad()
    def decompress(self, strings: list[list[bytes]], shape: tuple[int, int]) -> dict[str, Any]:
        y_strings, z_strings = strings
        side = self.h_s(self.entropy_bottleneck.decompress(z_strings, shape))
        pairs = zip(y_strings, side.split(1), strict=True)
        y_hat = torch.cat([self._coder().decode(string, side_one) for string, side_one in pairs])
        return {"x_hat": self.g_s(y_hat).clamp_(0, 1)}

    def _coder(self) -> SerialCoder:
        return SerialCoder(self.gaussian_conditional, self.context_prediction, self.entropy_parameters)


class JointAutoregressive(_Autoregressive):
    """mbt2018: Minnen, Ballé & Toderici, NeurIPS 2018, arXiv:1809.02736; CompressAI's network.

    Args:
        N: channels of the transforms and of the hyper-latents.
        M: channels of the latents.
    """


class Cheng2020Attention(_Autoregressive, _Cheng2020Attention):
    """cheng2020-attn: Cheng, Sun, Takeuchi & Katto, CVPR 2020, arXiv:2001.01568; CompressAI's network, which has one
    Gaussian for each latent where the paper has three.

    Args:
        N: channels of everything.
    """
