"""R(D) of the Laplace source under mean absolute error, where the Shannon lower bound is attained."""

from __future__ import annotations

import math

from .rate_distortion import RateDistortionFunction

__all__ = ["LaplaceL1RD"]


class LaplaceL1RD(RateDistortionFunction):
    r"""The memoryless Laplace source with density exp(-\|x\|/b) / 2b under mean absolute error.

    $$
    R(D) = \log_2(b / D), \qquad D(R) = b\, 2^{-R}
    $$

    (Under mean squared error the Laplace source has no closed form; see ``ltc.theory.DiscretizedRD``.)

    Args:
        scale: b, in units of the source; the variance is 2 b squared.

    Raises:
        ValueError: if ``scale`` is not positive and finite.

    References:
        T. Berger, *Rate Distortion Theory*, 1971, section 4.3 (difference distortion measures).

    Examples:
        >>> LaplaceL1RD(scale=2.0).rate(0.5)
        2.0
    """

    measure = "l1"

    def __init__(self, scale: float = 1.0) -> None:
        if not 0 < scale < math.inf:
            raise ValueError(f"scale: got {scale!r}, but it must be positive and finite")
        self.scale = float(scale)

    @property
    def max_distortion(self) -> float:
        return self.scale

    def rate(self, distortion: float) -> float:
        return max(0.0, math.log2(self.scale / self._positive_distortion(distortion)))

    def distortion(self, rate: float) -> float:
        return self.scale * 2.0 ** -self._nonnegative_rate(rate)
