"""`Uniform`: i.i.d. scalars, uniform on a symmetric interval."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from datamodules.source import Source

if TYPE_CHECKING:
    from ltc.theory.rate_distortion import RateDistortionFunction

__all__ = ["Uniform"]


class Uniform(Source):
    r"""The i.i.d. uniform source on [-a, a), of variance a²/3.

    The default half width a = √3 gives unit variance, so that distortions and lambdas compare with N(0, 1).
    R(D) has no closed form under either measure (it lies above Shannon's lower bound at every D > 0: no
    bounded variable is a sum with Gaussian or Laplacian noise), so it is computed by Blahut-Arimoto.

    Args:
        half_width: a, positive.
        measure: "mse" or "l1".

    Raises:
        ValueError: the half width is not positive and finite, or the measure is unknown.

    Examples:
        >>> x = Uniform(half_width=0.5).sample(100_000, torch.Generator().manual_seed(0))
        >>> bool(x.abs().max() <= 0.5), round(12 * x.var().item(), 1)
        (True, 1.0)
    """

    name = "uniform"
    measures = ("mse", "l1")

    def __init__(self, half_width: float = math.sqrt(3), measure: str = "mse") -> None:
        super().__init__(dim=1, measure=measure)
        if not 0 < half_width < math.inf:
            raise ValueError(f"uniform: half_width must be positive and finite, got {half_width}.")
        self.half_width = float(half_width)
        self.energy = self.half_width**2 / 3

    def sample(self, count: int, generator: torch.Generator) -> Tensor:
        return (2 * torch.rand(count, 1, generator=generator, device=generator.device) - 1) * self.half_width

    def log_density(self, x: Tensor) -> Tensor:
        """ln p(x) in nats, minus infinity outside of the interval, for x [..., 1]; the shape is [...]."""
        inside = x[..., 0].abs() <= self.half_width
        level = torch.full_like(x[..., 0], -math.log(2 * self.half_width))
        return level.masked_fill(~inside, -math.inf)

    def rate_distortion(self) -> RateDistortionFunction:
        from ltc.theory import DiscretizedRD

        support = [(-self.half_width, self.half_width)]
        return DiscretizedRD.from_density(self.log_density, support, 1000, measure=self.measure)
