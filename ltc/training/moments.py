"""Rate and distortion of an evaluation, with standard errors, as one torchmetrics metric."""

from __future__ import annotations

import torch
from torch import Tensor
from torchmetrics import Metric

__all__ = ["RateDistortionMoments"]


class RateDistortionMoments(Metric):
    """Means and covariance of (rate, distortion) over blocks, summed over ranks.

    ``compute`` returns rate, distortion, their standard errors and covariance (of the means), the plain mean of the
    rate (``sample_rate``), and the number of blocks. Each block counts once, so that ranks with different numbers of
    blocks are weighed correctly.

    Where the source's energy E|x|^2 per component is known, it serves as a control variate: rate and distortion follow
    the energy of the sample that happened to be drawn, and what is explained by it is taken out of both (linear
    regression; Glasserman, "Monte Carlo Methods in Financial Engineering" (2003), section 4.1).

    Args:
        energy: E|x|^2 per component of the source, or None.

    Examples:
        >>> metric = RateDistortionMoments()
        >>> metric.update(torch.tensor([1.0, 3.0]), torch.tensor([0.5, 0.5]))
        >>> float(metric.compute()["rate"])
        2.0
    """

    full_state_update = False
    is_differentiable = False
    total: Tensor
    products: Tensor
    blocks: Tensor

    def __init__(self, energy: float | None = None) -> None:
        super().__init__()
        self.energy = energy
        self.add_state("total", torch.zeros(3, dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("products", torch.zeros(3, 3, dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("blocks", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")

    def update(self, rate: Tensor, distortion: Tensor, energy: Tensor | None = None) -> None:
        """Adds blocks: rate in bits per symbol [batch], distortion and energy per component [batch]."""
        energy = torch.zeros_like(rate) if energy is None else energy
        triple = torch.stack([rate.flatten(), distortion.flatten(), energy.flatten()]).double()
        self.total += triple.sum(1)
        self.products += triple @ triple.T
        self.blocks += triple.shape[1]

    def compute(self) -> dict[str, Tensor]:
        mean = self.total / self.blocks
        covariance = (self.products / self.blocks - torch.outer(mean, mean)) / (self.blocks - 1).clamp(min=1)
        with_energy, variance = covariance[:2, 2], covariance[2, 2]
        sample_rate = mean[0]
        mean, covariance = mean[:2], covariance[:2, :2]
        if self.energy is not None and variance > 0:
            excess = self.total[2] / self.blocks - self.energy
            mean = mean - with_energy / variance * excess
            covariance = covariance - torch.outer(with_energy, with_energy) / variance
        error = covariance.diagonal().clamp(min=0).sqrt()
        return {
            "rate": mean[0],
            "distortion": mean[1],
            "rate_error": error[0],
            "distortion_error": error[1],
            "covariance": covariance[0, 1],
            "sample_rate": sample_rate,
            "blocks": self.blocks,
        }

    def set_dtype(self, dst_type: str | torch.dtype) -> RateDistortionMoments:
        """Stays in float64: sums over millions of blocks need it."""
        return self
