"""Numba's insides are what ``ltc.lattices.kernels`` takes them for: these fail when an update changes them."""

import numba
import numpy as np

from ltc.lattices.kernels import simd
from ltc.lattices.kernels.barnes_wall import _search
from ltc.lattices.kernels.compilation import _SHARED


@numba.njit
def _lanes(table, out):
    value, other = simd.load(table, 0), simd.load(table, 1)
    small = value < other
    simd.store(out, 0, value + other * 2.0)
    simd.store(out, 1, simd.select(small, value, simd.filled(table, 7.0)))
    simd.store(out, 2, simd.minimum(simd.rint(value), simd.maximum(value, other)))
    return simd.bits(small)


def test_lanes_are_numbers_side_by_side(rng):
    for dtype in (np.float32, np.float64):
        table, out = rng.normal(size=(2, simd.LANES)).astype(dtype), np.zeros((3, simd.LANES), dtype)
        bits = _lanes(table, out)
        value, other = table
        np.testing.assert_allclose(out[0], value + other * dtype(2))
        np.testing.assert_array_equal(out[1], np.where(value < other, value, 7))
        np.testing.assert_array_equal(out[2], np.minimum(np.rint(value), np.maximum(value, other)))
        assert [bool(int(bits) >> lane & 1) for lane in range(simd.LANES)] == list(value < other)


def test_a_kernels_cache_knows_the_files_that_all_share():
    """Without the stamp it would go on with old code after a change in one of them."""
    assert _search._cache._cache_file._source_stamp[1] == _SHARED
