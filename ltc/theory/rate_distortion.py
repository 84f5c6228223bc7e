"""The interface of a rate-distortion function R(D): what every bound in this package answers."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence

__all__ = ["RateDistortionFunction"]


class RateDistortionFunction(ABC):
    r"""Shannon's rate-distortion function of one source under one distortion measure.

    $$
    R(D) = \min_{p(\hat x | x):\ E[d(X, \hat X)] \le D} I(X; \hat X)
    $$

    Units: the rate is in bits per *symbol*; a symbol has ``dim`` components and the distortion is the mean over
    symbols and components. R is convex, nonincreasing, and zero from ``max_distortion`` on.

    A subclass defines ``rate`` and ``max_distortion``; it may replace ``distortion`` (bisection here)
    by a closed form.

    Attributes:
        dim: components of a symbol.
        measure: ``"mse"`` (mean squared error) or ``"l1"`` (mean absolute error).
        exact: whether ``rate`` is a closed form; otherwise it is computed to within ``tolerance``.

    References:
        C. E. Shannon, "Coding theorems for a discrete source with a fidelity criterion", 1959.
        T. M. Cover and J. A. Thomas, *Elements of Information Theory*, 2nd ed., chapter 10.

    Examples:
        >>> class Line(RateDistortionFunction):
        ...     def rate(self, distortion: float) -> float:
        ...         return max(0.0, 2.0 - self._positive_distortion(distortion))
        ...     @property
        ...     def max_distortion(self) -> float:
        ...         return 2.0
        >>> round(Line().distortion(0.5), 6)
        1.5
    """

    dim: int = 1
    measure: str = "mse"
    exact: bool = True

    @abstractmethod
    def rate(self, distortion: float) -> float:
        """R(D) in bits per symbol at a distortion D > 0; zero for D >= ``max_distortion``.

        Raises:
            ValueError: if ``distortion`` is not a positive number.
        """

    @property
    @abstractmethod
    def max_distortion(self) -> float:
        """The least distortion at rate zero: that of the best constant reproduction."""

    @property
    def tolerance(self) -> float:
        """Certified error of ``rate``, in bits: 0 for a closed form."""
        return 0.0

    def distortion(self, rate: float) -> float:
        """D(R), the inverse of ``rate``: the distortion at a rate of ``rate`` bits per symbol.

        Bisection on log D. ``distortion(0)`` is ``max_distortion``.

        Raises:
            ValueError: if ``rate`` is negative, not finite, or above what a float64 distortion can express.
        """
        if self._nonnegative_rate(rate) == 0:
            return self.max_distortion
        high = math.log(self.max_distortion)
        low, step = high - 1.0, 1.0
        while self.rate(math.exp(low)) < rate:
            step *= 2
            low = high - step
            if low < -700:
                raise ValueError(f"rate: no distortion above 1e-304 has a rate of {rate!r} bits; ask for less")
        for _ in range(100):
            middle = 0.5 * (low + high)
            if self.rate(math.exp(middle)) >= rate:
                low = middle
            else:
                high = middle
            if high - low <= 1e-14 * max(1.0, abs(low)):
                break
        return math.exp(0.5 * (low + high))

    def curve(self, rates: Sequence[float]) -> list[tuple[float, float]]:
        """The points (rate, D(rate)) at the given rates in bits per symbol, in the given order.

        Raises:
            ValueError: as ``distortion``, for any of the rates.
        """
        return [(float(rate), self.distortion(rate)) for rate in rates]

    @staticmethod
    def _positive_distortion(distortion: float) -> float:
        if not distortion > 0:  # also refuses NaN
            raise ValueError(f"distortion: got {distortion!r}, but R(D) is defined here for D > 0 only")
        return float(distortion)

    @staticmethod
    def _nonnegative_rate(rate: float) -> float:
        if not 0 <= rate < math.inf:
            raise ValueError(f"rate: got {rate!r}, but a rate is a finite number of bits >= 0")
        return float(rate)
