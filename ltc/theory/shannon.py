"""The Shannon lower bound on R(D) of a source with a density, from its differential entropy alone."""

from __future__ import annotations

import math

__all__ = ["shannon_lower_bound"]

# The largest differential entropy, in bits per component, of an error with mean distortion 1:
# Gaussian under squared error, Laplace under absolute error.
_MAX_ENTROPY_OF_UNIT_ERROR = {
    "mse": 0.5 * math.log2(2 * math.pi * math.e),
    "l1": math.log2(2 * math.e),
}
_ENTROPY_PER_LOG_DISTORTION = {"mse": 0.5, "l1": 1.0}


def shannon_lower_bound(
    differential_entropy_bits: float, distortion: float, dim: int = 1, measure: str = "mse"
) -> float:
    r"""A lower bound on R(D), in bits per symbol, tight as D goes to 0 and for Gaussian/MSE and Laplace/L1.

    $$
    R(D) \ge h(X) - \tfrac n2 \log_2(2\pi e D) \ \text{(mse)}, \qquad
    R(D) \ge h(X) - n \log_2(2 e D) \ \text{(l1)}
    $$

    where it is negative, 0 is returned, which is then the better bound.

    Args:
        differential_entropy_bits: h(X) of the whole symbol, in bits.
        distortion: D > 0, the mean over the components of a symbol.
        dim: n, the components of a symbol.
        measure: ``"mse"`` or ``"l1"``.

    Raises:
        ValueError: if ``distortion`` or ``dim`` is not positive, the entropy is not finite, or the measure is unknown.

    References:
        C. E. Shannon, 1959; T. Berger, *Rate Distortion Theory*, 1971, section 4.3.

    Examples:
        >>> h = 0.5 * math.log2(2 * math.pi * math.e)  # of N(0, 1)
        >>> round(shannon_lower_bound(h, 0.25), 12)
        1.0
    """
    if measure not in _MAX_ENTROPY_OF_UNIT_ERROR:
        allowed = sorted(_MAX_ENTROPY_OF_UNIT_ERROR)
        raise ValueError(f"measure: got {measure!r}, but it must be one of {allowed}")
    if not distortion > 0:
        raise ValueError(f"distortion: got {distortion!r}, but R(D) is defined here for D > 0 only")
    if dim < 1:
        raise ValueError(f"dim: got {dim!r}, but a symbol has at least one component")
    if not math.isfinite(differential_entropy_bits):
        raise ValueError(f"differential_entropy_bits: got {differential_entropy_bits!r}, but it must be finite")
    error_entropy = _MAX_ENTROPY_OF_UNIT_ERROR[measure] + _ENTROPY_PER_LOG_DISTORTION[measure] * math.log2(distortion)
    return max(0.0, differential_entropy_bits - dim * error_entropy)
