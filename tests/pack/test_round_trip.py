"""What comes back has shape, type, order and exceptions of what was packed, whatever it is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import ltc

FLOATS = ["<f2", "<f4", "<f8", ">f4", ">f8"]
INTEGERS = ["i1", "u1", "<i2", ">u2", "<i4", "<u4", "<i8", ">u8"]
OTHERS = ["?", "<c8", "<M8[s]", "<U3", "S2"]
SHAPES = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=7)


def bits_of(array):
    return np.ascontiguousarray(array).tobytes()


def same_kind(found, array):
    assert found.dtype == array.dtype and found.shape == array.shape
    wide = array.ndim > 1 and array.size > 1
    if wide and array.flags.f_contiguous != array.flags.c_contiguous:
        assert found.flags.f_contiguous == array.flags.f_contiguous


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_floats_of_any_kind(data):
    kind = np.dtype(data.draw(st.sampled_from(FLOATS)))
    array = data.draw(hnp.arrays(kind, SHAPES, elements=hnp.from_dtype(kind)))
    if data.draw(st.booleans()):
        array = np.asfortranarray(array)
    found = ltc.unpack(ltc.pack(array, bits=data.draw(st.sampled_from([0.5, 3.0, 9.0]))))
    same_kind(found, array)
    odd = ~np.isfinite(array)
    assert bits_of(found[odd]) == bits_of(array[odd])
    assert np.isfinite(found[~odd]).all()


@pytest.mark.parametrize("value", [1.0, 6e-8, -3e4])
@pytest.mark.parametrize("kind", FLOATS)
def test_a_number_alone_among_zeros(kind, value):
    """However many bits its share of the file gives it."""
    array = np.zeros((2, 3, 4, 5), kind)
    array[0, 0, 0, 0] = value
    for bits in (0.5, 9.0):
        found = ltc.unpack(ltc.pack(array, bits=bits))
        same_kind(found, array)
        assert np.isfinite(found).all()
    assert found.astype(float).ravel()[0] == pytest.approx(float(array.ravel()[0]), rel=1e-2)


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_any_type_is_kept_exactly_when_asked(data):
    kind = np.dtype(data.draw(st.sampled_from(FLOATS + INTEGERS + OTHERS)))
    array = data.draw(hnp.arrays(kind, SHAPES))
    found = ltc.unpack(ltc.pack(array, exact=True))
    same_kind(found, array)
    assert bits_of(found) == bits_of(array)


@pytest.mark.parametrize("kind", INTEGERS)
def test_integers_come_back_as_integers_that_are_near(kind, rng):
    limits = np.iinfo(kind)
    array = np.clip(rng.normal(limits.max // 2, min(limits.max / 8, 1e6), size=3000), limits.min, limits.max)
    array = array.astype(kind)
    found = ltc.unpack(ltc.pack(array, bits=2))
    same_kind(found, array)
    assert np.square(found.astype(float) - array.astype(float)).mean() < 0.15 * array.astype(float).var()


@pytest.mark.parametrize("kind", ["i1", "<u2", ">i4", "<i8"])
def test_integers_are_exact_where_that_is_asked_or_cheaper(kind, rng):
    array = rng.integers(0 if "u" in kind else -20, 20, size=(50, 60)).astype(kind)
    assert (ltc.unpack(ltc.pack(array, exact=True)) == array).all()
    assert (ltc.unpack(ltc.pack(array, bits=12)) == array).all()
    # Better than bytes that are squeezed: nearly the entropy, log2(40).
    assert 8 * len(ltc.pack(array, exact=True)) / array.size < 5.32 + 0.5


def test_nan_patterns_and_infinities_keep_their_bits(rng):
    array = rng.normal(size=5000).astype(np.float32)
    places = rng.integers(0, 5000, 300)
    array[places] = (0x7FC00000 + rng.integers(0, 1000, 300)).astype(np.uint32).view(np.float32)
    array[:3] = [np.inf, -np.inf, np.nan]
    found = ltc.unpack(ltc.pack(array, bits=2))
    odd = ~np.isfinite(array)
    assert bits_of(found[odd]) == bits_of(array[odd]) and np.abs(found[~odd] - array[~odd]).max() < 3


def test_all_or_nearly_all_nan(rng):
    array = np.full(1000, np.nan)
    array[1] = np.inf
    assert bits_of(ltc.unpack(ltc.pack(array, bits=2))) == bits_of(array)
    array[2:4] = [1.0, 2.0]
    found = ltc.unpack(ltc.pack(array, bits=2))
    assert np.isfinite(found[2:4]).all() and np.isnan(found[4:]).all()


def test_constant_columns_are_exact(rng):
    array = rng.normal(size=(2000, 8)) * 10.0 ** np.arange(-4, 4)
    array[:, 3], array[:, 5] = np.pi, -0.0
    for order in (array, np.asfortranarray(array)):
        found = ltc.unpack(ltc.pack(order, bits=3))
        if order is array:
            assert bits_of(found[:, [3, 5]]) == bits_of(array[:, [3, 5]])
        assert np.square(found - array).mean() < 1e-2 * array.var()


def test_columns_of_all_scales_beat_a_class_for_all(rng):
    array = (rng.normal(size=(4000, 16)) * 2.0 ** rng.permutation(16) + 1000).astype(np.float32)
    found = ltc.unpack(ltc.pack(array, bits=9))
    apart = np.log2(array.std(0)).mean() - np.log2(array.std())
    gap = 9 + 0.5 * np.log2(np.square(found - array).mean() / array.var()) - apart
    assert gap < 0.15


def test_blocks_of_zeros_and_of_all_scales(rng):
    array = (rng.normal(size=(300, 500)) * 2.0 ** rng.integers(-3, 4, (300, 1))).astype(np.float32)
    array[::3] = 0
    found = ltc.unpack(ltc.pack(array, bits=3))
    assert (found[::3] == 0).all() and np.square(found - array).mean() < 1e-3 * array.var()


def test_sparse_weights_stay_sparse(rng):
    array = rng.normal(size=100_000).astype(np.float32)
    array[rng.random(100_000) < 0.9] = 0
    data = ltc.pack(array, bits=1.2)
    found = ltc.unpack(data)
    assert abs(8 * len(data) / array.size - 1.2) < 0.03
    assert (found[array == 0] == 0).all()


@pytest.mark.parametrize("value", [0.0, -0.0, np.pi, np.inf, np.nan])
def test_arrays_of_one_number_are_exact(value):
    for array in (np.array(value), np.full((3, 4), value, np.float32), np.full((2, 0), value)):
        found = ltc.unpack(ltc.pack(array, bits=1))
        assert bits_of(found) == bits_of(array) and found.shape == array.shape


def test_extreme_numbers(rng):
    for scale in (1e-300, 1e-160, 1e160, 1e300, np.finfo(float).tiny):
        array = rng.normal(size=500) * scale
        found = ltc.unpack(ltc.pack(array, bits=4))
        assert np.abs(found / scale - array / scale).max() < 2
    heavy = rng.standard_cauchy(size=20_000) ** 3
    assert np.isfinite(ltc.unpack(ltc.pack(heavy, bits=4))).all()


def test_several_arrays_by_name(rng):
    arrays = {"w": rng.normal(size=(200, 300)), "b": rng.normal(size=300), "steps": np.arange(9), "": np.array(3.0)}
    data = ltc.pack(arrays, bits=3)
    found = ltc.unpack(data)
    assert list(found) == list(arrays) and (found["steps"] == np.arange(9)).all()
    assert np.abs(found["b"] - arrays["b"]).max() < 0.05
    assert abs(8 * len(data) / sum(a.size for a in arrays.values()) - 3) < 0.1


def test_objects_and_records_are_refused():
    for array in (np.array([{}]), np.zeros(3, [("a", "f4")])):
        with pytest.raises(ValueError, match="no numbers that can be packed"):
            ltc.pack(array, bits=2)
