"""Bjøntegaard's delta rate, by the package `bjontegaard`: NaN where curves have nothing to say to each other."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable

import numpy as np

__all__ = ["bd_rate"]


def bd_rate(
    anchor_rate: Iterable[float],
    anchor_quality: Iterable[float],
    test_rate: Iterable[float],
    test_quality: Iterable[float],
) -> float:
    """BD-rate in percent, with pchip interpolation; negative if the tested curve needs less rate.

    Bjøntegaard, "Calculation of average PSNR differences between RD-curves", ITU-T VCEG-M33, 2001.

    Args:
        anchor_rate: rates of the curve that is compared with, rising.
        anchor_quality: PSNR, or -10 log10 of the distortion, of its points.
        test_rate: rates of the other curve, rising.
        test_quality: of its points.

    Returns:
        NaN for curves of fewer than two points, that do not rise (of networks hardly trained), or do not overlap.

    Example:
        >>> round(bd_rate([1, 2, 3], [6, 12, 18], [0.9, 1.8, 2.7], [6, 12, 18]), 6)
        -10.0
    """
    import bjontegaard

    curves = [np.array(list(values), dtype=float) for values in (anchor_rate, anchor_quality, test_rate, test_quality)]
    _, anchor, _, test = curves
    if min(map(len, curves)) < 2 or any((np.diff(values) < 0).any() for values in curves):
        return math.nan
    if max(anchor[0], test[0]) >= min(anchor[-1], test[-1]):
        return math.nan
    with warnings.catch_warnings():
        # The overlap of two curves of a few points is never whole.
        warnings.simplefilter("ignore")
        return float(bjontegaard.bd_rate(*curves, method="pchip", require_matching_points=False, min_overlap=0))
