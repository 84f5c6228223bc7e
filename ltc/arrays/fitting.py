"""A model for an array and a goal: where the search for its step begins, and what it looks for."""

from __future__ import annotations

import math
from concurrent.futures import Executor
from dataclasses import replace

import numpy as np

from ltc.arrays.classes import ZEROS, choose_layout, entropy
from ltc.arrays.codes import Code
from ltc.arrays.goals import Goal
from ltc.arrays.sample_fit import Fit, Fitter
from ltc.arrays.scan import Scan
from ltc.arrays.step_search import StepSearch

__all__ = ["Fit", "fit_model"]

# The weight with which bits weigh next to nothing.
_ERRORS_ALONE = 1e9
# Of a number's bits, how many the model and all else around the integers can take away, at most.
_AROUND = 0.25
# More than numbers have: a few among zeros could be given any.
_MOST_BITS = 64.0


def fit_model(
    found: Scan,
    shape: tuple[int, ...],
    goal: Goal,
    code: Code,
    overhead: int,
    whole: bool = False,
    pool: Executor | None = None,
) -> Fit:
    """Fits a model.

    Args:
        found: what the array is.
        shape: its lengths, the last one that of what is stored together.
        goal: not an exact one.
        code: the quantizer.
        overhead: bytes of the file beside the model and the integers.
        whole: whether the array's numbers are integers.
        pool: threads, where there are some.
    """
    search = StepSearch(found, shape, code, pool)
    everything = np.arange(len(found.sample.x))
    if goal.max_error is not None:
        step = 2 * goal.max_error
        choice = choose_layout(found, shape, step)
        if whole:
            choice = replace(choice, layout=replace(choice.layout, offsets=np.rint(choice.layout.offsets)))
        return Fitter(found, pool).fitted(code, choice, step, everything, fits=1, weight=_ERRORS_ALONE)
    if goal.lmbda is not None:
        step = math.sqrt(code.weight / goal.lmbda)
        return search.slope(step)
    if goal.psnr is not None:
        wanted = (found.high - found.low) ** 2 * 10 ** (-goal.psnr / 10)
        # A little better than asked for, since a sample is not all.
        margin = 1e-3 if found.sample.whole else 3e-3
        step = math.sqrt(wanted / code.moment)
        return search.step(step, lambda fit: math.log2(fit.distortion / wanted) / 2 + margin, 1.0, code.moment)
    assert goal.bits is not None
    bits = goal.bits

    def missing(fit: Fit) -> float:
        # A small array's file is mostly what surrounds its numbers: these keep most of their bits all the same.
        around = min(8 * (overhead + fit.model_size) / found.size, _AROUND * bits)
        return bits - around - (fit.rate - 8 * fit.model_size / found.size)

    return search.step(_step_of(found, bits, code), missing, bits)


def _step_of(found: Scan, bits: float, code: Code) -> float:
    """The step at which rounded numbers have so many bits, about."""
    x = found.sample.x[:: max(1, len(found.sample.x) >> 13)]
    top = max(found.high - found.low, 1e-300)
    zero = x == 0
    share = float(np.mean(zero))
    if ZEROS < share < 1:
        # Zeros may be told apart, and then the others have all the bits but these.
        told = -share * math.log2(share) - (1 - share) * math.log2(1 - share)
        if told < bits:
            x, bits = x[~zero], (bits - told) / (1 - share)
    bits = min(bits, _MOST_BITS)
    low, high = -bits - 24.0, 2.0
    for _ in range(12):
        middle = (low + high) / 2
        small = entropy(x - x.mean(), top * 2**middle) / len(x) < bits
        low, high = (low, middle) if small else (middle, high)
    return top * 2**high / code.parities
