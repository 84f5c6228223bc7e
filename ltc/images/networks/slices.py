"""Channel-wise autoregression with latent residual prediction, the entropy model of SwinT-ChARM and LIC-TCM."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from compressai.entropy_models import EntropyBottleneck, GaussianConditional
from compressai.latent_codecs import LatentCodec
from compressai.layers import conv3x3
from torch import Tensor, nn

from ltc.images.networks.codecs import Gaussian

__all__ = ["Slices", "SlicesWithHyperprior"]

Attend = Callable[[int], nn.Module]


class Slices(LatentCodec):
    """Slices of channels, coded one after the other.

    The Gaussians of slice i come from side information and from the slices before it; a network of the decoded slice
    then predicts what quantization has taken away, at most half a step each way:

        y_hat_i = Q(y_i) + tanh(r_i(side, y_hat_1 … y_hat_{i-1}, Q(y_i))) / 2

    Reference: Minnen & Singh, "Channel-wise Autoregressive Entropy Models for Learned Image Compression", ICIP 2020,
    arXiv:2007.08739.

    Args:
        M: channels of the latents.
        count: slices; a divisor of M.
        width: channels inside the networks.
        side: channels of the side information for scales and of that for means, half of all each.
        attend: a module in front of each network of scales and means, made of its channels; none if not given.

    Raises:
        ValueError: if count does not divide M.
    """

    def __init__(self, M: int, count: int, width: int, side: int, attend: Attend | None = None) -> None:
        super().__init__()
        if count < 1 or M % count:
            raise ValueError(f"{count} slices do not divide the M={M} channels of the latents.")
        self.count, self.size = count, M // count

        def network(inputs: int, attended: bool) -> nn.Module:
            layers = [conv3x3(inputs, width), nn.GELU(), conv3x3(width, self.size)]
            return nn.Sequential(*([attend(inputs)] if attended and attend is not None else []), *layers)

        before = [i * self.size for i in range(count)]
        self.scales = nn.ModuleList(network(side + b, True) for b in before)
        self.means = nn.ModuleList(network(side + b, True) for b in before)
        self.residuals = nn.ModuleList(network(side + b + self.size, False) for b in before)
        self.conditionals = nn.ModuleList(Gaussian(gaussian_conditional=GaussianConditional(None)) for _ in before)

    def forward(self, y: Tensor, params: Tensor) -> dict[str, Any]:
        likelihoods: list[Tensor] = []

        def code(i: int, gaussians: Tensor) -> Tensor:
            out = self.conditionals[i](y.split(self.size, 1)[i], gaussians)
            likelihoods.append(out["likelihoods"]["y"])
            return out["y_hat"]

        y_hat = self._slices(params, code)
        return {"likelihoods": {"y": torch.cat(likelihoods, 1)}, "y_hat": y_hat}

    def compress(self, y: Tensor, params: Tensor) -> dict[str, Any]:
        strings: list[list[bytes]] = []

        def code(i: int, gaussians: Tensor) -> Tensor:
            out = self._conditional(i).compress(y.split(self.size, 1)[i], gaussians)
            strings.extend(out["strings"])
            return out["y_hat"]

        return {"y_hat": self._slices(params, code), "strings": strings, "shape": y.shape[2:]}

    def decompress(self, strings: list[list[bytes]], shape: Any, params: Tensor) -> dict[str, Any]:
        def code(i: int, gaussians: Tensor) -> Tensor:
            return self._conditional(i).decompress([strings[i]], shape, gaussians)["y_hat"]

        return {"y_hat": self._slices(params, code)}

    def code_shape(self, height: int, width: int) -> Any:
        return height, width

    def _conditional(self, i: int) -> Any:
        return self.conditionals[i]

    def _slices(self, params: Tensor, code: Callable[[int, Tensor], Tensor]) -> Tensor:
        """All slices [batch, M, height, width]; ``code(i, scales and means)`` gives slice i as it is decoded."""
        for_scales, for_means = params.chunk(2, 1)
        decoded: list[Tensor] = []
        for i in range(self.count):
            scales = self.scales[i](torch.cat([for_scales, *decoded], 1))
            means_from = torch.cat([for_means, *decoded], 1)
            y_hat = code(i, torch.cat([scales, self.means[i](means_from)], 1))
            decoded.append(y_hat + 0.5 * torch.tanh(self.residuals[i](torch.cat([means_from, y_hat], 1))))
        return torch.cat(decoded, 1)


class SlicesWithHyperprior(LatentCodec):
    """Slices whose side information is that of two hyper-decoders, one for scales and one for means.

    Args:
        slices: the codec of the latents.
        channels: of the hyper-latents.
        analysis: the hyper-encoder; a quarter of the height and width.
        scales: the hyper-decoder for scales.
        means: the hyper-decoder for means.
    """

    def __init__(self, slices: Slices, channels: int, analysis: nn.Module, scales: nn.Module, means: nn.Module) -> None:
        super().__init__()
        self.slices, self.entropy_bottleneck = slices, EntropyBottleneck(channels)
        self.analysis, self.scales, self.means = analysis, scales, means

    def forward(self, y: Tensor) -> dict[str, Any]:
        z_hat, likelihoods = self.entropy_bottleneck(self.analysis(y))
        out = self.slices(y, self._side(z_hat))
        return {"likelihoods": {"y": out["likelihoods"]["y"], "z": likelihoods}, "y_hat": out["y_hat"]}

    def compress(self, y: Tensor) -> dict[str, Any]:
        z = self.analysis(y)
        z_strings = self.entropy_bottleneck.compress(z)
        out = self.slices.compress(y, self._side(self.entropy_bottleneck.decompress(z_strings, z.shape[2:])))
        shape = {"y": out["shape"], "hyper": z.shape[2:]}
        return {"strings": [*out["strings"], z_strings], "shape": shape, "y_hat": out["y_hat"]}

    def decompress(self, strings: list[list[bytes]], shape: Any) -> dict[str, Any]:
        *y_strings, z_strings = strings
        side = self._side(self.entropy_bottleneck.decompress(z_strings, shape["hyper"]))
        return self.slices.decompress(y_strings, shape["y"], side)

    def code_shape(self, height: int, width: int) -> Any:
        return {"y": self.slices.code_shape(height, width), "hyper": (height // 4, width // 4)}

    def _side(self, z_hat: Tensor) -> Tensor:
        return torch.cat([self.scales(z_hat), self.means(z_hat)], 1)
