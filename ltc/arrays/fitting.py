"""A model for an array and a goal: the step is searched on a sample, priors and integers are fitted in turn."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, replace

import numpy as np

from ltc.arrays.alternation import first_priors, priors_of
from ltc.arrays.classes import ZEROS, Choice, choose_layout, entropy
from ltc.arrays.codes import Code, get_code
from ltc.arrays.goals import Goal
from ltc.arrays.model import Model
from ltc.arrays.priors import Prior
from ltc.arrays.scan import Scan

__all__ = ["Fit", "fit_model"]

# A code that is as good for most of the search, and fast; and the numbers of the sample that it looks at.
_SCOUT, _FEW = "tcq8", 1 << 15
# Those that the code itself looks at.
_LAST_FEW = 1 << 16
# Fits of the priors to the integers, each before the integers are searched again; above a rate, one to others.
_FITS, _LOW_RATE = 3, 1.0
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
# Below it, rounding may be the better code.
_ROUNDED = 0.8
# Numbers that two threads quantize at once, each of them in sixteen sequences; the shortest of these.
_AT_ONCE, _SHORTEST = 32, 1 << 10
# The weight with which bits weigh next to nothing.
_ERRORS_ALONE = 1e9
# Of a number's bits, how many the model and all else around the integers can take away, at most.
_AROUND = 0.25
# Bits that a number takes that is kept as it is, about.
_KEPT = 64.0


@dataclass(frozen=True)
class Fit:
    """A model, and what the sample says of it.

    Attributes:
        model: of the array.
        choice: its layout, and how blocks get their classes.
        rate: bits a number, the model among them.
        distortion: mean squared error of the finite numbers.
        model_size: bytes of the model.
    """

    model: Model
    choice: Choice
    rate: float
    distortion: float
    model_size: int


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
    search = _Search(found, shape, code, pool)
    everything = np.arange(len(found.sample.x))
    if goal.max_error is not None:
        step = 2 * goal.max_error
        choice = choose_layout(found, shape, step)
        if whole:
            choice = replace(choice, layout=replace(choice.layout, offsets=np.rint(choice.layout.offsets)))
        return search.fitted(code, choice, step, everything, fits=1, weight=_ERRORS_ALONE)
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


# More than numbers have: a few among zeros could be given any.
_MOST_BITS = 64.0


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


class _Search:
    """The search for the step of a goal."""

    def __init__(self, found: Scan, shape: tuple[int, ...], code: Code, pool: Executor | None) -> None:
        self._found, self._shape, self._code, self._pool = found, shape, code, pool
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
        line, few = _Line(math.log2(step / ratio)), self._found.sample.few(_FEW)
        choice, priors = self.choice(scout, 2**line.at), None
        seen: list[tuple[float, Fit]] = []
        for _ in range(_STEPS):
            fit = self.fitted(scout, choice, 2**line.at, few, priors)
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
                plain = _Search(self._found, self._shape, get_code("z"), self._pool)
                found.append(plain.step(step * self._code.parities, missing, unit))
            return _best([(missing(fit), fit) for fit in found], _NEARLY * unit)
        model, beyond = self._refitted(replace(fit.model, step=fit.model.step * ratio), fit.choice)
        return self._by_step(model, beyond, fit.choice, line.slope, missing, unit, moment is None)

    def slope(self, step: float) -> Fit:
        """A model of this step, whose errors have their usual weight."""
        scout, sample = self._scout, self._found.sample
        fit = self.fitted(scout, self.choice(scout, step), step, sample.few(_FEW))
        if fit.rate < _BY_WEIGHT or scout is self._code:
            return self.fitted(self._code, fit.choice, step, np.arange(len(sample.x)))
        model = replace(self._refitted(fit.model, fit.choice)[0], code=self._code, weight=self._code.weight)
        return self.measured(model, fit.choice, sample.few(_LAST_FEW))

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
        which = self._found.sample.few(_LAST_FEW if by_rate else len(self._found.sample.x))
        model = replace(model, code=self._code, weight=self._code.weight)
        line = _Line(math.log2(model.step), slope)
        fits: list[tuple[float, Fit]] = []
        for _ in range(_LAST_STEPS):
            fit = self.measured(model, choice, which)
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
                model, beyond = self._refitted(model, choice)
        return _nearest(fits)[1]

    def _by_weight(self, fit: Fit, missing: Callable[[Fit], float], unit: float) -> Fit:
        """A model that meets a goal by the weight of errors, with which the rate of given priors falls slowly."""
        every = np.arange(len(self._found.sample.x))
        model = replace(self._refitted(fit.model, fit.choice)[0], code=self._code, weight=self._code.weight)
        fits: list[tuple[float, Fit]] = []
        for _ in range(_ROUNDS):
            line = _Line(-math.log2(model.weight) / 2)
            for _ in range(_WEIGHTS):
                found = self.measured(model, fit.choice, every)
                gap = missing(found)
                fits.append((gap, found))
                if abs(gap) < _NEAR * unit or abs(line.next(gap)) < _CLOSE:
                    break
                model = replace(model, weight=4.0**-line.at)
            model = self._refitted(_nearest(fits)[1].model, fit.choice)[0]
        return _best(fits, _MISSED * unit)

    def _refitted(self, model: Model, choice: Choice) -> tuple[Model, float]:
        """A model with the priors that suit all of the sample.

        Returns:
            The model, and by how many bits all of the sample has a larger rate than the part of it that the code itself
            will look at.
        """
        sample = self._found.sample
        part = _Part(self._found, choice, np.arange(len(sample.x)))
        x, kind, offsets = part.near(model)
        y = model.in_steps(x, offsets)
        k = model.quantize(y, kind, self._pool, _length(len(y), model.code))
        priors = priors_of(k, y, kind, model.layout.classes, model.code.parities, part.scale)
        model, some = replace(model, priors=priors), sample.few(_LAST_FEW)
        if not 0 < len(some) < len(k) == len(sample.x):
            return model, 0.0
        beyond = model.bits(k, kind) / len(k) - model.bits(k[some], kind[some]) / len(some)
        return model, beyond * self._found.finite / self._found.size

    def fitted(
        self,
        code: Code,
        choice: Choice,
        step: float,
        which: np.ndarray,
        priors: tuple[Prior, ...] | None = None,
        fits: int = _FITS,
        weight: float | None = None,
    ) -> Fit:
        """A model with this step, and its rate and distortion on some numbers of the sample."""
        layout, part = choice.layout, _Part(self._found, choice, which)
        # From the start where there are none: what is fitted often at a low rate falls to nothing in the end.
        if priors is not None:
            first, fits = priors, 1
        else:
            some = part.kind < layout.classes
            y = ((part.sample.x - part.offsets) / step)[some]
            first = first_priors(y, part.kind[some], layout.classes, code.parities, part.scale)
        model = Model(code, step, layout, first, code.weight if weight is None else weight)
        x, kind, offsets = part.near(model)
        y = model.in_steps(x, offsets)
        length = _length(len(y), code)
        for _ in range(fits):
            k = model.quantize(y, kind, self._pool, length)
            model = replace(model, priors=priors_of(k, y, kind, layout.classes, code.parities, part.scale))
            y = model.in_steps(x, offsets)
        return self.measured(model, choice, which, part)

    def measured(self, model: Model, choice: Choice, which: np.ndarray, part: _Part | None = None) -> Fit:
        """Rate and distortion of a model on some numbers of the sample."""
        layout, found = model.layout, self._found
        part = part or _Part(found, choice, which)
        x, kind, offsets = part.near(model)
        y = model.in_steps(x, offsets)
        k = model.quantize(y, kind, self._pool, _length(len(y), model.code))
        kept = float((part.kind < layout.classes).sum() - len(x))
        model_size = len(model.to_bytes())
        bits = (model.bits(k, kind) + _KEPT * kept) * part.scale + 8 * model_size
        if layout.kind == 2 and layout.chances is not None:
            chances = layout.chances[layout.chances > 0] / layout.chances.sum()
            bits += found.size / layout.length * float(-(chances * np.log2(chances)).sum())
        error = float(np.square(model.decoded(k, kind, offsets) - x).sum()) / max(1, len(part.sample.x))
        return Fit(model, choice, bits / found.size, max(error, 1e-300), model_size)


class _Part:
    """Some numbers of the sample, with their classes and offsets.

    Attributes:
        sample: these numbers.
        kind: their classes.
        offsets: what is subtracted from them.
        scale: numbers of the array for each of them.
    """

    def __init__(self, found: Scan, choice: Choice, which: np.ndarray) -> None:
        layout, whole = choice.layout, len(which) == len(found.sample.x)
        self.sample = found.sample if whole else found.sample.part(which)
        self.kind = choice.kind if whole else choice.kind[which]
        self.offsets: np.ndarray | float = float(layout.offsets[0])
        if layout.kind == 1:
            self.offsets = layout.offsets[self.sample.place % layout.length]
        self.scale = found.finite / max(1, len(self.sample.x))

    def near(self, model: Model) -> tuple[np.ndarray, np.ndarray, np.ndarray | float]:
        """Those that get integers, their classes and their offsets."""
        near = (np.abs(self.sample.x - self.offsets) <= model.reach) & (self.kind < model.layout.classes)
        if near.all():
            return self.sample.x, self.kind, self.offsets
        offsets = self.offsets[near] if isinstance(self.offsets, np.ndarray) else self.offsets
        return self.sample.x[near], self.kind[near], offsets


def _length(count: int, code: Code) -> int:
    """Of the sequences of a sample: so short that two threads have all they can do at once, if they are long enough."""
    return min(code.length, max(_SHORTEST, 1 << max(1, (count // _AT_ONCE).bit_length()) - 1))


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


class _Line:
    """The secant in the logarithm of the step, and once the goal lies between two steps, never outside of them.

    Attributes:
        at: where to look.
        slope: by how much the gap rises for each octave more.
    """

    def __init__(self, at: float, slope: float = 1.0) -> None:
        self.at, self.slope = at, slope
        self._last: tuple[float, float] | None = None
        self._low, self._high = -math.inf, math.inf
        self._same = 0

    def next(self, gap: float) -> float:
        """Goes on from a gap at ``at``, positive where the step is too large; returns by how many octaves."""
        if self._last is not None and self.at != self._last[0]:
            self.slope = min(max((gap - self._last[1]) / (self.at - self._last[0]), 0.2), 50.0)
        self._same = self._same + 1 if self._last is not None and (gap > 0) == (self._last[1] > 0) else 0
        self._last = (self.at, gap)
        if gap > 0:
            self._high = min(self._high, self.at)
        else:
            self._low = max(self._low, self.at)
        found = self.at + min(max(-gap / self.slope, -2.0), 2.0)
        between = math.isfinite(self._low) and math.isfinite(self._high)
        if between and (self._same > 1 or not self._low < found < self._high):
            found = (self._low + self._high) / 2
        move, self.at = found - self.at, found
        return move
