"""Quantization by a trellis code of many states at the least cost, distortion and bits together, in bounded memory.

What ``ltc.lattices.kernels.rated_viterbi`` does, for one sequence at a time with a window of decisions.
"""

from __future__ import annotations

import numpy as np

from ltc.lattices.kernels.compilation import compiled, inlined
from ltc.lattices.kernels.rated_costs import costs_around
from ltc.lattices.kernels.windowed_search import price, scratch, search

__all__ = ["quantize_long_sequences"]

# Short integers of a squared step, and the least weight of one: at a lower one, of so many bits.
_FINE, _LEAST = 1024, 3.0


@compiled
def quantize_long_sequences(  # type: ignore[no-untyped-def]
    y, kind, bits, inward, weight, nu, masks, lanes, order, ends, rows, length, out
):
    """The integers of the cheapest paths.

    Args:
        y, kind, bits, inward, weight, length, out: of ``ltc.lattices.kernels.rated_viterbi.quantize_sequences``.
        nu, masks, lanes, order, ends: of ``ltc.lattices.kernels.phases.Phases``.
        rows: of ``ltc.lattices.kernels.windowed_search``.
    """
    n, width = len(y), bits.shape[1]
    bits, inward = bits.ravel(), inward.ravel()
    scale = np.float32(_FINE / max(weight, _LEAST))
    memory = scratch(1 << nu, rows, min(n, length))
    path = np.empty(min(n, length), np.uint8)
    for start in range(0, n, length):
        count = min(length, n - start)
        source = (y[start : start + count], kind[start : start + count], bits, inward, width, weight, scale)
        search(count, _fill_rated, source, memory, nu, masks, lanes, order, ends, path)
        for i in range(start, start + count):
            low, _, _, _, _, which = costs_around(y[i], kind[i], bits, inward, width, weight)
            j = (np.int64(path[i - start]) - low) & 3
            out[i] = low + j + 4 * ((int(which) >> j) & 1)


@inlined
def _fill_rated(source, first, last, costs):  # type: ignore[no-untyped-def]
    y, kind, bits, inward, width, weight, scale = source
    rows = len(costs)
    row = first % rows
    for t in range(first, last):
        low, one, two, three, four, _ = costs_around(y[t], kind[t], bits, inward, width, weight)
        # Of the four residues mod 4 in their order, the first of the integers has residue low mod 4.
        turn = low & 3
        if turn == 0:
            price(one, two, three, four, scale, costs, row)
        elif turn == 1:
            price(four, one, two, three, scale, costs, row)
        elif turn == 2:
            price(three, four, one, two, scale, costs, row)
        else:
            price(two, three, four, one, scale, costs, row)
        row = row + 1 if row + 1 < rows else 0
