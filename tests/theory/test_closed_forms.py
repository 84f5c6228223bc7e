"""Laws of the closed forms: inverse, monotone, convex, water-filling's optimality, and the Shannon lower bound."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ltc.theory import (
    GaussianRD,
    LaplaceL1RD,
    RateDistortionFunction,
    WaterfillingRD,
    shannon_lower_bound,
)

scale = st.floats(1e-3, 1e3)
fraction = st.floats(1e-6, 0.999)
factor = st.integers(1, 6).flatmap(lambda n: arrays(np.float64, (n, n), elements=st.floats(-3, 3, width=32)))


class BisectedGaussian(GaussianRD):
    """The Gaussian law with the inverse of the base class."""

    distortion = RateDistortionFunction.distortion


def waterfilling(a: np.ndarray) -> WaterfillingRD:
    return WaterfillingRD(a @ a.T + 1e-3 * np.eye(len(a)))


bound = st.one_of(scale.map(GaussianRD), scale.map(BisectedGaussian), scale.map(LaplaceL1RD), factor.map(waterfilling))


@given(bound, fraction)
def test_rate_and_distortion_are_inverse(bound: RateDistortionFunction, f: float) -> None:
    d = f * bound.max_distortion
    assert bound.distortion(bound.rate(d)) == pytest.approx(d, rel=1e-9)


@given(scale, st.floats(1e-3, 1e3), fraction)
def test_no_distortion_costs_less_than_the_least(variance: float, lmbda: float, f: float) -> None:
    bound = GaussianRD(variance)
    reached = min(variance, 1 / (2 * math.log(2) * lmbda))
    assert bound.least_cost(lmbda) == pytest.approx(bound.rate(reached) + lmbda * reached)
    d = f * variance
    assert bound.least_cost(lmbda) <= bound.rate(d) + lmbda * d + 1e-9
    with pytest.raises(ValueError, match="lmbda"):
        bound.least_cost(-lmbda)


@given(bound, st.lists(fraction, min_size=3, max_size=3, unique=True))
def test_rate_is_nonincreasing_and_convex(bound: RateDistortionFunction, f: list[float]) -> None:
    a, b, c = (x * bound.max_distortion for x in sorted(f))
    ra, rb, rc = bound.rate(a), bound.rate(b), bound.rate(c)
    assert ra >= rb >= rc >= 0
    assert rb <= ra + (rc - ra) * (b - a) / (c - a) + 1e-9


@given(bound)
def test_ends_of_the_curve(bound: RateDistortionFunction) -> None:
    assert bound.rate(2 * bound.max_distortion) == 0
    assert bound.distortion(0) == bound.max_distortion
    assert bound.exact and bound.tolerance == 0
    assert bound.curve([2.0, 0.0])[1] == (0.0, bound.max_distortion)


@given(scale, fraction)
def test_waterfilling_of_one_component_is_the_scalar_law(variance: float, f: float) -> None:
    vector, scalar = WaterfillingRD([[variance]]), GaussianRD(variance)
    assert vector.rate(f * variance) == pytest.approx(scalar.rate(f * variance), rel=1e-12, abs=1e-12)
    assert vector.distortion(3 * f) == pytest.approx(scalar.distortion(3 * f), rel=1e-12)


@given(factor, fraction)
def test_waterfilling_is_the_sum_over_eigenvalues_and_meets_kkt(a: np.ndarray, f: float) -> None:
    bound = waterfilling(a)
    d = f * bound.max_distortion
    level = bound.water_level(d)
    parts = np.minimum(level, bound.eigenvalues)
    # Primal feasibility, with every component at the water level or (below it) silent: the KKT conditions.
    assert parts.mean() == pytest.approx(d, rel=1e-9)
    rates = [GaussianRD(v).rate(p) for v, p in zip(bound.eigenvalues, parts, strict=True)]
    assert bound.rate(d) == pytest.approx(sum(rates), rel=1e-9, abs=1e-9)
    # The multiplier is 1 / (2 theta ln 2) per unit of total distortion: it is the slope of R.
    step = 1e-6 * d
    slope = (bound.rate(d - step) - bound.rate(d + step)) / (2 * step)
    assert slope == pytest.approx(bound.dim / (2 * level * math.log(2)), rel=1e-3)


@given(factor, st.integers(0, 2**32 - 1), fraction)
def test_no_other_allocation_beats_waterfilling(a: np.ndarray, seed: int, f: float) -> None:
    bound = waterfilling(a)
    d = f * bound.max_distortion
    parts = np.random.default_rng(seed).dirichlet(np.ones(bound.dim)) * d * bound.dim
    if (parts > 0).all():
        rates = [GaussianRD(v).rate(p) for v, p in zip(bound.eigenvalues, parts, strict=True)]
        assert sum(rates) >= bound.rate(d) - 1e-9


def test_directions_without_variance_are_free() -> None:
    line = np.outer([1.0, 2.0, 2.0], [1.0, 2.0, 2.0])  # one eigenvalue, 9
    assert WaterfillingRD(line).rate(1.0) == pytest.approx(0.5 * math.log2(9 / 3))
    assert WaterfillingRD(line).rate(1e-30) == pytest.approx(0.5 * math.log2(9 / 3e-30))
    assert WaterfillingRD(line).distortion(2.0) == pytest.approx(9 / 16 / 3)


@given(scale, fraction)
def test_shannon_lower_bound_is_tight_for_its_two_sources(b: float, f: float) -> None:
    gaussian = 0.5 * math.log2(2 * math.pi * math.e * b)
    assert shannon_lower_bound(gaussian, f * b) == pytest.approx(GaussianRD(b).rate(f * b), abs=1e-9)
    laplace = math.log2(2 * math.e * b)
    assert shannon_lower_bound(laplace, f * b, measure="l1") == pytest.approx(LaplaceL1RD(b).rate(f * b), abs=1e-9)
    assert shannon_lower_bound(3 * gaussian, f * b, dim=3) == pytest.approx(3 * GaussianRD(b).rate(f * b), abs=1e-8)
    assert shannon_lower_bound(gaussian, 2 * b) == 0


@settings(max_examples=10)
@given(bound)
def test_bad_arguments_are_refused(bound: RateDistortionFunction) -> None:
    for bad in (0.0, -1.0, math.nan):
        with pytest.raises(ValueError, match="distortion"):
            bound.rate(bad)
    for bad in (-1.0, math.nan, math.inf):
        with pytest.raises(ValueError, match="rate"):
            bound.distortion(bad)


def test_unreachable_rate_is_refused_by_bisection() -> None:
    with pytest.raises(ValueError, match="ask for less"):
        BisectedGaussian().distortion(1e4)


@pytest.mark.parametrize("bad", [0.0, -1.0, math.nan, math.inf])
def test_bad_parameters_are_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="variance"):
        GaussianRD(bad)
    with pytest.raises(ValueError, match="scale"):
        LaplaceL1RD(bad)


@pytest.mark.parametrize(
    ("covariance", "why"),
    [
        ([1.0, 2.0], "square"),
        ([[1.0, 2.0]], "square"),
        ([[math.nan]], "finite"),
        ([[1.0, 0.5], [0.0, 1.0]], "symmetric"),
        ([[1.0, 2.0], [2.0, 1.0]], "negative"),
        ([[0.0, 0.0], [0.0, 0.0]], "zero"),
    ],
)
def test_bad_covariances_are_refused(covariance: list, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        WaterfillingRD(covariance)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ((1.0, 0.0), "distortion"),
        ((1.0, 1.0, 0), "dim"),
        ((1.0, 1.0, 1, "mae"), "measure"),
        ((math.inf, 1.0), "entropy"),
    ],
)
def test_bad_shannon_arguments_are_refused(arguments: tuple, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        shannon_lower_bound(*arguments)
