"""Gradient descent in the space of probability measures, for the reproduction distribution of Blahut-Arimoto."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["WassersteinDescent", "mean_squares"]

_PILOT = 1000  # samples for the scale of the source
_FLOOR = 1e-12  # weights stay above it: no point is lost to a pass that happened not to use it


@dataclass(frozen=True)
class WassersteinDescent:
    r"""The search for good reproduction points: gradient descent in the space of probability measures.

    Blahut-Arimoto minimizes, over all distributions $\nu$ of the reproduction,

    $$
    F(\nu) = -E \ln \int e^{-s d(X, y)} \nu(dy), \qquad \min_\nu F = \ln 2 \, \min (R + \lambda D).
    $$

    On a grid that is out of the question beyond two dimensions. Here $\nu$ is $n$ particles, and these
    move along minus the Wasserstein gradient, that of F with respect to $y_j$ over $\nu_j$:

    $$
    -\frac{2 s}{dim} E \Big[ \frac{Q(j|X)}{\nu_j} (y_j - X) \Big].
    $$

    A minibatch estimates it, and Adam normalizes it, with steps in units of the kernel's width (the standard deviation
    sqrt(dim / 2 s) of exp(-s d)) and falling to 0 along a cosine. Then some passes of Blahut's own update,
    $\nu_j \leftarrow E\, Q(j|X)$, set the weights. The result is any measure; what it is worth,
    ``.sample_bound.achievable_point`` says.

    The bound is at most log2(n) bits, and loose well before: mind that n points must cover the source at
    distance sqrt(dim D).

    Args:
        particles: n.
        steps: of the descent.
        batch: samples of each.
        step_size: of the first step, in units of the kernel's width.
        reweightings: passes of Blahut's update, over 40 batches each; 0 leaves the weights equal.

    Raises:
        ValueError: if a number is not positive (``reweightings``: is negative).

    References:
        Y. Yang, S. Eckstein, M. Nutz, S. Mandt, "Estimating the Rate-Distortion Function by Wasserstein Gradient
        Descent", NeurIPS 2023. D. P. Kingma, J. Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015.
    """

    particles: int = 1000
    steps: int = 500
    batch: int = 1000
    step_size: float = 0.1
    reweightings: int = 2

    def __post_init__(self) -> None:
        for name in ("particles", "steps", "batch", "step_size"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name}: got {getattr(self, name)!r}, but it must be positive")
        if self.reweightings < 0:
            raise ValueError(f"reweightings: got {self.reweightings!r}, but it must not be negative")

    def __call__(
        self, draw: Callable[[int], Tensor], slope: float, initial: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Particles [n, dim] and weights [n] for a slope; ``initial`` [n, dim], or samples, is where they start.

        ``draw(count)`` returns independent samples [count, dim]; their dtype and device are those of the descent.

        Raises:
            ValueError: if ``initial`` has not n rows.
        """
        y, pilot = draw(self.particles) if initial is None else initial, draw(_PILOT)
        if len(y) != self.particles:
            raise ValueError(f"initial: got {len(y)} points, but the descent has {self.particles} particles")
        center, spread = pilot.mean(0), float(pilot.var(0).mean().sqrt())
        y, s = y - center, slope * math.log(2)
        # Where the kernel is wider than the source, the source is the scale.
        length = self.step_size * min(math.sqrt(y.shape[1] / (2 * s)), spread)
        mean, square, log_weight = torch.zeros_like(y), torch.zeros_like(y), -math.log(self.particles)
        for step in range(self.steps):
            x = draw(self.batch) - center
            q = torch.softmax(-s * mean_squares(x, y) + log_weight, 1)
            descent = (q.T @ x - q.sum(0)[:, None] * y) / self.batch * self.particles
            mean, square = mean.lerp(descent, 0.1), square.lerp(descent.square(), 0.01)
            direction = mean / (1 - 0.9 ** (step + 1)) / ((square / (1 - 0.99 ** (step + 1))).sqrt() + 1e-30)
            y = y + length * 0.5 * (1 + math.cos(math.pi * step / self.steps)) * direction
        weights = torch.full_like(y[:, 0], 1 / self.particles)
        for _ in range(self.reweightings):
            logs, total = weights.log(), torch.zeros_like(weights)
            for _ in range(40):
                total += torch.softmax(logs - s * mean_squares(draw(self.batch) - center, y), 1).sum(0)
            weights = (total / total.sum()).clamp(min=_FLOOR)
        return y + center, weights / weights.sum()


def mean_squares(x: Tensor, y: Tensor) -> Tensor:
    """Mean squared errors [N, points] between x [N, dim] and y [points, dim], best centered beforehand."""
    squares = x.square().sum(1, keepdim=True) + y.square().sum(1)
    return torch.addmm(squares, x, y.T, alpha=-2).clamp_(min=0) / x.shape[1]
