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
_SCOUT, _FEW = "tcq8", 1 << 16
# Fits of the priors to the integers, each before the integers are searched again; above a rate, one to others.
_FITS, _LOW_RATE = 3, 1.5
# Steps of the search, with the scout and then with the code itself; the error of the goal that ends it.
_STEPS, _LAST_STEPS, _SCOUTED, _NEAR = 10, 6, 5e-3, 7e-4
# Octaves that are no step.
_CLOSE = 2.0**-11
# Missed by more, a goal may be met by the scout, whose rate rises less steeply where it begins.
_MISSED = 1e-2
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
        return search.fitted(code, search.choice(code, step), step, everything)
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
        scout = get_code(_SCOUT) if self._code.states > 8 else self._code
        ratio = 1.0 if moment is None else math.sqrt(scout.moment / moment)
        line, few = _Line(math.log2(step / ratio)), self._found.sample.few(_FEW)
        choice = self.choice(scout, 2**line.at)
        for i in range(_STEPS):
            fit = self.fitted(scout, choice, 2**line.at, few)
            gap = missing(fit)
            if abs(gap) < _SCOUTED * unit:
                break
            move = line.next(gap)
            if i == 0 or abs(move) > 0.5:
                choice = self.choice(scout, 2**line.at)
                line = _Line(line.at, line.slope)
        everything = np.arange(len(self._found.sample.x))
        # What the scout has found is nearly right, but at a low rate nothing is fitted twice.
        priors = fit.model.priors if fit.rate > _LOW_RATE and fit.model.layout is choice.layout else None
        scouted, code_differs = line.at, scout is not self._code
        line = _Line(line.at + math.log2(ratio), line.slope)
        fits: list[tuple[float, Fit]] = []
        for _ in range(_LAST_STEPS):
            fit = self.fitted(self._code, choice, 2**line.at, everything, priors)
            gap = missing(fit)
            fits.append((abs(gap), fit))
            if abs(gap) < _NEAR * unit:
                break
            if abs(line.next(gap)) < _CLOSE:
                break
        best = min(fits, key=lambda found: found[0])
        if best[0] > _MISSED * unit and code_differs:
            fit = self.fitted(scout, choice, 2**scouted, everything)
            best = min(best, (abs(missing(fit)), fit), key=lambda found: found[0])
        return best[1]

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
        layout, found = choice.layout, self._found
        sample, kind = found.sample.part(which), choice.kind[which]
        scale = found.finite / max(1, len(sample.x))
        offsets = layout.offsets[sample.place % layout.length] if layout.kind == 1 else float(layout.offsets[0])
        y = (sample.x - offsets) / step
        # From the start where there are none: what is fitted often at a low rate falls to nothing in the end.
        if priors is not None:
            first, fits = priors, 1
        else:
            some = kind < layout.classes
            first = first_priors(y[some], kind[some], layout.classes, code.parities, scale)
        model = Model(code, step, layout, first, code.weight if weight is None else weight)
        near = (np.abs(y) * step <= model.reach) & (kind < layout.classes)
        x, kind = sample.x[near], kind[near]
        offsets = offsets[near] if isinstance(offsets, np.ndarray) else offsets
        y = model.in_steps(x, offsets)
        for _ in range(fits):
            k = model.quantize(y, kind, self._pool)
            model = replace(model, priors=priors_of(k, y, kind, layout.classes, code.parities, scale))
            y = model.in_steps(x, offsets)
        k = model.quantize(y, kind, self._pool)
        kept = float((choice.kind[which] < layout.classes).sum() - len(x))
        model_size = len(model.to_bytes())
        bits = (model.bits(k, kind) + _KEPT * kept) * scale + 8 * model_size
        if layout.kind == 2 and layout.chances is not None:
            chances = layout.chances[layout.chances > 0] / layout.chances.sum()
            bits += found.size / layout.length * float(-(chances * np.log2(chances)).sum())
        error = float(np.square(model.decoded(k, kind, offsets) - x).sum()) / max(1, len(sample.x))
        return Fit(model, choice, bits / found.size, max(error, 1e-300), model_size)


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
            self.slope = min(max((gap - self._last[1]) / (self.at - self._last[0]), 0.05), 50.0)
        self._same = self._same + 1 if self._last is not None and (gap > 0) == (self._last[1] > 0) else 0
        self._last = (self.at, gap)
        if gap > 0:
            self._high = min(self._high, self.at)
        else:
            self._low = max(self._low, self.at)
        found = self.at + min(max(-gap / self.slope, -4.0), 4.0)
        between = math.isfinite(self._low) and math.isfinite(self._high)
        if between and (self._same > 1 or not self._low < found < self._high):
            found = (self._low + self._high) / 2
        move, self.at = found - self.at, found
        return move
