"""An upper bound on R(D) of any source from samples alone: Blahut-Arimoto with learned reproduction points."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .rate_distortion import RateDistortionFunction
from .wasserstein import WassersteinDescent, mean_squares

__all__ = ["AchievablePoint", "SampleUpperBound", "achievable_point", "sample_bounds"]

_LN2 = math.log(2.0)
_CHUNK_NUMBERS = 1 << 21

Samples = Tensor | Callable[[int], Tensor]


@dataclass(frozen=True)
class AchievablePoint:
    """A point of the (D, R) plane that a known channel achieves, measured on samples.

    Rate and distortion are sample means without bias, so up to their standard errors R(distortion) <= rate.

    Attributes:
        rate: bits per symbol.
        distortion: mean squared error per component.
        rate_error: standard error of ``rate``.
        distortion_error: standard error of ``distortion``.
        covariance: of the two means; they err in opposite or equal directions, and the gap to a curve needs to know.
        slope: lambda, in bits per unit of distortion, that the channel was made for.
        samples: how many it was measured on.
        reproduction: y, the reproduction points, float64 [points, dim].
        weights: nu, their probabilities, float64 [points].
    """

    rate: float
    distortion: float
    rate_error: float
    distortion_error: float
    covariance: float
    slope: float
    samples: int
    reproduction: Tensor
    weights: Tensor

    @property
    def cost(self) -> float:
        """rate + slope * distortion, whose minimum over all channels is the tangent of R(D) of this slope."""
        return self.rate + self.slope * self.distortion

    @property
    def cost_error(self) -> float:
        """Standard error of ``cost``, and so of ``rate`` less R(distortion) where R has this slope."""
        both = 2 * self.slope * self.covariance
        return math.sqrt(max(0.0, self.rate_error**2 + both + (self.slope * self.distortion_error) ** 2))


def achievable_point(samples: Tensor, reproduction: Tensor, weights: Tensor, slope: float) -> AchievablePoint:
    r"""What a reproduction distribution achieves at a slope, measured on samples that it was not fitted to.

    With $s = \lambda \ln 2$, points $y_j$ of probabilities $\nu_j$ define the channel

    $$
    Q(j|x) = \nu_j e^{-s d(x, y_j)} / Z(x), \qquad Z(x) = \sum_j \nu_j e^{-s d(x, y_j)},
    $$

    and its rate $E\, KL(Q(\cdot|X) \,\|\, \nu) = E[-\log_2 Z(X)] - \lambda E[d]$ is at least I(X; Y), whatever
    $\nu$ is. No quantity here is a logarithm of an average over samples, so nothing is biased.

    Args:
        samples: x, shape [N, dim], N >= 2, independent of how ``reproduction`` and ``weights`` were made.
        reproduction: y, shape [points, dim].
        weights: nu, shape [points], nonnegative, sums to 1.
        slope: lambda > 0, bits per unit of distortion (the *mean* of squared errors over components).

    Raises:
        ValueError: if shapes, weights or slope are not as described.

    Examples:
        >>> x = torch.tensor([[-1.0], [1.0]])  # a fair sign, kept to D = 4 P(flip)
        >>> point = achievable_point(x, x, torch.tensor([0.5, 0.5]), slope=0.25 * math.log2(0.89 / 0.11))
        >>> round(point.distortion / 4, 4), round(point.rate, 4)  # 1 - H(0.11)
        (0.11, 0.5001)
    """
    _checked_samples("samples", samples, 2)
    if reproduction.ndim != 2 or reproduction.shape[1] != samples.shape[1] or len(reproduction) != weights.numel():
        raise ValueError(
            f"reproduction: got shape {list(reproduction.shape)} and {weights.numel()} weights for samples of shape "
            f"{list(samples.shape)}, but [points, dim] with a weight for each is needed"
        )
    nu = weights.to(samples.device).double().flatten()
    if not bool((nu >= 0).all()) or abs(float(nu.sum()) - 1) > 1e-6:
        raise ValueError(f"weights: must be nonnegative and sum to 1, but sum to {float(nu.sum()):.6g}")
    if not 0 < slope < math.inf:
        raise ValueError(f"slope: got {slope!r} bits per unit of distortion, but it must be positive and finite")
    y, nu = reproduction.to(samples.device).double(), nu / nu.sum()
    center = y.mean(0)
    parts = []
    for x in samples.split(max(1, _CHUNK_NUMBERS // len(y))):
        distortions = mean_squares(x.double() - center, y - center)
        exponents = nu.log() - slope * _LN2 * distortions
        log_z = torch.logsumexp(exponents, 1)
        distortion = ((exponents - log_z[:, None]).exp() * distortions).sum(1)
        parts.append(torch.stack([-log_z / _LN2 - slope * distortion, distortion]))
    both = torch.cat(parts, 1)
    covariance = torch.cov(both) / both.shape[1]
    (rate, distortion_mean), error = both.mean(1).tolist(), covariance.diagonal().sqrt().tolist()
    return AchievablePoint(
        rate, distortion_mean, error[0], error[1], float(covariance[0, 1]), float(slope), both.shape[1], y, nu
    )


def sample_bounds(
    train: Samples, fresh: Tensor, slopes: Sequence[float], descent: WassersteinDescent | None = None, *, seed: int = 0
) -> list[AchievablePoint]:
    """Achievable points of a source, one for each slope: descents on ``train``, measured on ``fresh``.

    Slopes are solved from the greatest to the least, each from the particles of the one before.

    Args:
        train: samples [N, dim], drawn from with replacement, or a function of a count that returns so many fresh ones.
        fresh: samples [N, dim] that are not among them. **The bounds are valid only if they are independent.**
        slopes: lambdas, in any order, bits per unit of distortion (the mean over components).
        descent: the search; ``WassersteinDescent`` with its defaults if None.
        seed: of the draws from a tensor ``train``.

    Returns:
        The points in the order of ``slopes``.

    Raises:
        ValueError: if a slope is not positive and finite, or samples are not of the shapes described.

    Examples:
        >>> x = torch.randn(30_000, 2, generator=torch.Generator().manual_seed(0))
        >>> (point,) = sample_bounds(x[:10_000], x[10_000:], [4.0], WassersteinDescent(particles=100, steps=100))
        >>> bound = 2 * 0.5 * math.log2(1 / point.distortion)
        >>> bound - 4 * point.cost_error < point.rate < bound + 0.05
        True
    """
    if not all(0 < slope < math.inf for slope in slopes):
        raise ValueError(f"slopes: got {list(slopes)!r}, but each must be positive and finite")
    descent = descent or WassersteinDescent()
    draw = _from_rows(train, seed) if isinstance(train, Tensor) else train
    found: dict[float, AchievablePoint] = {}
    initial: Tensor | None = None
    for slope in sorted(slopes, reverse=True):
        initial, weights = descent(draw, slope, initial)
        found[slope] = achievable_point(fresh, initial, weights, slope)
    return [found[slope] for slope in slopes]


class SampleUpperBound(RateDistortionFunction):
    """An **upper** bound on R(D), from achievable points: a coder may well be below it.

    It is their lower convex hull, with the silent point (D_max, 0): chords are achieved by time sharing. It holds up to
    the points' standard errors (``error``); how far above R(D) it is, nobody knows (``tolerance`` is infinite).
    Below the least distortion of all points ``rate`` is infinite, and above their greatest rate
    ``distortion`` stays at that least distortion.

    Args:
        points: at least one.
        max_distortion: D_max, the mean squared error of a constant reproduction.

    Raises:
        ValueError: if there are no points, or ``max_distortion`` is not positive and finite.

    Examples:
        >>> x = torch.randn(30_000, 2, generator=torch.Generator().manual_seed(0))
        >>> descent = WassersteinDescent(particles=100, steps=100)
        >>> bound = SampleUpperBound.from_samples(x[:10_000], x[10_000:], [2.0, 4.0, 8.0], descent)
        >>> round(bound.rate(0.36), 1), bound.rate(0.01)  # R(D) is 1.474 bits
        (1.5, inf)
    """

    exact = False

    def __init__(self, points: Sequence[AchievablePoint], max_distortion: float) -> None:
        if not points:
            raise ValueError("points: got none, but a bound needs at least one")
        if not 0 < max_distortion < math.inf:
            raise ValueError(f"max_distortion: got {max_distortion!r}, but it must be positive and finite")
        self.points = sorted(points, key=lambda point: point.distortion)
        self.dim = self.points[0].reproduction.shape[1]
        self._max_distortion = float(max_distortion)

    @classmethod
    def from_samples(
        cls,
        train: Samples,
        fresh: Tensor,
        slopes: Sequence[float],
        descent: WassersteinDescent | None = None,
        *,
        seed: int = 0,
    ) -> SampleUpperBound:
        """The bound through ``sample_bounds`` of the same arguments; D_max is measured on ``fresh`` too."""
        points = sample_bounds(train, fresh, slopes, descent, seed=seed)
        some = train if isinstance(train, Tensor) else train(100_000)
        return cls(points, float((fresh.double() - some.double().mean(0)).square().mean()))

    @property
    def max_distortion(self) -> float:
        return self._max_distortion

    @property
    def tolerance(self) -> float:
        return math.inf

    @property
    def error(self) -> float:
        """The largest standard error among the points, in bits at a given distortion."""
        return max(point.cost_error for point in self.points)

    def rate(self, distortion: float) -> float:
        d = self._positive_distortion(distortion)
        if d >= self.max_distortion:
            return 0.0
        known = [(p.distortion, p.rate) for p in self.points if p.distortion < self.max_distortion]
        left = [point for point in known if point[0] <= d]
        right = [*(point for point in known if point[0] > d), (self.max_distortion, 0.0)]
        chords = (b[1] + (a[1] - b[1]) * (b[0] - d) / (b[0] - a[0]) for a in left for b in right)
        return min(chords, default=math.inf)


def _from_rows(rows: Tensor, seed: int) -> Callable[[int], Tensor]:
    generator = torch.Generator(rows.device).manual_seed(seed)
    _checked_samples("train", rows, 1)
    return lambda count: rows[torch.randint(len(rows), (count,), generator=generator, device=rows.device)]


def _checked_samples(name: str, samples: Tensor, least: int) -> None:
    if samples.ndim != 2 or len(samples) < least or samples.shape[1] == 0:
        raise ValueError(f"{name}: got shape {list(samples.shape)}, but [N, dim] with N >= {least} is needed")
