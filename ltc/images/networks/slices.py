"""Channel-wise autoregression with latent residual prediction, the entropy model of SwinT-ChARM and LIC-TCM."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch
from compressai.entropy_models import EntropyBottleneck, GaussianConditional
from compressai.latent_codecs import LatentCodec
from compressai.layers import conv3x3
from torch import Tensor, nn

from ltc.images.exact import Exact
from ltc.images.networks.codecs import Gaussian
from ltc.images.networks.passes import Pass

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

        def code(i: int, scales: Tensor, means: Tensor) -> Tensor:
            out = self.conditionals[i](self._part(i, y), torch.cat([scales, means], 1))
            likelihoods.append(out["likelihoods"]["y"])
            return out["y_hat"]

        y_hat = self._slices(params, code, lambda network: network, lambda values: values)
        return {"likelihoods": {"y": torch.cat(likelihoods, 1)}, "y_hat": y_hat}

    def code(self, side: Tensor, coding: Pass) -> Tensor:
        def code(i: int, scales: Tensor, means: Tensor) -> Tensor:
            conditional: Any = self.conditionals[i]
            part = functools.partial(self._part, i)
            return coding.gaussians(conditional.gaussian_conditional, scales, means, part)

        return self._slices(side, code, Exact, coding.settled)

    def _part(self, i: int, y: Tensor) -> Tensor:
        return y.split(self.size, 1)[i]

    def _slices(
        self,
        params: Tensor,
        code: Callable[[int, Tensor, Tensor], Tensor],
        network: Callable[[nn.Module], Callable[[Tensor], Tensor]],
        settled: Callable[[Tensor], Tensor],
    ) -> Tensor:
        """All slices [batch, M, height, width].

        Args:
            params: side information.
            code: ``code(i, scales, means)`` gives the quantized slice i.
            network: a network as it is to be computed.
            settled: the predictions of what quantization has taken away, as the decoder will have them.
        """
        for_scales, for_means = params.chunk(2, 1)
        decoded: list[Tensor] = []
        for i in range(self.count):
            means_from = torch.cat([for_means, *decoded], 1)
            scales = network(self.scales[i])(torch.cat([for_scales, *decoded], 1))
            y_hat = code(i, scales, network(self.means[i])(means_from))
            residual = network(self.residuals[i])(torch.cat([means_from, y_hat], 1))
            decoded.append(y_hat + settled(0.5 * torch.tanh(residual)))
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

    def code(self, coding: Pass) -> Tensor:
        z_hat = coding.density("z", self.entropy_bottleneck, self.analysis)
        return self.slices.code(torch.cat([Exact(self.scales)(z_hat), Exact(self.means)(z_hat)], 1), coding)

    def _side(self, z_hat: Tensor) -> Tensor:
        return torch.cat([self.scales(z_hat), self.means(z_hat)], 1)
