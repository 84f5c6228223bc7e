"""`Banana`, a bent 2-D Gaussian, and `BananaMarginal`, its first component alone."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from datamodules.source import Source

if TYPE_CHECKING:
    from ltc.theory.rate_distortion import RateDistortionFunction

__all__ = ["Banana", "BananaMarginal"]

# The constants of `get_banana` in models/toy_sources/toy_sources.ipynb of github.com/tensorflow/compression.
LONG, SHORT = 3.0, 0.5  # standard deviations of the Gaussian that is bent
BEND = 0.1  # of its short axis, times the square of the long coordinate
ANGLE = math.radians(240)
SHIFT = 1.0  # of both components
COS, SIN = math.cos(ANGLE), math.sin(ANGLE)

# Where x is, but for a probability of 1e-6: both coordinates of the Gaussian within five standard deviations.
HORIZONTAL, VERTICAL = (-4.4, 30.0), (-6.2, 26.0)


class Banana(Source):
    r"""The two-dimensional Banana source.

    With z0 ~ N(0, 3²) and z1 ~ N(0, 0.5²) independent, u = (z0, z1 - 0.1 z0²) and φ = 240°,

    $$
    x = (u_0 \cos φ + u_1 \sin φ - 1, \; u_1 \cos φ - u_0 \sin φ - 1).
    $$

    Every step keeps volume, so p(x) = N(z0; 0, 3²) N(z1; 0, 0.5²). R(D) is computed by Blahut-Arimoto on a
    grid, per component as everywhere: D here is half of the *sum* of squared errors that the paper plots.

    Reference: Ballé et al., "Nonlinear Transform Coding", IEEE J. Sel. Topics Signal Process. 15(2), 2021,
    arXiv:2007.03034; constants from the authors' toy_sources notebook. Yang & Mandt (ICLR 2022) use the same.

    Raises:
        ValueError: the measure is not "mse".

    Examples:
        >>> x = Banana().sample(100_000, torch.Generator().manual_seed(0))
        >>> x.shape, [round(v, 1) for v in x.var(0).tolist()]  # 3.6525 and 7.2175
        (torch.Size([100000, 2]), [3.7, 7.2])
    """

    name = "banana"

    def __init__(self, measure: str = "mse") -> None:
        super().__init__(dim=2, measure=measure)

    def sample(self, count: int, generator: torch.Generator) -> Tensor:
        z = torch.randn(2, count, generator=generator, device=generator.device)
        along = LONG * z[0]
        across = SHORT * z[1] - BEND * along.square()
        return torch.stack([COS * along + SIN * across - SHIFT, COS * across - SIN * along - SHIFT], dim=1)

    def log_density(self, x: Tensor) -> Tensor:
        """ln p(x) in nats, for x [..., 2]; the shape is [...]."""
        first, second = x[..., 0] + SHIFT, x[..., 1] + SHIFT
        along = COS * first - SIN * second
        across = SIN * first + COS * second + BEND * along.square()
        energy = (along / LONG).square() + (across / SHORT).square()
        return -0.5 * energy - math.log(2 * math.pi * LONG * SHORT)

    def rate_distortion(self) -> RateDistortionFunction:
        from ltc.theory import DiscretizedRD

        # Cells of 0.17, right for D > 0.03 per component; certified to 0.002 bit in a second or two for each point.
        return DiscretizedRD.from_density(self.log_density, [HORIZONTAL, VERTICAL], 200, tolerance=2e-3)


class BananaMarginal(Source):
    r"""The first (horizontal) component of the Banana, as an i.i.d. scalar source.

    Given z0, it is Gaussian, so its density is a mixture,

    $$
    p(x) = \int N(z; 0, 3²) \, N(x; z \cos φ - 0.1 z² \sin φ - 1, (0.5 \sin φ)²) \, dz,
    $$

    skewed, with mean 0.9·0.8660 - 1 = -0.2206 and variance 3.6525.

    Reference: the 1-D marginal of the source of Ballé et al. (2021), see `Banana`.

    Args:
        measure: "mse" or "l1".

    Raises:
        ValueError: the measure is unknown.

    Examples:
        >>> x = BananaMarginal().sample(100_000, torch.Generator().manual_seed(0))
        >>> x.shape, round(x.mean().item(), 1)
        (torch.Size([100000, 1]), -0.2)
    """

    name = "banana_marginal"
    measures = ("mse", "l1")

    def __init__(self, measure: str = "mse") -> None:
        super().__init__(dim=1, measure=measure)
        self._banana = Banana()

    def sample(self, count: int, generator: torch.Generator) -> Tensor:
        return self._banana.sample(count, generator)[:, :1]

    def log_density(self, x: Tensor) -> Tensor:
        """ln p(x) in nats, for x [..., 1]; the shape is [...].

        The integral is a trapezoidal sum, which converges geometrically for a smooth integrand that vanishes
        at both ends: 1,601 nodes over ±12 standard deviations are as exact as float64.
        """
        nodes = torch.linspace(-12, 12, 1601, dtype=torch.float64, device=x.device)
        along = LONG * nodes
        centre = COS * along - SIN * BEND * along.square() - SHIFT
        spread = abs(SIN) * SHORT
        weight = math.log(24 / 1600 / (2 * math.pi * spread))

        def log_mixture(part: Tensor) -> Tensor:
            return torch.logsumexp(-0.5 * (nodes.square() + ((part - centre) / spread).square()), dim=-1)

        # In parts, since each point takes a row of 1,601 numbers.
        logs = torch.cat([log_mixture(part) for part in x.double().reshape(-1, 1).split(4096)])
        return (logs + weight).reshape(x.shape[:-1]).to(x.dtype)

    def rate_distortion(self) -> RateDistortionFunction:
        from ltc.theory import DiscretizedRD

        # Absolute error wants cells much smaller than D: 0.012 suits D > 0.05.
        cells = {"mse": 1500, "l1": 3000}[self.measure]
        return DiscretizedRD.from_density(self.log_density, [HORIZONTAL], cells, measure=self.measure)
