"""`Gaussian`: i.i.d. scalars N(0, variance)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from datamodules.source import Source

if TYPE_CHECKING:
    from ltc.theory.rate_distortion import RateDistortionFunction

__all__ = ["Gaussian"]


class Gaussian(Source):
    r"""The i.i.d. Gaussian source, x ~ N(0, σ²).

    $$
    R(D) = ½ \log_2 (σ² / D) bits per symbol for D ≤ σ², else 0
    $$

    under squared error (Cover & Thomas, *Elements of Information Theory*, 2nd ed., theorem 10.3.2). There is
    no closed form under absolute error; R(D) is computed by Blahut-Arimoto then.

    Args:
        variance: σ², positive.
        measure: "mse" or "l1".

    Raises:
        ValueError: the variance is not positive and finite, or the measure is unknown.

    Examples:
        >>> source = Gaussian(variance=4.0)
        >>> x = source.sample(100_000, torch.Generator().manual_seed(0))
        >>> x.shape, round(x.var().item(), 1)
        (torch.Size([100000, 1]), 4.0)
    """

    name = "gaussian"
    measures = ("mse", "l1")

    def __init__(self, variance: float = 1.0, measure: str = "mse") -> None:
        super().__init__(dim=1, measure=measure)
        if not 0 < variance < math.inf:
            raise ValueError(f"gaussian: variance must be positive and finite, got {variance}.")
        self.variance = self.energy = float(variance)

    def sample(self, count: int, generator: torch.Generator) -> Tensor:
        return math.sqrt(self.variance) * torch.randn(count, 1, generator=generator, device=generator.device)

    def log_density(self, x: Tensor) -> Tensor:
        """ln p(x) in nats, for x [..., 1]; the shape is [...]."""
        return -0.5 * (x[..., 0].square() / self.variance + math.log(2 * math.pi * self.variance))

    def rate_distortion(self) -> RateDistortionFunction:
        if self.measure == "l1":
            from ltc.theory import DiscretizedRD

            # Blahut-Arimoto under absolute error wants cells much smaller than D; 0.005 σ suits D > 0.02 σ.
            reach = 8 * math.sqrt(self.variance)
            return DiscretizedRD.from_density(self.log_density, [(-reach, reach)], 3000, measure="l1")
        from ltc.theory import GaussianRD

        return GaussianRD(self.variance)
