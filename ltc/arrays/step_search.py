"""The search for the step of a goal, with a fast code first and then with the one that was asked for."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import replace

import numpy as np

from ltc.arrays.classes import Choice, choose_layout
from ltc.arrays.codes import Code, get_code
from ltc.arrays.model import Model
from ltc.arrays.sample_fit import LAST_FEW, Fit, Fitter
from ltc.arrays.scan import Scan
from ltc.arrays.secant import Secant

__all__ = ["StepSearch"]

# A code that is as good for most of the search, and fast; and the numbers of the sample that it looks at.
_SCOUT, _FEW = "tcq8", 1 << 15
# Above a rate, priors of one step are fitted once to the next.
_LOW_RATE = 1.0
# Steps of the search, with the scout and then with the code itself; the error of the goal that ends it.
_STEPS, _LAST_STEPS, _SCOUTED, _NEAR = 10, 6, 1e-2, 7e-4
# An error that one more move of the step mends, above the low rates, without another look.
_MENDED = 1.5e-2
# Octaves that are no step; those that make another layout worth looking for.
_CLOSE, _FAR = 2.0**-11, 0.5
# An error after which the next fit begins with the priors of the last.
_NEXT = 0.07
# Octaves after which priors are no longer those of the step.
_STALE = 0.1
# Missed by less, a goal is met; by less than the second, where there is another that is much better.
_MISSED, _NEARLY = 3e-3, 2e-2
# Below a rate, the weight is searched, each time with new priors; steps of each search.
_BY_WEIGHT, _ROUNDS, _WEIGHTS = 0.8, 2, 8
# Fits at a rate as low, where the lambda is given.
_SLOW = 12
# Below it, rounding may be the better code.
_ROUNDED = 0.8


class StepSearch:
    """The search for the step of a goal."""

    def __init__(self, found: Scan, shape: tuple[int, ...], code: Code, pool: Executor | None) -> None:
        self._found, self._shape, self._code, self._pool = found, shape, code, pool
        self._fitter = Fitter(found, pool)
        self._scout = get_code(_SCOUT) if code.states > 8 else code

    def choice(self, code: Code, step: float) -> Choice:
        return choose_layout(self._found, self._shape, step * code.parities)

    def step(self, step: float, missing: Callable[[Fit], float], unit: float, moment: float | None = None) -> Fit:
        """A model that meets a goal.

        Args:
            step: to begin with, of the code.
            missing: by how many bits the rate must rise; octaves of the step, about.
            unit: what its error is a fraction of.
            moment: the code's, where errors shall be alike: codes with one step have one rate.
        """
        scout = self._scout
        ratio = 1.0 if moment is None else math.sqrt(scout.moment / self._code.moment)
        line, few = Secant(math.log2(step / ratio)), self._found.sample.few(_FEW)
        choice, priors = self.choice(scout, 2**line.at), None
        seen: list[tuple[float, Fit]] = []
        for _ in range(_STEPS):
            fit = self._fitter.fitted(scout, choice, 2**line.at, few, priors)
            gap = missing(fit)
            seen.append((gap, fit))
            if abs(gap) < _SCOUTED * unit:
                break
            move = line.next(gap)
            if abs(move) < _CLOSE:
                break
            # What is nearly right is fitted once, but at a low rate nothing is fitted twice.
            priors = fit.model.priors if fit.rate > _LOW_RATE and abs(gap) < _NEXT * unit else None
            if abs(move) > _FAR:
                choice = self.choice(scout, 2**line.at)
        # Where the rate falls all at once, the priors of too many bits serve better than those of none.
        near = [found for found in seen if abs(found[0]) < _SCOUTED * unit]
        fit = _nearest(near or [found for found in seen if found[0] < 0] or seen)[1]
        if moment is None and min(fit.rate, unit) < _BY_WEIGHT:
            found = [self._by_weight(fit, missing, unit)]
            if unit < _ROUNDED and self._code.states > 1:
                # Where most numbers become zero, a trellis has little to choose.
                plain = StepSearch(self._found, self._shape, get_code("z"), self._pool)
                found.append(plain.step(step * self._code.parities, missing, unit))
            return _best([(missing(fit), fit) for fit in found], _NEARLY * unit)
        model, beyond = self._fitter.refitted(replace(fit.model, step=fit.model.step * ratio), fit.choice)
        return self._by_step(model, beyond, fit.choice, line.slope, missing, unit, moment is None)

    def slope(self, step: float) -> Fit:
        """A model of this step, whose errors have their usual weight."""
        scout, sample = self._scout, self._found.sample
        fit = self._fitter.fitted(scout, self.choice(scout, step), step, sample.few(_FEW))
        if fit.rate < _BY_WEIGHT and self._code.states > 1:
            return self._slow_slope(step, fit.choice)
        if scout is self._code:
            return self._fitter.fitted(self._code, fit.choice, step, np.arange(len(sample.x)))
        model = replace(self._fitter.refitted(fit.model, fit.choice)[0], code=self._code, weight=self._code.weight)
        return self._fitter.measured(model, fit.choice, sample.few(LAST_FEW))

    def _slow_slope(self, step: float, choice: Choice) -> Fit:
        """A model at a low rate, where priors settle slowly and rounding all to zero may be better still."""
        sample, lmbda = self._found.sample, self._code.weight / step**2
        found = self._fitter.fitted(self._code, choice, step, sample.few(LAST_FEW), fits=_SLOW)
        model, _ = self._fitter.refitted(found.model, choice)
        plain = get_code("z")
        # The usual weight at the step of the same lambda.
        rounded = StepSearch(self._found, self._shape, plain, self._pool).slope(math.sqrt(plain.weight / lmbda))
        every = np.arange(len(sample.x))
        fits = [self._fitter.measured(model, choice, every), rounded]
        return min(fits, key=lambda fit: fit.rate + lmbda * fit.distortion)

    def _by_step(
        self,
        model: Model,
        beyond: float,
        choice: Choice,
        slope: float,
        missing: Callable[[Fit], float],
        unit: float,
        by_rate: bool,
    ) -> Fit:
        """A model that meets a goal with these priors."""
        # Errors vary more than bits, and those of one code say little of those of another.
        which = self._found.sample.few(LAST_FEW if by_rate else len(self._found.sample.x))
        model = replace(model, code=self._code, weight=self._code.weight)
        line = Secant(math.log2(model.step), slope)
        fits: list[tuple[float, Fit]] = []
        for _ in range(_LAST_STEPS):
            fit = self._fitter.measured(model, choice, which)
            if by_rate and len(which) < len(self._found.sample.x):
                fit = replace(fit, rate=fit.rate + beyond)
            gap = missing(fit)
            if abs(gap) < _MENDED * unit:
                return _mended(fit, gap, line.slope)
            fits.append((gap, fit))
            move = abs(line.next(gap))
            if move < _CLOSE:
                break
            model = replace(model, step=2**line.at)
            if move > _STALE:
                model, beyond = self._fitter.refitted(model, choice)
        return _nearest(fits)[1]

    def _by_weight(self, fit: Fit, missing: Callable[[Fit], float], unit: float) -> Fit:
        """A model that meets a goal by the weight of errors, with which the rate of given priors falls slowly."""
        every = np.arange(len(self._found.sample.x))
        model = replace(self._fitter.refitted(fit.model, fit.choice)[0], code=self._code, weight=self._code.weight)
        fits: list[tuple[float, Fit]] = []
        for _ in range(_ROUNDS):
            line = Secant(-math.log2(model.weight) / 2)
            for _ in range(_WEIGHTS):
                found = self._fitter.measured(model, fit.choice, every)
                gap = missing(found)
                fits.append((gap, found))
                if abs(gap) < _NEAR * unit or abs(line.next(gap)) < _CLOSE:
                    break
                model = replace(model, weight=4.0**-line.at)
            model = self._fitter.refitted(_nearest(fits)[1].model, fit.choice)[0]
        return _best(fits, _MISSED * unit)


def _nearest(fits: list[tuple[float, Fit]]) -> tuple[float, Fit]:
    """The one that misses its goal by least."""
    return min(fits, key=lambda found: abs(found[0]))


def _best(fits: list[tuple[float, Fit]], most: float) -> Fit:
    """The one with the least error among those that meet their goal well; errors are those of the goal's rate."""
    least = abs(_nearest(fits)[0])
    good = [found for found in fits if abs(found[0]) <= max(least, most)]
    return min(good, key=lambda found: found[1].distortion * 4.0 ** -found[0])[1]


def _mended(fit: Fit, gap: float, slope: float) -> Fit:
    """A model that misses its goal by little, with another step."""
    move = -gap / min(max(slope, 0.5), 1.5)
    model = replace(fit.model, step=fit.model.step * 2.0**move)
    return replace(fit, model=model, rate=fit.rate + gap, distortion=fit.distortion * 4.0**move)
