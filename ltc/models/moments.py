"""Rate and distortion of an evaluation, with standard errors, as one torchmetrics metric."""

from __future__ import annotations

import torch
from torch import Tensor
from torchmetrics import Metric

__all__ = ["RateDistortionMoments"]


class RateDistortionMoments(Metric):
    """Means and covariance of (rate, distortion) over blocks, summed over ranks.

    ``compute`` returns rate, distortion, their standard errors and covariance (of the means), and the number of blocks.
    Both moments count each block once, so that ranks with different numbers of blocks are weighed correctly.

    Example:
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

    def __init__(self) -> None:
        super().__init__()
        self.add_state("total", torch.zeros(2, dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("products", torch.zeros(2, 2, dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("blocks", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")

    def update(self, rate: Tensor, distortion: Tensor) -> None:
        """Adds blocks: rate in bits per symbol [batch], distortion per component [batch]."""
        pair = torch.stack([rate.flatten(), distortion.flatten()]).double()
        self.total += pair.sum(1)
        self.products += pair @ pair.T
        self.blocks += pair.shape[1]

    def compute(self) -> dict[str, Tensor]:
        mean = self.total / self.blocks
        covariance = (self.products / self.blocks - torch.outer(mean, mean)) / (self.blocks - 1).clamp(min=1)
        error = covariance.diagonal().clamp(min=0).sqrt()
        return {
            "rate": mean[0],
            "distortion": mean[1],
            "rate_error": error[0],
            "distortion_error": error[1],
            "covariance": covariance[0, 1],
            "blocks": self.blocks,
        }

    def set_dtype(self, dst_type: str | torch.dtype) -> RateDistortionMoments:
        """Stays in float64: sums over millions of blocks need it."""
        return self
