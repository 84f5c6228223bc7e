"""What one-shot coders of the sawbridge can reach: the entropy-distortion function of Wagner and Ballé."""

from __future__ import annotations

import math

__all__ = ["SawbridgeEntropyDistortion"]


class SawbridgeEntropyDistortion:
    r"""The least entropy of any quantizer of one sawbridge path, by its distortion.

    A path is known by the time U of its jump, uniform on [0, 1]. The best cells are intervals of U, of lengths p_i:
    within one, X(t) is 0 or 1 apart from t itself with probabilities that move linearly, and its variance integrates to
    p_i / 6. So

    $$
    D = \tfrac16 \sum_i p_i^2, \qquad H = -\sum_i p_i \log_2 p_i,
    $$

    and H is least for a given D if all intervals are equal but one smaller one (Harremoës and Topsøe, 2001, on entropy
    and the index of coincidence). It bounds one-shot coders only: blocks of paths may do better (R(D) is below it).

    The function is that of the continuous path; of a path sampled at N times, distortions are less by a fraction of
    about 1 / N.

    References:
        A. B. Wagner and J. Ballé, *Neural Networks Optimally Compress the Sawbridge*, DCC 2021, arXiv:2011.05065.

    Examples:
        >>> one_shot = SawbridgeEntropyDistortion()
        >>> one_shot.rate(1 / 24), round(one_shot.rate(1 / 30), 3)  # four equal intervals; five
        (2.0, 2.322)
    """

    max_distortion = 1 / 6

    def rate(self, distortion: float) -> float:
        """The least entropy, in bits per path, at a mean squared error.

        Raises:
            ValueError: if ``distortion`` is not positive.
        """
        if not distortion > 0:
            raise ValueError(f"distortion: got {distortion!r}, but the entropy is finite for D > 0 only")
        squares = 6 * distortion
        if squares >= 1:
            return 0.0
        # k intervals of length a and one of the rest: k a^2 + (1 - k a)^2 is the sum of squares.
        k = math.floor(1 / squares * (1 + 1e-12))
        root = math.sqrt(max(0.0, k * k - k * (k + 1) * (1 - squares)))
        a = (k + root) / (k * (k + 1))
        rest = max(0.0, 1 - k * a)
        return -k * a * math.log2(a) - (rest * math.log2(rest) if rest > 1e-15 else 0.0)

    def cost(self, slope: float) -> float:
        """The least H + slope * D: with time sharing, the best cells are equal.

        Args:
            slope: lambda >= 0, bits per unit of mean squared error.
        """
        best = slope * math.log(2) / 6
        counts = {1, max(1, math.floor(best)), math.floor(best) + 1}
        return min(math.log2(n) + slope / (6 * n) for n in counts)
