"""R(D) of Gaussian sources under mean squared error: the scalar law and reverse water-filling."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from .rate_distortion import RateDistortionFunction

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["GaussianRD", "WaterfillingRD"]


class GaussianRD(RateDistortionFunction):
    r"""The memoryless Gaussian source N(0, variance) under mean squared error.

    $$
    R(D) = \tfrac12 \log_2(\sigma^2 / D), \qquad D(R) = \sigma^2\, 2^{-2R}
    $$

    Args:
        variance: sigma squared, in squared units of the source.

    Raises:
        ValueError: if ``variance`` is not positive and finite.

    References:
        Cover and Thomas, *Elements of Information Theory*, 2nd ed., section 10.3.2.

    Examples:
        >>> bound = GaussianRD(variance=4.0)
        >>> bound.rate(1.0), bound.distortion(1.0)
        (1.0, 1.0)
    """

    def __init__(self, variance: float = 1.0) -> None:
        if not 0 < variance < math.inf:
            raise ValueError(f"variance: got {variance!r}, but it must be positive and finite")
        self.variance = float(variance)

    @property
    def max_distortion(self) -> float:
        return self.variance

    def rate(self, distortion: float) -> float:
        return max(0.0, 0.5 * math.log2(self.variance / self._positive_distortion(distortion)))

    def distortion(self, rate: float) -> float:
        return self.variance * 2.0 ** (-2.0 * self._nonnegative_rate(rate))

    def least_cost(self, lmbda: float) -> float:
        """The least of ``R(D) + lambda D`` over all distortions, bits: where R(D) has the slope ``-lambda``.

        Args:
            lmbda: bits per unit of distortion, positive.

        Raises:
            ValueError: if ``lmbda`` is not positive and finite.

        Examples:
            >>> GaussianRD().least_cost(0.1)  # nothing is sent
            0.1
        """
        if not 0 < lmbda < math.inf:
            raise ValueError(f"lmbda: got {lmbda!r}, but it must be positive and finite")
        distortion = min(self.variance, 1 / (2 * math.log(2) * lmbda))
        return self.rate(distortion) + lmbda * distortion


class WaterfillingRD(RateDistortionFunction):
    r"""The Gaussian vector source N(0, C) under mean squared error: reverse water-filling.

    With eigenvalues $\sigma_i^2$ of C, n of them, and the water level $\theta$,

    $$
    R = \sum_i \max(0, \tfrac12 \log_2(\sigma_i^2/\theta)) \text{ bits per symbol}, \qquad
    D = \tfrac1n \sum_i \min(\theta, \sigma_i^2) \text{ per component.}
    $$

    Both directions are solved exactly on the sorted eigenvalues, without iteration. Directions of variance zero
    cost no rate and carry no distortion.

    Args:
        covariance: C, shape [n, n] (nested lists or any array), symmetric and positive semidefinite.

    Raises:
        ValueError: if C is not a square matrix of finite numbers, not symmetric, has a negative eigenvalue, or is 0.

    References:
        Cover and Thomas, *Elements of Information Theory*, 2nd ed., section 10.3.3 (Theorem 10.3.3).

    Examples:
        >>> bound = WaterfillingRD([[4.0, 0.0], [0.0, 1.0]])
        >>> bound.rate(1.0)  # the water level is 1: only the first component is coded
        1.0
        >>> bound.rate(0.25)
        3.0
        >>> bound.distortion(3.0)
        0.25
    """

    def __init__(self, covariance: ArrayLike) -> None:
        matrix = np.asarray(covariance, dtype=np.float64)
        if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or matrix.shape[0] == 0:
            raise ValueError(f"covariance: got shape {list(matrix.shape)}, but it must be a square matrix [n, n]")
        if not np.isfinite(matrix).all():
            raise ValueError("covariance: has infinite or NaN entries, but all must be finite")
        size = float(np.abs(matrix).max())
        # 1e-6 admits matrices estimated in float32; what is left of the asymmetry is averaged away.
        if np.abs(matrix - matrix.T).max() > 1e-6 * size:
            raise ValueError("covariance: is not symmetric, but C must equal its transpose")
        eigenvalues = np.linalg.eigvalsh(0.5 * (matrix + matrix.T))
        if eigenvalues[0] < -1e-6 * size:
            raise ValueError(f"covariance: has the eigenvalue {eigenvalues[0]:.3g}, but none may be negative")
        if size == 0:
            raise ValueError("covariance: is zero, but at least one component must vary")
        # Rounding leaves eigenvalues of about n * eps * size where the exact ones are zero; as variances they
        # would be charged a rate at high resolution.
        rounding = len(matrix) * np.finfo(np.float64).eps * float(eigenvalues[-1])
        self.eigenvalues: np.ndarray = np.where(eigenvalues > rounding, eigenvalues, 0.0)  # ascending
        self.dim = len(matrix)

    @property
    def max_distortion(self) -> float:
        return float(self.eigenvalues.sum()) / self.dim

    def water_level(self, distortion: float) -> float:
        """The level theta at distortion D per component; the largest eigenvalue for D >= ``max_distortion``.

        Raises:
            ValueError: if ``distortion`` is not a positive number.
        """
        total = self._positive_distortion(distortion) * self.dim
        if total >= self.eigenvalues.sum():
            return float(self.eigenvalues[-1])
        # below[k]: total distortion when the level stands at eigenvalue k; it is nondecreasing in k.
        drowned = np.concatenate([[0.0], np.cumsum(self.eigenvalues)[:-1]])
        afloat = self.dim - np.arange(self.dim)
        below = drowned + afloat * self.eigenvalues
        k = min(int(np.searchsorted(below, total, side="left")), self.dim - 1)
        return float((total - drowned[k]) / afloat[k])

    def rate(self, distortion: float) -> float:
        level = self.water_level(distortion)
        coded = self.eigenvalues[self.eigenvalues > level]
        return float(0.5 * np.log2(coded / level).sum())

    def distortion(self, rate: float) -> float:
        if self._nonnegative_rate(rate) == 0:
            return self.max_distortion
        logs = np.log2(self.eigenvalues[self.eigenvalues > 0])[::-1]  # descending
        # For every m, the m largest give sum(logs[:m]) - m * log2(level) <= 2R, with equality when exactly the
        # coded ones are counted; so the level is the largest of these lower bounds.
        count = np.arange(1, len(logs) + 1)
        level = 2.0 ** float(((np.cumsum(logs) - 2.0 * rate) / count).max())
        return float(np.minimum(self.eigenvalues, level).sum()) / self.dim
