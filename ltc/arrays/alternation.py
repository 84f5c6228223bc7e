"""Priors from integers: entries, curve or table, and decoded points, of each class."""

from __future__ import annotations

import numpy as np

from ltc.arrays.priors import MOST_ENTRIES, Prior, fit_prior, inward_shifts

__all__ = ["first_priors", "priors_of"]

# Of all integers, those at both ends that need not have entries; and how far entries go beyond the rest.
_TAIL, _BEYOND = 1e-4, 1.5
# Of a sample's range, how much more the array's may be.
_MARGIN = 0.25
# Numbers without which a decoded point is its integer.
_ENOUGH = 64
# Bins in which integers are counted before they get entries, a power of two.
_BINS = 1 << 16


def first_priors(y: np.ndarray, kind: np.ndarray, classes: int, parities: int, scale: float) -> tuple[Prior, ...]:
    """From the numbers themselves, each counted for the two integers around it: broad enough to start from.

    Args:
        y: in steps [n].
        kind: their classes, uint8 [n].
        classes: how many there are.
        parities: 1 or 2.
        scale: numbers of the array for each of these.
    """
    y = np.clip(y, -1e9, 1e9)
    if parities == 1:
        return priors_of(np.rint(y).astype(np.int64), None, kind, classes, parities, scale)
    low = np.floor(y).astype(np.int64)
    both = np.concatenate([low, low + 1])
    return priors_of(both, None, np.concatenate([kind, kind]), classes, parities, scale)


def priors_of(
    k: np.ndarray, y: np.ndarray | None, kind: np.ndarray, classes: int, parities: int, scale: float
) -> tuple[Prior, ...]:
    """From integers [n], and the numbers in steps that became them: these say where decoded points are best."""
    if classes == 1:
        return (_prior(k, y, parities, scale),)
    order = np.argsort(kind, kind="stable")
    k, y = k[order], None if y is None else y[order]
    ends = np.cumsum(np.bincount(kind, minlength=classes)).tolist()
    return tuple(
        _prior(k[start:end], None if y is None else y[start:end], parities, scale)
        for start, end in zip([0, *ends[:-1]], ends, strict=True)
    )


def _prior(k: np.ndarray, y: np.ndarray | None, parities: int, scale: float) -> Prior:
    if not len(k):
        return fit_prior(np.ones((parities, 2)), 0, -1, np.zeros(2 + parities, np.int8), scale)
    odd = parities - 1
    # Bins of indices, of whole powers of two, so that entries are whole bins.
    least, largest = int(k.min()) >> odd, int(k.max()) >> odd
    bin_shift = max(0, ((largest - least) // (_BINS - 1)).bit_length())
    first = least >> bin_shift
    bins = (largest >> bin_shift) - first + 1
    at = (k >> (odd + bin_shift)) - first
    counts = np.bincount(at * parities + (k & odd) if odd else at, minlength=bins * parities).reshape(-1, parities)
    low, high = _ends(counts.sum(1), scale)
    low, high = low + first, high + first + 1
    shift = bin_shift
    while (high >> (shift - bin_shift)) - (low >> (shift - bin_shift)) >= MOST_ENTRIES - 2:
        shift += 1
    fold = shift - bin_shift
    low, high = min(low >> fold, -1), max((high >> fold) + 1, 1)
    if high - low > MOST_ENTRIES:
        # All of them lie on one side of zero, far out.
        while high - low > MOST_ENTRIES:
            fold, shift = fold + 1, shift + 1
            low, high = min(low >> 1, -1), max((high >> 1) + 1, 1)
    h = (np.arange(bins) + first) >> fold
    found = np.zeros((high - low, parities))
    inside = (h >= low) & (h < high)
    np.add.at(found, h[inside] - low, counts[inside])
    inward = np.zeros(2 + parities) if y is None or shift else _inward(k, y, parities)
    return fit_prior(found.T, shift, low, inward_shifts(inward), scale)


def _ends(counts: np.ndarray, scale: float) -> tuple[int, int]:
    """The first bin and the last one that get entries; they may lie outside, where a sample has none."""
    total = np.cumsum(counts)
    low, high = np.searchsorted(total, [_TAIL * total[-1], (1 - _TAIL) * total[-1]]).tolist()
    middle = (low + high) / 2
    margin = _MARGIN * (len(counts) + 8) if scale > 1 else 0.0
    least = max(middle + _BEYOND * (low - middle) - 2, -margin)
    largest = min(middle + _BEYOND * (high - middle) + 2, len(counts) - 1 + margin)
    return int(np.floor(least)), int(np.ceil(largest))


def _inward(k: np.ndarray, y: np.ndarray, parities: int) -> np.ndarray:
    """By how much numbers are nearer to zero than the points of their integers, on average, those next to it first."""
    # Of two parities both k = 0 and k = -1 are next to it; of one, k = 0 alone, which is zero.
    size = np.minimum(np.abs(k), 3) if parities == 1 else np.minimum(np.where(k < 0, -1 - k, k), 3)
    toward = (np.sign(k) if parities == 1 else np.where(k < 0, -1, 1)) * (k - y)
    some = np.bincount(size, minlength=4)
    means = np.bincount(size, toward, minlength=4) / np.maximum(some, 1)
    return np.where(some >= _ENOUGH, means, 0)[2 - parities :]
