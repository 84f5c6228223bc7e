"""Rounding, with CompressAI's entropy bottleneck: nonlinear transform coding's."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ltc.coding import PointModel
from ltc.coding.trellis_model import TrellisModel
from ltc.entropy import EntropyModel
from ltc.lattices import TrellisLattice
from ltc.models.bottleneck import Bottleneck

__all__ = ["ScalarBottleneck"]

# Integers with a table entry beyond the quantiles of CompressAI's bottleneck, and the least of their weights.
_SPARE, _LEAST = 10, 1e-30


class ScalarBottleneck(Bottleneck):
    """Nonlinear transform coding's: CompressAI's EntropyBottleneck, uniform noise in training, rounding after.

    Args:
        lattice: must be Z.
        entropy_bottleneck: ``compressai.entropy_models.EntropyBottleneck``, a channel for each latent dimension.

    Raises:
        ValueError: for any other lattice or entropy model.
    """

    exact = True

    def __init__(self, lattice: TrellisLattice, entropy_bottleneck: nn.Module) -> None:
        super().__init__()
        if lattice.name != "z":
            raise ValueError(
                f"A scalar bottleneck rounds: its lattice is z, not {lattice.name}, which a LatticeBottleneck takes."
            )
        if isinstance(entropy_bottleneck, EntropyModel):
            raise ValueError(
                f"A scalar bottleneck has CompressAI's EntropyBottleneck, not a {type(entropy_bottleneck).__name__}."
            )
        self._lattice = lattice
        self.entropy_bottleneck: Any = entropy_bottleneck

    @property
    def lattice(self) -> TrellisLattice:
        return self._lattice

    def forward(self, y: Tensor) -> tuple[Tensor, Tensor]:
        self.check_latents(y, len(self.entropy_bottleneck.quantiles), "forward")
        # CompressAI counts [batch, channel, ...].
        y_hat, likelihood = self.entropy_bottleneck(y[..., None])
        return y_hat[..., 0], -likelihood.log().sum(dim=(1, 2)) / math.log(2)

    def quantize(self, y: Tensor, mu: float = 0.0, power: int = 2) -> Tensor:
        medians = self._medians()
        self.check_latents(y, len(medians), "quantize")
        return torch.round(y.detach() - medians) + medians

    def rate(self, point: Tensor) -> Tensor:
        return -self.entropy_bottleneck(point[..., None], training=False)[1].log().sum(dim=(1, 2)) / math.log(2)

    def to_integers(self, point: Tensor) -> Tensor:
        return torch.round(point - self._medians()).long()

    def to_points(self, k: Tensor) -> Tensor:
        return k.to(torch.float32) + self._medians()

    def _medians(self) -> Tensor:
        return self.entropy_bottleneck.quantiles[:, 0, 1].detach()

    @torch.no_grad()
    def point_model(self, weights: dict[str, np.ndarray] | None = None) -> PointModel:
        medians, quantiles = self._medians(), self.entropy_bottleneck.quantiles[:, 0]
        radius = int((quantiles - medians[:, None]).abs().amax()) + _SPARE
        k = torch.arange(-radius, radius + 1, device=medians.device)
        points = (k + medians[:, None])[None]  # [1, channels, integers]
        likelihood = self.entropy_bottleneck(points, training=False)[1][0].double().cpu().numpy()
        ones = {"w": np.maximum(likelihood.T, _LEAST)[None], "shares": np.ones(1)}
        return TrellisModel(self.lattice, len(medians), weights or ones)

    def auxiliary_loss(self) -> Tensor | float:
        return self.entropy_bottleneck.loss()
