"""A certified sandwich around a convex R(D): tangent lines from below, time-shared points from above."""

from __future__ import annotations

import math
from bisect import insort

from .alternating_minimization import BlahutArimotoResult

__all__ = ["RateDistortionEnvelope"]

# Within this ratio of distortions R is nearly a parabola, and the chord's slope is the better next question.
_NEAR = 1.1
# Aim this far beyond the target while all solved points lie on one side of it, to get one on the other.
_OVERSHOOT = 1.02


class RateDistortionEnvelope:
    r"""What a set of solved slopes proves about R(D), for every D.

    Below: the largest of the solved tangents, and 0. Above: the lower convex hull of the achievable points, the
    lossless (0, H) and the silent (D_max, 0); a point on a chord is achieved by time sharing. Both are convex and
    nonincreasing, and every added slope only tightens them (the sandwich algorithm).

    Args:
        entropy: H, the rate in bits at which distortion 0 is achievable.
        max_distortion: D_max.

    References:
        G. Rote, "The convergence rate of the sandwich algorithm for approximating convex functions", 1992.

    Examples:
        >>> envelope = RateDistortionEnvelope(entropy=1.0, max_distortion=0.5)
        >>> envelope.lower(0.25), envelope.upper(0.25)  # nothing solved yet
        (0.0, 0.5)
    """

    def __init__(self, entropy: float, max_distortion: float) -> None:
        self.entropy, self.max_distortion = entropy, max_distortion
        self.results: list[BlahutArimotoResult] = []  # by slope, ascending; so by distortion, descending

    def add(self, result: BlahutArimotoResult) -> None:
        """Takes in one solved slope."""
        insort(self.results, result, key=lambda r: r.slope)

    def lower(self, distortion: float) -> float:
        """The certified lower bound on R at ``distortion``, bits."""
        return max([0.0, *(r.tangent(distortion) for r in self.results)])

    def upper(self, distortion: float) -> float:
        """The certified upper bound on R at ``distortion``, bits."""
        if distortion >= self.max_distortion:
            return 0.0
        points = [(0.0, self.entropy), (self.max_distortion, 0.0)]
        points += [(r.distortion, r.upper) for r in self.results if r.distortion < self.max_distortion]
        left = [p for p in points if p[0] <= distortion]
        right = [p for p in points if p[0] > distortion]
        return min(_chord(a, b, distortion) for a in left for b in right)

    def distortion_at(self, rate: float) -> float:
        """The inverse of ``lower`` at a rate > 0: a certified lower bound on D(R)."""
        return max([0.0, *(r.distortion + (r.lower - rate) / r.slope for r in self.results)])

    def closest(self, slope: float) -> BlahutArimotoResult | None:
        """The solved result with the nearest slope (in ratio), to start another from; None if there is none."""
        return min(self.results, key=lambda r: abs(math.log(r.slope / slope)), default=None)

    def next_slope(self, distortion: float, first_guess: float) -> float:
        """The slope to solve next so that the bracket at ``distortion`` shrinks.

        Secant steps on log slope against log distortion until the target is closely bracketed, then the slope of
        the chord over it. ``first_guess`` is the answer while nothing is solved.
        """
        if not self.results:
            return first_guess
        left = [r for r in self.results if r.distortion <= distortion]
        right = [r for r in self.results if r.distortion > distortion]
        if left and right:
            a, b = left[0], right[-1]
            # For every other solve within a wide interval: the chord's slope always splits it, the secant may not.
            if b.distortion > _NEAR * a.distortion and len(self.results) % 3:
                position = _log(distortion / b.distortion) / _log(a.distortion / b.distortion)
                return math.exp((1 - position) * math.log(b.slope) + position * math.log(a.slope))
            return (a.upper - b.upper) / (b.distortion - a.distortion)
        if left:
            a = left[0]
            if self.max_distortion <= _NEAR * distortion:
                return a.upper / (self.max_distortion - a.distortion)
            return a.slope * max(a.distortion / (distortion * _OVERSHOOT), 0.01)
        b = right[-1]
        return b.slope * min(b.distortion * _OVERSHOOT / distortion, 100.0)


def _chord(a: tuple[float, float], b: tuple[float, float], x: float) -> float:
    return a[1] + (b[1] - a[1]) * (x - a[0]) / (b[0] - a[0])


def _log(ratio: float) -> float:
    return math.log(max(ratio, 1e-300))
