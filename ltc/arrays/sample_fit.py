"""What a model makes of the sample: its priors, its rate and its distortion."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass, replace

import numpy as np

from ltc.arrays.alternation import first_priors, priors_of
from ltc.arrays.classes import Choice
from ltc.arrays.codes import Code
from ltc.arrays.model import Model
from ltc.arrays.priors import Prior
from ltc.arrays.scan import Scan

__all__ = ["LAST_FEW", "Fit", "Fitter"]

LAST_FEW = 1 << 16
"""Numbers of the sample that the code itself looks at."""

# Fits of the priors to the integers, each before the integers are searched again.
_FITS = 3
# Threads that a sample is cut for; the shortest of the sequences.
_THREADS, _SHORTEST = 2, 1 << 10
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


class Fitter:
    """Models of one array, fitted to its sample and measured on it.

    Args:
        found: what the array is.
        pool: threads, where there are some.
    """

    def __init__(self, found: Scan, pool: Executor | None) -> None:
        self.found, self._pool = found, pool

    def refitted(self, model: Model, choice: Choice) -> tuple[Model, float]:
        """A model with the priors that suit all of the sample.

        Returns:
            The model, and by how many bits all of the sample has a larger rate than the part of it that the code itself
            will look at.
        """
        sample = self.found.sample
        part = _Part(self.found, choice, np.arange(len(sample.x)))
        x, kind, offsets = part.near(model)
        y = model.in_steps(x, offsets)
        k = model.quantize(y, kind, self._pool, _length(len(y), model.code))
        priors = priors_of(k, y, kind, model.layout.classes, model.code.parities, part.scale)
        model, some = replace(model, priors=priors), sample.few(LAST_FEW)
        if not 0 < len(some) < len(k) == len(sample.x):
            return model, 0.0
        beyond = model.bits(k, kind) / len(k) - model.bits(k[some], kind[some]) / len(some)
        return model, beyond * self.found.finite / self.found.size

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
        layout, part = choice.layout, _Part(self.found, choice, which)
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
        layout, found = model.layout, self.found
        part = part or _Part(found, choice, which)
        x, kind, offsets = part.near(model)
        y = model.in_steps(x, offsets)
        k = model.quantize(y, kind, self._pool, _length(len(y), model.code))
        kept = float((part.kind < layout.classes).sum() - len(x))
        model_size = len(model.to_bytes())
        bits = (model.bits(k, kind) + _KEPT * kept) * part.scale + 8 * model_size + layout.class_bits(found.size)
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
    return min(code.length, max(_SHORTEST, 1 << max(1, (count // (_THREADS * code.at_once)).bit_length()) - 1))
