"""`Laplace`: i.i.d. double-exponential scalars."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from datamodules.source import Source

if TYPE_CHECKING:
    from ltc.theory.rate_distortion import RateDistortionFunction

__all__ = ["Laplace"]


class Laplace(Source):
    r"""The i.i.d. Laplace source, p(x) = exp(-|x|/b) / 2b, with E|x| = b and variance 2b².

    Under absolute error Shannon's lower bound is attained (Berger, *Rate Distortion Theory*, 1971, section
    4.3; a Laplace variable is a mixture of 0 and a Laplace variable, plus Laplacian noise):

    $$
    R(D) = \log_2 (b / D) bits per symbol for D ≤ b, else 0
    $$

    Under squared error there is no closed form and R(D) is computed by Blahut-Arimoto. Laplace(1) is the
    first toy source of Ballé et al., "Nonlinear Transform Coding" (2021), arXiv:2007.03034.

    Args:
        scale: b, positive.
        measure: "mse" or "l1".

    Raises:
        ValueError: the scale is not positive and finite, or the measure is unknown.

    Examples:
        >>> x = Laplace(scale=0.5, measure="l1").sample(100_000, torch.Generator().manual_seed(0))
        >>> round(x.abs().mean().item(), 2), round(x.var().item(), 1)
        (0.5, 0.5)
    """

    name = "laplace"
    measures = ("mse", "l1")

    def __init__(self, scale: float = 1.0, measure: str = "mse") -> None:
        super().__init__(dim=1, measure=measure)
        if not 0 < scale < math.inf:
            raise ValueError(f"laplace: scale must be positive and finite, got {scale}.")
        self.scale = float(scale)
        self.energy = 2 * self.scale**2

    def sample(self, count: int, generator: torch.Generator) -> Tensor:
        # The difference of two exponential variables -ln(1 - u): u is in [0, 1), so there is no ln 0, as
        # there is in the inverse distribution function. Tensor.exponential_ would take four times as long.
        uniform = torch.rand(2, count, 1, generator=generator, device=generator.device)
        pair = torch.log1p(-uniform)
        return self.scale * (pair[1] - pair[0])

    def log_density(self, x: Tensor) -> Tensor:
        """ln p(x) in nats, for x [..., 1]; the shape is [...]."""
        return -x[..., 0].abs() / self.scale - math.log(2 * self.scale)

    def rate_distortion(self) -> RateDistortionFunction:
        if self.measure == "l1":
            from ltc.theory import LaplaceL1RD

            return LaplaceL1RD(self.scale)
        from ltc.theory import DiscretizedRD

        # A mass of exp(-16) is cut off; cells of 0.02 b suit D > 0.001 b².
        reach = 16 * self.scale
        return DiscretizedRD.from_density(self.log_density, [(-reach, reach)], 1600)
