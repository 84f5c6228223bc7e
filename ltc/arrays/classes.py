"""The choice of classes: by the bits that the sample takes with them, and what telling them takes."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ltc.arrays.layouts import MOST_CLASSES, Layout
from ltc.arrays.scan import Sample, Scan

__all__ = ["ZEROS", "Choice", "block_classes", "choose_layout", "entropy"]

# Steps from one class's deviation to the next; the least deviation that has a class, in steps.
_RATIOS, _LEAST = (math.sqrt(2), 2.0), 1 / 8
# Bits of a class's prior, about.
_PRIOR = 200
# Numbers of a block, at least and at most; the longest are looked at if an axis has such a length.
_BLOCKS, _LONGEST = (64, 256, 1024), 1 << 16
# Cells that most numbers are in, at most, when bits are counted.
_CELLS = 32
# Whole numbers are counted in a table where it has at most so many places for each.
_DENSE = 4
# Numbers of the sample that tell which layout is best.
_FEW = 1 << 15
ZEROS = 0.02
"""The share of zeros from which on it may be worth telling them apart."""
# A mean this small, in deviations, is no mean.
_NO_MEAN = 1 / 8


@dataclass(frozen=True)
class Choice:
    """A layout, and how an encoder finds the classes of blocks.

    Attributes:
        layout: its classes.
        edges: root mean squares between the classes of blocks, float64 [classes - 1].
        kind: the classes of the sample's numbers, uint8 [n]; ``layout.classes`` of those that need no code.
    """

    layout: Layout
    edges: np.ndarray
    kind: np.ndarray


def entropy(x: np.ndarray, width: float) -> float:
    """Bits of numbers rounded to multiples of ``width``, all of them together, with Miller and Madow's correction.

    Cells that are narrow for the numbers are counted as wide ones that have parts: so are those of a prior. A value
    that many numbers have is worth nothing then.
    """
    n = len(x)
    if n < 2:
        return 0.0
    span = _middle_range(x)
    wide = max(width, (span or _middle_range(x[x != x[n // 2]])) / _CELLS)
    counts = _counts(np.rint(x / wide))
    bits = float(-(counts * np.log2(counts / n)).sum()) + (len(counts) - 1) / (2 * math.log(2))
    return bits + n * math.log2(wide / width)


def _counts(cells: np.ndarray) -> np.ndarray:
    """How often each whole number comes, of those that do."""
    least, largest = float(cells.min()), float(cells.max())
    if largest - least > _DENSE * len(cells):
        return np.unique(cells, return_counts=True)[1]
    counts = np.bincount((cells - least).astype(np.int64))
    return counts[counts > 0]


def _middle_range(x: np.ndarray) -> float:
    """From the first to the last decile, about: a few numbers tell."""
    if not len(x):
        return 0.0
    low, high = np.quantile(x[:: max(1, len(x) >> 10)], [0.1, 0.9])
    return float(high - low)


def choose_layout(found: Scan, shape: tuple[int, ...], width: float) -> Choice:
    """The layout of the least description length at a cell's width.

    Args:
        found: of the array.
        shape: of the array, its last axis the one that is stored together.
        width: of the cells.
    """
    few = replace(found, sample=found.sample.part(found.sample.few(_FEW)))
    makers: list[Callable[[Scan], Choice]] = [lambda scan: _alike(scan.sample)]
    if found.columns is not None:
        # Deviations that are a ratio apart may all lie between two classes: half a class further on they don't.
        grids = [(least, ratio) for ratio in _RATIOS for least in (width, width * math.sqrt(ratio))]
        makers += [lambda scan, g=grid: _columns(scan, *g) for grid in grids]  # type: ignore[misc]
    if np.count_nonzero(few.sample.x == 0) > ZEROS * len(few.sample.x):
        makers.append(lambda scan: _without_zeros(scan.sample))
    lengths = set(_BLOCKS)
    if len(shape) > 1:
        lengths |= {shape[-1], math.prod(shape[1:])}
    for length in sorted(lengths):
        if 16 <= length <= min(_LONGEST, found.size // 2):
            for ratio in _RATIOS:
                makers.append(lambda scan, n=length, r=ratio: _blocks(scan.sample, n, width, r))  # type: ignore[misc]
    best = min(makers, key=lambda make: _description(make(few), few, width))
    return best(found)


def _description(choice: Choice, found: Scan, width: float) -> float:
    layout, sample = choice.layout, found.sample
    scale = found.size / max(1, len(sample.x))
    centred = sample.x - _offsets(layout, sample)
    bits = sum(entropy(centred[choice.kind == c], width) for c in range(layout.classes)) * scale
    if layout.kind == 1:
        bits += layout.length * (5 + 24 * float((layout.offsets != 0).mean()))
    return bits + layout.class_bits(found.size) + _PRIOR * layout.classes


def _offsets(layout: Layout, sample: Sample) -> np.ndarray | float:
    return layout.offsets[sample.place % layout.length] if layout.kind == 1 else float(layout.offsets[0])


def _offset(x: np.ndarray) -> np.ndarray:
    """The mean, if it matters, with the digits of a float32."""
    with np.errstate(over="ignore", invalid="ignore"):
        mean, deviation = float(x.mean()), float(x.std())
        single = float(np.float32(mean))
    return np.array([single if abs(mean) > _NO_MEAN * deviation and np.isfinite(single) else 0.0])


def _alike(sample: Sample) -> Choice:
    return Choice(Layout(0, 1, 1, _offset(sample.x)), np.empty(0), np.zeros(len(sample.x), np.uint8))


def _columns(found: Scan, width: float, ratio: float) -> Choice:
    columns = found.columns
    assert columns is not None
    some = ~columns.constant
    level = _levels(columns.deviation[some], width, ratio)
    # Classes that no column has are no classes.
    names, classes = np.unique(level, return_inverse=True)
    count = max(1, len(names))
    of_column = np.full(len(some), count, np.uint8)
    of_column[some] = classes
    offsets = np.where(np.abs(columns.mean) > _NO_MEAN * columns.deviation, columns.mean.astype(np.float32), 0)
    offsets = np.where(some, offsets, 0).astype(np.float64)
    layout = Layout(1, len(some), count, offsets, of_column, columns.first[~some])
    return Choice(layout, np.empty(0), of_column[found.sample.place % len(some)])


def _blocks(sample: Sample, length: int, width: float, ratio: float) -> Choice:
    offsets = _offset(sample.x)
    _, block = np.unique(sample.place // length, return_inverse=True)
    centred = sample.x - offsets[0]
    size = np.bincount(block)
    rms = np.sqrt(np.bincount(block, centred * centred) / size)
    zero = np.bincount(block, sample.x != 0) == 0
    level = _levels(rms[~zero], width, ratio)
    names, classes = np.unique(level, return_inverse=True)
    count = max(1, len(names))
    edges = _LEAST * width * ratio ** ((names[1:] + names[:-1]) / 2 if len(names) > 1 else np.empty(0))
    of_block = np.full(len(size), count, np.uint8)
    of_block[~zero] = classes
    chances = np.bincount(of_block, minlength=count + 1)
    return Choice(Layout(2, length, count, offsets, chances=chances), edges, of_block[block])


def _without_zeros(sample: Sample) -> Choice:
    """Zeros apart from all others, number for number."""
    zero = sample.x == 0
    chances = np.array([np.count_nonzero(~zero), np.count_nonzero(zero)])
    return Choice(Layout(2, 1, 1, np.zeros(1), chances=chances), np.empty(0), zero.astype(np.uint8))


def _levels(deviation: np.ndarray, width: float, ratio: float) -> np.ndarray:
    with np.errstate(divide="ignore"):
        level = np.rint(np.log(np.maximum(deviation / (_LEAST * width), 1)) / math.log(ratio))
    # The classes are those of the largest deviations.
    return np.maximum(level, level.max(initial=0) - (MOST_CLASSES - 1))


def block_classes(choice: Choice, x: np.ndarray) -> np.ndarray:
    """The classes of a chunk's blocks, uint8; what is not finite counts as the offset.

    Args:
        choice: of blocks.
        x: numbers that begin with a block [n].
    """
    layout = choice.layout
    if layout.length == 1:
        return (x == 0).astype(np.uint8)
    starts = np.arange(0, len(x), layout.length)
    good = np.isfinite(x)
    with np.errstate(over="ignore", invalid="ignore"):
        centred = np.where(good, x - layout.offsets[0], 0).astype(np.float64)
        sizes = np.diff(np.append(starts, len(x)))
        rms = np.sqrt(np.add.reduceat(centred * centred, starts) / sizes)
    found = np.searchsorted(choice.edges, rms).astype(np.uint8)
    found[~np.logical_or.reduceat((x != 0) | ~good, starts)] = layout.classes
    return found
