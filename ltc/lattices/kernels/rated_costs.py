"""What an integer costs for a sample, distortion and bits together, where a table has the bits.

The cost of an integer k for a sample y is ``weight * (y - point(k))^2 + bits(k)``, with a table of both for each class
of samples. Where the table ends, a point is its integer, and its bits are those of the table's ends.
"""

from __future__ import annotations

import numpy as np

from ltc.lattices.kernels.compilation import inlined
from ltc.lattices.kernels.octets import four_costs

__all__ = ["cost_of", "costs_around"]


@inlined
def costs_around(sample, kind, bits, inward, width, weight):  # type: ignore[no-untyped-def]
    """The costs of the eight integers around a sample, the lesser of those four apart.

    Args:
        sample: in steps.
        kind: its class.
        bits, inward: of all classes, one after another.
        width: of a class.
        weight: of the squared error.

    Returns:
        The first of the integers, the four costs, and an integer whose bit j is whether j + 4 has the lesser one.
    """
    low = np.int64(np.floor(sample)) - 3
    rest = np.float32(sample - low)
    at = low + width // 2
    shift = width * np.int64(kind)
    if at >= 0 and at + 8 <= width:
        one, two, three, four, which = four_costs(bits, inward, at + shift, rest, weight)
    else:
        one, p = _outer(bits, inward, shift, width, at, rest, weight, 0)
        two, q = _outer(bits, inward, shift, width, at, rest, weight, 1)
        three, r = _outer(bits, inward, shift, width, at, rest, weight, 2)
        four, s = _outer(bits, inward, shift, width, at, rest, weight, 3)
        which = np.uint8(p + 2 * q + 4 * r + 8 * s)
    return low, one, two, three, four, which


@inlined
def _outer(bits, inward, shift, width, at, rest, weight, j):  # type: ignore[no-untyped-def]
    """The lesser cost of integers j and j + 4, and which has it, where some are outside of the table."""
    one = cost_of(bits, inward, shift, width, at + j, rest - np.float32(j), weight)
    two = cost_of(bits, inward, shift, width, at + j + 4, rest - np.float32(j + 4), weight)
    return (two, 1) if two < one else (one, 0)


@inlined
def cost_of(bits, inward, shift, width, at, error, weight):  # type: ignore[no-untyped-def]
    """That of the integer number ``at`` of a class whose table begins at ``shift``, ``error`` away."""
    inside = min(max(at, 0), width - 1)
    if inside == at:
        error -= inward[shift + inside]
    return weight * error * error + bits[shift + inside]
