"""Gains: one network for many rates, by a factor for each channel and rate before quantization, and one after it.

Cui, Wang, Gao, Guo, Feng & Bai, "Asymmetric gained deep image compression with continuous rate adaptation", CVPR 2021,
arXiv:2003.02012, section 3.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

__all__ = ["Gains", "level_of", "price_of", "step_of"]


class Gains(nn.Module):
    """The factors of one side of a bottleneck at levels 0, 1, …; between two levels their geometric interpolation.

    Args:
        start: positive factors of each level.
        channels: how many factors each level has.

    Examples:
        >>> Gains([1.0, 4.0], 2)(torch.tensor([0.5])).flatten()
        tensor([2., 2.], grad_fn=<ViewBackward0>)
    """

    def __init__(self, start: Sequence[float], channels: int) -> None:
        super().__init__()
        self.logs = nn.Parameter(torch.tensor([[math.log(s)] * channels for s in start]))

    def forward(self, level: Tensor) -> Tensor:
        """The factors [batch, channels, 1, 1] at levels [batch], in the dtype of the parameters (float64 in files)."""
        below = level.detach().floor().clamp(0, max(len(self.logs) - 2, 0)).long()
        above = (below + 1).clamp(max=len(self.logs) - 1)
        part = (level - below).to(self.logs.dtype)[:, None]
        return ((1 - part) * self.logs[below] + part * self.logs[above]).exp()[..., None, None]


def step_of(price: float) -> float:
    """The step that is the cheapest at high rate, of orthonormal coefficients of pixels in [0, 1].

    There each of a pixel's three colours takes half a bit less where its squared error D is twice as large, so that
    bits per pixel + lambda * D, with pixels from 0 to 255, is least at D = 3 / (2 ln 2 lambda); and D is step^2 / 12.

    Raises:
        ValueError: if lambda is not positive.

    Examples:
        >>> step_of(0.025) == 2 * step_of(0.1)
        True
    """
    if not price > 0:
        raise ValueError(f"price is a positive lambda, got {price}.")
    return (12 * 3 / (2 * math.log(2) * price)) ** 0.5 / 255


def level_of(price: float, prices: Sequence[float]) -> float:
    """Where lambda lies among ascending ones: their number, and between two of them in proportion to its logarithm.

    Raises:
        ValueError: if it lies outside of all.

    Examples:
        >>> level_of(0.02, [0.01, 0.04])
        0.5
    """
    if not prices[0] * (1 - 1e-9) <= price <= prices[-1] * (1 + 1e-9):
        raise ValueError(
            f"lambda={price:g} is none that this network has rates for: from {prices[0]:g} to {prices[-1]:g}."
        )
    if len(prices) == 1:
        return 0.0
    below = max(i for i in range(len(prices) - 1) if i == 0 or prices[i] <= price)
    part = math.log(price / prices[below]) / math.log(prices[below + 1] / prices[below])
    return below + min(max(part, 0.0), 1.0)


def price_of(level: Tensor, prices: Sequence[float]) -> Tensor:
    """The inverse of ``level_of`` for levels of any shape, float32."""
    logs = torch.tensor(prices, dtype=torch.float64, device=level.device).log()
    below = level.double().floor().clamp(0, max(len(prices) - 2, 0)).long()
    above = (below + 1).clamp(max=len(prices) - 1)
    return torch.lerp(logs[below], logs[above], level.double() - below).exp().float()
