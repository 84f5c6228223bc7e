"""Moving a block of vectors between rows of a matrix and SIMD lanes."""

from __future__ import annotations

from ltc.lattices.kernels.parallel import LANES, compiled

__all__ = ["load_lanes", "store_lanes"]


@compiled
def load_lanes(x, first, last, scale, block):  # type: ignore[no-untyped-def]
    """``block[i, lane] = x[first + lane, i] * scale[i]``; lanes past row ``last - 1`` repeat that row."""
    if first + LANES <= last:
        for lane in range(LANES):
            for i in range(x.shape[1]):
                block[i, lane] = x[first + lane, i] * scale[i]
    else:
        for lane in range(LANES):
            row = min(first + lane, last - 1)
            for i in range(x.shape[1]):
                block[i, lane] = x[row, i] * scale[i]


@compiled
def store_lanes(block, scale, first, last, out):  # type: ignore[no-untyped-def]
    """``out[first + lane, i] = block[i, lane] * scale[i]`` for the rows before ``last``."""
    for lane in range(min(LANES, last - first)):
        for i in range(out.shape[1]):
            out[first + lane, i] = block[i, lane] * scale[i]
