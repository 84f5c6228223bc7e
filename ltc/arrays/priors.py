"""Probabilities of the integers of one class: a curve of five numbers, or a table, whichever takes fewer bits in all.

An integer k has the parity p (always 0 with rounding) and the index ``j = (k - p) / 2`` (k with rounding). The
``shift`` lowest bits of j are coded as they are, since at high rate all of them are alike; the rest h of it has a table
of each parity, of the entries ``low`` to ``high - 1``, and an escape.

The points of a trellis code lie half a step beside the integers, at ``k + 1/2``: so each parity has one next to zero,
and no state must leave zero for far away. At low rates that is worth more than a point at zero: with 64 states, of N(0,
1), 0.01 bit at a rate of a third of a bit; at high ones it is the same.

A curve is ``-log2 f = sum_i c_i g_i(u)``, with g of 1 next to zero, sqrt|u|, |u|, u^2 and u, where u is the point over
the largest one: Gaussian, Laplacian, and what is between and beside them. All probabilities are rounded to 32nds of a
bit and computed from these in a fixed order, so that every machine has the same.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field

import numpy as np

from ltc.arrays.squeezed import inflated
from ltc.coding.errors import CorruptStream
from ltc.coding.file_fields import FieldReader, varint
from ltc.coding.frequencies import counts

__all__ = ["MOST_ENTRIES", "Prior", "fit_prior", "inward_of", "inward_shifts"]

MOST_ENTRIES = 1 << 10
"""Entries of a table, at most."""

# Of a bit, the unit of a table's entries; and the most bits that an entry takes.
_UNIT, _MOST = 32, 30
_POWERS = 2.0 ** (-np.arange(_UNIT) / _UNIT)
# Functions of a curve.
_CURVE = 5
# Shifts of decoded points are told in these.
_SHIFT = 64


@dataclass(frozen=True)
class Prior:
    """Tables of a class.

    Attributes:
        parities: 1 or 2.
        shift: bits of j that are coded as they are.
        low: the least h that has an entry.
        high: the one after the largest.
        curve: float32 [5], or None.
        table: of no curve: bits of the entries in 32nds, int64 [parities, high - low].
        inward: by how much decoded points are nearer to zero than 1, 2, and 3 steps and more: [3], in 64ths; with two
            parities, than 1/2, 3/2, 5/2, and 7/2 and more: [4].
        bits: of all entries in 32nds.
    """

    parities: int
    shift: int
    low: int
    high: int
    curve: np.ndarray | None
    table: np.ndarray | None
    inward: np.ndarray
    bits: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        found = self.table if self.table is not None else _curve_bits(self)
        object.__setattr__(self, "bits", found)

    def tables(self) -> np.ndarray:
        """Counts less one of each parity's entries and escape: float32 [parities, high - low + 1]."""
        return counts(np.ldexp(_POWERS[self.bits % _UNIT], -(self.bits // _UNIT)))

    def costs(self) -> np.ndarray:
        """Bits of each entry and parity with the counts there are: float64 [parities, high - low + 1]."""
        return 24 - np.log2(self.tables().astype(np.float64) + 1)

    def to_bytes(self) -> bytes:
        """What ``read`` reads."""
        head = varint(self.shift) + varint(-self.low) + varint(self.high) + self.inward.astype(np.int8).tobytes()
        if self.curve is not None:
            return b"\0" + head + self.curve.astype("<f4").tobytes()
        assert self.table is not None
        steps = np.diff(self.table.ravel(), prepend=0)
        body = zlib.compress(steps.astype("<i2").view(np.uint8).reshape(-1, 2).T.tobytes(), 9)
        return b"\1" + head + varint(len(body)) + body

    @staticmethod
    def read(fields: FieldReader, parities: int) -> Prior:
        """From a file.

        Raises:
            CorruptStream: if there is none.
        """
        kind = fields.read(1)[0]
        shift, below, high = fields.varint(), fields.varint(), fields.varint()
        inward = np.frombuffer(fields.read(2 + parities), np.int8)
        if kind > 1 or shift > 52 or below > MOST_ENTRIES or high > MOST_ENTRIES or below + high < 1:
            raise CorruptStream("the model in the file is damaged")
        entries = below + high
        if kind == 0:
            curve = np.frombuffer(fields.read(20), "<f4")
            if not np.isfinite(curve).all():
                raise CorruptStream("the model in the file is damaged")
            return Prior(parities, shift, -below, high, curve, None, inward)
        length = fields.varint()
        body = inflated(fields.read(length), 2 * parities * entries, "the model in the file is damaged")
        if len(body) != 2 * parities * entries:
            raise CorruptStream("the model in the file is damaged")
        steps = np.ascontiguousarray(np.frombuffer(body, np.uint8).reshape(2, -1).T).view("<i2").ravel()
        table = np.cumsum(steps, dtype=np.int64).reshape(parities, entries)
        if table.min() < 0 or table.max() > _UNIT * _MOST:
            raise CorruptStream("the model in the file is damaged")
        return Prior(parities, shift, -below, high, None, table, inward)


def fit_prior(found: np.ndarray, shift: int, low: int, inward: np.ndarray, scale: float) -> Prior:
    """The prior that takes the fewest bits, its own among them.

    Args:
        found: how often each entry came, float64 [parities, entries].
        shift: see ``Prior``.
        low: likewise.
        inward: likewise.
        scale: numbers of the array for each that was counted.
    """
    parities, entries = found.shape
    curve = _fit_curve(found, shift, low)
    smooth = Prior(parities, shift, low, low + entries, curve, None, inward)
    # What never came has what the curve gives it, as if four numbers had been drawn from it.
    chances = np.exp2(-smooth.costs()[:, :-1])
    mixed = found + 4 * chances
    bits = -np.log2(mixed / mixed.sum(1, keepdims=True))
    table = np.clip(np.rint(_UNIT * bits), 0, _UNIT * _MOST).astype(np.int64)
    exact = Prior(parities, shift, low, low + entries, None, table, inward)
    return min((smooth, exact), key=lambda prior: _length(prior, found, scale))


def _length(prior: Prior, found: np.ndarray, scale: float) -> float:
    """Bits of the numbers, and of the prior itself."""
    return scale * float((found * prior.costs()[:, :-1]).sum()) + 8 * len(prior.to_bytes())


def _features(parities: int, shift: int, low: int, high: int) -> np.ndarray:
    """The functions g of all entries: float64 [parities, entries, 5]. Operations that round alike everywhere."""
    h = np.arange(low, high, dtype=np.float64)
    width = np.float64(1 << shift)
    # The middle of the integers that share an entry.
    j = h * width + (width - 1) / 2
    half = (parities - 1) / 2
    point = np.stack([parities * j + p + half for p in range(parities)])
    u = point / np.maximum(np.abs(point).max(), 1.0)
    size = np.abs(u)
    zero = (np.abs(point) <= half).astype(np.float64)
    return np.stack([zero, np.sqrt(size), size, u * u, u], -1)


def _curve_bits(prior: Prior) -> np.ndarray:
    g = _features(prior.parities, prior.shift, prior.low, prior.high)
    total = np.zeros(g.shape[:2])
    assert prior.curve is not None
    for i, c in enumerate(prior.curve.astype(np.float64)):
        total = total + c * g[:, :, i]
    least = total.min(1, keepdims=True)
    return np.minimum(np.rint(_UNIT * np.minimum(total - least, 2.0 * _MOST)), _UNIT * _MOST).astype(np.int64)


def _fit_curve(found: np.ndarray, shift: int, low: int) -> np.ndarray:
    """Maximum likelihood, a convex problem, by Newton's method: float32 [5]."""
    parities, entries = found.shape
    g = _features(parities, shift, low, low + entries)
    flat, total = g.reshape(-1, _CURVE), found.sum(1)
    # What the curve would have to have, summed over all numbers.
    wanted = found.ravel() @ flat
    tolerance = 1e-8 * max(1.0, total.sum())
    ridge = 1e-6 * max(1.0, total.sum())
    theta = np.zeros(_CURVE)
    theta[3] = 1.0

    def loss(theta: np.ndarray) -> tuple[float, np.ndarray]:
        energy = (flat @ theta).reshape(parities, entries)
        least = energy.min(1, keepdims=True)
        weights = np.exp(least - energy)
        sums = weights.sum(1, keepdims=True)
        value = float(wanted @ theta) + float(total @ (np.log(sums) - least)[:, 0])
        return value + ridge * float(theta @ theta), weights / sums

    value, p = loss(theta)
    for _ in range(30):
        mean = np.matmul(p[:, None], g)
        centred = (g - mean).reshape(-1, _CURVE)
        gradient = wanted - total @ mean[:, 0] + 2 * ridge * theta
        hessian = (centred * (total[:, None] * p).reshape(-1, 1)).T @ centred + 2 * ridge * np.eye(_CURVE)
        step = np.linalg.solve(hessian, gradient)
        for _ in range(12):
            new, chances = loss(theta - step)
            if new <= value:
                break
            step = step / 2
        if new >= value - tolerance:
            break
        theta, value, p = theta - step, new, chances
    return (theta / np.log(2)).astype(np.float32)


def inward_shifts(inward: np.ndarray) -> np.ndarray:
    """Shifts in steps as int8 64ths."""
    return np.clip(np.rint(_SHIFT * inward), -127, 127).astype(np.int8)


def inward_of(prior: Prior, k: np.ndarray) -> np.ndarray:
    """The decoded points of integers less k, or less k + 1/2 with two parities, in steps, float64."""
    inward = prior.inward.astype(np.float64) / _SHIFT
    if prior.parities == 1:
        return -np.sign(k) * np.concatenate([[0.0], inward])[np.minimum(np.abs(k), 3)]
    return np.where(k < 0, 1, -1) * inward[np.minimum(np.where(k < 0, -1 - k, k), 3)]
