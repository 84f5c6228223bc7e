"""A network for a laptop and for all rates: lapped transforms, gains for lambda, and simple contexts."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import torch
from compressai.entropy_models import EntropyBottleneck, GaussianConditional
from compressai.models.utils import conv
from torch import Tensor, nn

from ltc.images.exact import Exact, with_derivatives
from ltc.images.networks.block_transform import BlockAnalysis, BlockSynthesis, block_basis
from ltc.images.networks.gains import Gains, level_of, price_of, step_of
from ltc.images.networks.image_network import ImageNetwork
from ltc.images.networks.passes import Pass
from ltc.images.networks.relaxed import Relaxed
from ltc.images.networks.squares import STAGES, joined, neighbours, stage

__all__ = ["MultirateNetwork"]

# Shares of the channels in the groups that are coded one after another, at each stage of positions.
_GROUPS = (1 / 16, 3 / 16, 1 / 4)

# Channels whose neighbours are looked at one by one, and those of the side information.
_LOW, _SIDE, _HYPER = 12, 32, 16

# What a magnitude is at least, in deviations; and how far a latent is looked at.
_LEAST, _MOST = 0.02, 8.0

# Gains are settled to so many parts of one.
_DIGITS = 2.0**12


class MultirateNetwork(ImageNetwork):
    """Transforms that start at a lapped transform of 8 x 8 blocks, and gains by which one network has all rates.

    Latents are coded in three stages of positions (``ltc.images.networks.squares``) and four groups of channels each.
    Their Gaussians come from what is known: neighbours' magnitudes, as in the contexts of JPEG 2000, the channels
    before at the same position (Minnen & Singh, ICIP 2020, arXiv:2007.08739), and a small hyperprior (Minnen, Ballé &
    Toderici, NeurIPS 2018, arXiv:1809.02736). Logarithms of magnitudes go into these networks and logarithms of scales
    come out, so that from its first step a scale follows its neighbours. All see latents in the source's units: a gain
    only says how finely they are rounded.

    Args:
        N: width of the networks within.
        M: channels of the latents, 16 to 192.
        prices: ascending lambdas of the gains; the network serves all lambdas from the first to the last.
        depth: residual blocks of either transform.

    Attributes:
        g_a: its ``level`` says where the lambda of what is coded lies among them
            (``ltc.images.networks.gains.level_of``): of one image [1], or in training of each of them [batch].

    Raises:
        ValueError: for other numbers of channels, or lambdas that do not ascend.
    """

    factor = 32
    _deviations: Tensor

    def __init__(self, N: int, M: int, prices: Sequence[float], depth: int = 2) -> None:
        super().__init__()
        prices = [float(price) for price in prices]
        if not 16 <= M <= 192:
            raise ValueError(f"M is 16 to 192 channels, got {M}.")
        if not prices or prices[0] <= 0 or sorted(set(prices)) != prices:
            raise ValueError(f"prices are positive lambdas in ascending order, got {prices}.")
        self.N, self.M, self.prices = N, M, tuple(prices)
        self.register_buffer("_deviations", block_basis(M)[1][:, None, None], persistent=False)
        steps = [step_of(price) for price in prices]
        self.g_a = _GainedAnalysis(BlockAnalysis(M, N, depth), Gains([1 / s for s in steps], M))
        self.inverse, self.g_s = Gains(steps, M), BlockSynthesis(M, N, depth)
        self.entropy_bottleneck = EntropyBottleneck(_HYPER, init_scale=2)
        self.gaussian_conditional = GaussianConditional(None)
        self.h_a = nn.Sequential(conv(M, _SIDE, 3, 1), nn.GELU(), conv(_SIDE, _SIDE), nn.GELU(), conv(_SIDE, _HYPER))
        self.h_s = nn.Sequential(_up(_HYPER, _SIDE), nn.GELU(), _up(_SIDE, _SIDE))
        sizes = [max(1, round(share * M)) for share in _GROUPS]
        self._sizes = [*sizes, M - sum(sizes)]
        self.contexts = nn.ModuleList(
            _Context(_SIDE, M if s else 0, first, size, N)
            for s in range(STAGES)
            for first, size in zip(_starts(self._sizes), self._sizes, strict=True)
        )

    def at(self, price: float) -> None:
        """Sets the rate: the lambda by which images are coded from now on.

        Raises:
            ValueError: if the network has no rates for it.
        """
        self.g_a.level = self.g_a.level.new_tensor([level_of(price, self.prices)])

    def at_random(self, count: int) -> Tensor:
        """Sets a rate for each of the images that come next, and returns their lambdas [count]."""
        self.g_a.level = torch.rand(count, device=self.g_a.level.device) * (len(self.prices) - 1)
        return price_of(self.g_a.level, self.prices)

    def forward(self, x: Tensor) -> dict[str, Any]:
        if not self.training:
            return super().forward(x)
        return self.relaxed(Relaxed(self.g_a(x)))

    def relaxed(self, coding: Relaxed) -> dict[str, Any]:
        """What training makes of latents: ``x_hat`` and ``likelihoods``, with derivatives."""
        with with_derivatives():
            y_hat = self.code(coding)
        return {"x_hat": self.g_s(y_hat), "likelihoods": coding.likelihoods}

    def code(self, coding: Pass) -> Tensor:
        level = coding.told(self.g_a.level)
        # Between latents in steps of the lattice and in their deviations.
        up = _settled(coding, Exact(self.g_a.gain)(level)) * self._deviations
        down = _settled(coding, Exact(self.inverse)(level)) / self._deviations
        z_hat = coding.density(
            "z", self.entropy_bottleneck, lambda y: self.h_a(torch.log1p((y / up.to(y)).abs() / _LEAST))
        )
        side, stages = Exact(self.h_s)(z_hat), list[Tensor]()
        for s in range(STAGES):
            around, here = _around(stages) if s else None, list[Tensor]()
            common = [stage(side, s)] if around is None else [stage(side, s), *around]
            for g, (first, size) in enumerate(zip(_starts(self._sizes), self._sizes, strict=True)):
                part = slice(first, first + size)
                context = Exact(self.contexts[s * len(self._sizes) + g])
                known = torch.cat([*common, *_before(here)], 1)
                logs, means = context(known if around is None else torch.cat([known, around[0][:, part]], 1)).chunk(
                    2, 1
                )
                scales = logs.clamp(-12.0, 5.0).exp() * up[:, part]
                select = functools.partial(_part, part=part, number=s)
                y_hat = coding.gaussians(self.gaussian_conditional, scales, means * up[:, part], select)
                here.append(y_hat * down[:, part])
            stages.append(torch.cat(here, 1))
        return joined(stages) * self._deviations


class _GainedAnalysis(nn.Module):
    """An analysis transform whose latents are in steps of the lattice."""

    level: Tensor

    def __init__(self, analysis: nn.Module, gain: Gains) -> None:
        super().__init__()
        self.analysis, self.gain = analysis, gain
        # Not saved: it belongs to what is coded, and files carry it.
        self.register_buffer("level", torch.tensor([(len(gain.logs) - 1) / 2]), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.analysis(x) * self.gain(self.level)


class _Context(nn.Module):
    """Logarithms of scales, and means, of a group of channels, in deviations.

    Args:
        side: channels of side information.
        around: channels whose neighbours are known, or 0.
        before: channels that are known at the position itself.
        size: of the group.
        width: of the network within.
    """

    def __init__(self, side: int, around: int, before: int, size: int, width: int) -> None:
        super().__init__()
        inputs = side + 2 * before + (around + 4 * min(_LOW, around))
        self.network = nn.Sequential(
            nn.Conv2d(inputs, width, 1), nn.GELU(), nn.Conv2d(width, width, 1), nn.GELU(), nn.Conv2d(width, 2 * size, 1)
        )
        # How much a scale follows its neighbours' magnitudes.
        self.follow = nn.Parameter(torch.full((size, 1, 1), 0.6)) if around else None
        with torch.no_grad():
            last: Any = self.network[-1]
            last.weight.mul_(0.1)
            last.bias.zero_()

    def forward(self, x: Tensor) -> Tensor:
        if self.follow is None:
            return self.network(x)
        known, magnitudes = x.split([x.shape[1] - len(self.follow), len(self.follow)], 1)
        logs, means = self.network(known).chunk(2, 1)
        return torch.cat([logs + self.follow * magnitudes, means], 1)


def _around(stages: Sequence[Tensor]) -> list[Tensor]:
    """Of the neighbours of a stage's positions: logarithms of their mean magnitudes, and each one's first channels."""
    found = neighbours(stages)
    mean = sum((t.abs() for t in found), torch.zeros(())) / len(found)
    return [torch.log(_LEAST + mean), *(t[:, :_LOW].clamp(-_MOST, _MOST) for t in found)]


def _before(here: Sequence[Tensor]) -> list[Tensor]:
    """Of the channels that are known at a position itself: their values, and logarithms of their magnitudes."""
    if not here:
        return []
    known = torch.cat(list(here), 1)
    return [known.clamp(-_MOST, _MOST), torch.log(_LEAST + known.abs())]


def _settled(coding: Pass, factors: Tensor) -> Tensor:
    """Gains as they are everywhere: exponentials end in other digits on another machine."""
    return coding.settled(factors * _DIGITS) / _DIGITS


def _part(y: Tensor, part: slice, number: int) -> Tensor:
    return stage(y[:, part], number)


def _starts(sizes: Sequence[int]) -> list[int]:
    return [sum(sizes[:i]) for i in range(len(sizes))]


def _up(inputs: int, outputs: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(inputs, 4 * outputs, 3, padding=1), nn.PixelShuffle(2))
