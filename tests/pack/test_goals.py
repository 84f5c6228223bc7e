"""Files are what was asked for: so many bits, so good, within an error, and near to R(D)."""

import numpy as np
import pytest

import ltc
from ltc.arrays.goals import Goal


@pytest.fixture(scope="module")
def normal():
    return np.random.default_rng(7).normal(size=400_000).astype(np.float32)


def measured(array, **goal):
    data = ltc.pack(array, **goal)
    error = ltc.unpack(data).astype(np.float64) - array
    return 8 * len(data) / array.size, float(np.square(error).mean()), float(np.abs(error).max())


@pytest.mark.parametrize("bits", [0.5, 1.0, 2.0, 4.5])
def test_bits_are_met_near_to_the_bound(bits, normal):
    rate, distortion, _ = measured(normal, bits=bits)
    assert rate == pytest.approx(bits, rel=0.01)
    # 0.0328 bit is the code's own gap; ends, the model and what a sample does not know are the rest.
    assert rate + 0.5 * np.log2(distortion / normal.var()) < 0.04


@pytest.mark.parametrize(("code", "gap"), [("z", 0.2546), ("tcq8", 0.075), ("tcq64", 0.0456)])
def test_each_code_has_its_gap(code, gap, normal):
    rate, distortion, _ = measured(normal, bits=2.5, code=code)
    assert rate + 0.5 * np.log2(distortion / normal.var()) == pytest.approx(gap, abs=0.006)


@pytest.mark.parametrize("lmbda", [0.9, 1.0, 1.1, 1.2])
def test_a_low_lambda_costs_no_more_than_a_high_one(lmbda, normal):
    """Rate + lambda * distortion above the least there is, at most the code's gap at high rate."""
    array = normal / np.sqrt(np.mean(np.square(normal, dtype=np.float64))).astype(np.float32)
    rate, distortion, _ = measured(array, lmbda=lmbda, code="tcq64")
    least = 1 / (2 * np.log(2) * lmbda)
    # What is around the numbers of a small file takes 0.004 bit.
    assert rate + lmbda * distortion - (-0.5 * np.log2(least) + lmbda * least) - 0.004 < 0.0456


def test_at_a_lambda_that_pays_for_nothing_nothing_is_sent(normal):
    rate, distortion, _ = measured(normal, lmbda=0.6)
    assert rate < 0.01 and distortion == pytest.approx(normal.var(), rel=0.01)


@pytest.mark.parametrize("bits", [0.4, 3.0])
def test_bits_of_other_distributions(bits, rng):
    for array in (rng.laplace(size=100_000), rng.standard_t(3, size=100_000), np.maximum(rng.normal(size=100_000), 0)):
        assert measured(array, bits=bits, code="tcq8")[0] == pytest.approx(bits, rel=0.02)


def test_small_arrays_have_the_bits_that_surroundings_leave(rng):
    array = rng.normal(size=3000)
    assert measured(array, bits=4)[0] == pytest.approx(4, rel=0.02)


@pytest.mark.parametrize("psnr", [25.0, 40.0, 90.0])
def test_psnr_is_met(psnr, normal):
    array = normal[:300_000]
    _, distortion, _ = measured(array, psnr=psnr, code="tcq8")
    found = 10 * np.log10(np.ptp(array.astype(float)) ** 2 / distortion)
    assert psnr - 0.005 < found < psnr + 0.06


@pytest.mark.parametrize("kind", ["<f2", "<f4", "<f8", "<i2"])
@pytest.mark.parametrize("most", [3.0, 0.01, 1e-5])
def test_no_error_is_larger_than_asked(kind, most, rng):
    array = (10 * rng.standard_t(3, size=20_000)).astype(kind)
    assert measured(array, max_error=most)[2] <= most


def test_an_error_below_the_type_s_own_is_none(rng):
    array = rng.normal(size=1000).astype(np.float32)
    assert measured(array, max_error=1e-12)[2] == 0


def test_lambda_is_the_slope(normal):
    normal = normal[:150_000]
    rate, distortion, _ = measured(normal, lmbda=10.0)
    # Where rate + lambda * distortion is least, D = 1 / (2 ln 2 lambda).
    assert distortion == pytest.approx(1 / (2 * np.log(2) * 10), rel=0.06)
    for other in (5.0, 20.0):
        its_rate, its_distortion, _ = measured(normal, lmbda=other)
        assert rate + 10 * distortion < its_rate + 10 * its_distortion


def test_error_falls_with_bits(normal):
    found = [measured(normal[:50_000], bits=bits, code="tcq8")[1] for bits in (0.3, 0.6, 1.2, 2, 3, 5, 8, 11)]
    assert found == sorted(found, reverse=True)


def test_bytes_do_not_depend_on_threads(rng):
    array = rng.normal(size=(1300, 1000)).astype(np.float32)
    data = ltc.pack(array, bits=2, code="tcq8", threads=1)
    assert all(ltc.pack(array, bits=2, code="tcq8", threads=threads) == data for threads in (2, 3))
    assert (ltc.unpack(data, threads=1) == ltc.unpack(data, threads=3)).all()


@pytest.mark.parametrize(
    ("goal", "word"),
    [
        ({}, "One of"),
        ({"bits": 2.0, "psnr": 3.0}, "One of"),
        ({"bits": -1.0}, "positive"),
        ({"bits": float("nan")}, "positive"),
        ({"bits": 100.0}, "more than any"),
        ({"lmbda": "x"}, "lambda is a positive"),
    ],
)
def test_goals_that_are_none(goal, word):
    with pytest.raises(ValueError, match=word):
        Goal(**goal)


def test_codes_that_are_none():
    with pytest.raises(ValueError, match="no code 'tcq7'"):
        ltc.pack(np.arange(3.0), bits=2, code="tcq7")
    with pytest.raises(ValueError, match="Only rounding"):
        ltc.pack(np.arange(3.0), max_error=2, code="tcq8")
