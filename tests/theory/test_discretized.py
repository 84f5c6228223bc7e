"""DiscretizedRD against the closed forms, its own laws, and the envelope that carries its certificate."""

import itertools
import math
import pickle

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ltc.theory import (
    DiscretizedRD,
    GaussianRD,
    LaplaceL1RD,
    RateDistortionEnvelope,
    WaterfillingRD,
    blahut_arimoto,
    density_on_grid,
    halve_grid,
    histogram_on_grid,
    shannon_lower_bound,
)


def normal(x: torch.Tensor) -> torch.Tensor:
    return -0.5 * x.square().sum(-1)


def laplace(x: torch.Tensor) -> torch.Tensor:
    return -x.abs().sum(-1)


def flat(x: torch.Tensor) -> torch.Tensor:
    return torch.zeros(len(x))


def banana(x: torch.Tensor) -> torch.Tensor:
    return -0.5 * x[:, 0] ** 2 - 0.5 * ((x[:, 1] - 0.6 * (x[:, 0] ** 2 - 1)) / 0.4) ** 2


GAUSSIAN = DiscretizedRD.from_density(normal, [(-7, 7)], 300)
LAPLACE_L1 = DiscretizedRD.from_density(laplace, [(-14, 14)], 1400, measure="l1")
UNIFORM = DiscretizedRD.from_density(flat, [(-1, 1)], 300)
BANANA = DiscretizedRD.from_density(banana, [(-5, 5), (-4, 10)], 60, tolerance=2e-3)


@settings(deadline=None, max_examples=12)
@given(st.floats(0.02, 0.99))
def test_gaussian_mse_to_a_thousandth_of_a_bit(d: float) -> None:
    lower, upper = GAUSSIAN.bracket(d)
    exact = GaussianRD().rate(d)
    assert upper - lower <= 5e-4
    # The midpoint rule leaves no visible error on a smooth density: the certificate alone brackets the closed form.
    assert lower - 1e-6 <= exact <= upper + 1e-6


@settings(deadline=None, max_examples=8)
@given(st.floats(0.5, 0.99))
def test_laplace_l1_to_a_thousandth_of_a_bit(d: float) -> None:
    lower, upper = LAPLACE_L1.bracket(d)
    exact = LaplaceL1RD().rate(d)
    assert abs(lower - exact) <= 1e-3
    error = LAPLACE_L1.discretization_error(d) + LAPLACE_L1.tolerance
    assert lower - error <= exact <= upper + error


def test_stated_discretization_error_covers_the_true_one() -> None:
    coarse = DiscretizedRD.from_density(laplace, [(-14, 14)], 400, measure="l1")  # spacing 0.07
    for d in (0.05, 0.1, 0.3):
        error = abs(coarse.rate(d) - LaplaceL1RD().rate(d))
        assert coarse.tolerance < error <= coarse.discretization_error(d) + coarse.tolerance


@pytest.mark.parametrize("source", [GAUSSIAN, UNIFORM, BANANA], ids=["gaussian", "uniform", "banana"])
def test_curve_is_decreasing_convex_and_inverted_by_distortion(source: DiscretizedRD) -> None:
    for rate, d in source.curve([0.0, 0.2, 1.0, 2.5]):
        assert source.rate(d) == pytest.approx(rate, abs=1e-5)
    top = source.max_distortion
    points = [top * f for f in (0.05, 0.1, 0.3, 0.6, 0.9, 1.0, 1.5)]
    for d in points:
        source.rate(d)  # first solve everything: later answers may raise earlier ones within the tolerance
    rates = [source.rate(d) for d in points]
    assert rates == sorted(rates, reverse=True) and rates[-2:] == [0.0, 0.0]
    slopes = [(b - a) / (v - u) for (u, a), (v, b) in itertools.pairwise(zip(points, rates, strict=True))]
    assert all(b >= a - 1e-9 for a, b in itertools.pairwise(slopes))


def test_uniform_lies_between_the_shannon_bound_and_the_gaussian() -> None:
    for d in (0.01, 0.05, 0.2):
        rate = UNIFORM.rate(d)
        assert shannon_lower_bound(1.0, d) - 1e-3 <= rate <= GaussianRD(1 / 3).rate(d)
    assert UNIFORM.max_distortion == pytest.approx(1 / 3, abs=1e-4)


def test_two_dimensional_gaussian_equals_waterfilling() -> None:
    covariance = torch.tensor([[1.0, 0.8], [0.8, 1.0]], dtype=torch.float64)
    precision = torch.linalg.inv(covariance)
    source = DiscretizedRD.from_density(
        lambda x: -0.5 * ((x @ precision) * x).sum(-1), [(-6, 6), (-6, 6)], 60, tolerance=2e-3
    )
    exact = WaterfillingRD(covariance.numpy())
    for d in (0.3, 0.6):
        lower, upper = source.bracket(d)
        assert upper - lower <= 2e-3
        assert lower - 1e-4 <= exact.rate(d) <= upper + 1e-4
    assert source.dim == 2 and not source.exact


def test_two_dimensions_and_one_agree_on_independent_components() -> None:
    square = DiscretizedRD.from_density(normal, [(-6, 6), (-6, 6)], 60, tolerance=2e-3)
    line = DiscretizedRD.from_density(normal, [(-6, 6)], 60)
    assert square.rate(0.3) == pytest.approx(2 * line.rate(0.3), abs=3e-3)


def test_below_the_grid_the_rate_saturates_at_the_entropy() -> None:
    assert UNIFORM.rate(1e-12) == pytest.approx(math.log2(300), abs=1e-3)
    assert UNIFORM.discretization_error(1e-12) == pytest.approx(1.0, abs=2e-3)
    with pytest.raises(ValueError, match="entropy"):
        UNIFORM.distortion(9.0)


def test_samples_of_the_gaussian() -> None:
    x = torch.randn(50_000, 1, generator=torch.Generator().manual_seed(0))
    source = DiscretizedRD.from_samples(x, 150)
    for d in (0.1, 0.5):
        assert source.rate(d) == pytest.approx(0.5 * math.log2(float(x.var()) / d), abs=0.01)
        assert source.discretization_error(d) < 0.02


def test_at_a_fixed_slope_samples_are_biased_low() -> None:
    g = torch.Generator().manual_seed(1)
    pmf, (axis,) = density_on_grid(normal, [(-4, 4)], 60)
    d = (axis[:, None] - axis[None, :]).square()

    def lagrangian(p: torch.Tensor) -> float:
        result = blahut_arimoto(p, d, 10.0, tolerance=1e-3)
        return result.rate + 10 * result.distortion

    counts = [torch.multinomial(pmf, 100, replacement=True, generator=g).bincount(minlength=60) for _ in range(30)]
    assert sum(lagrangian(c.double() / 100) for c in counts) / 30 < lagrangian(pmf) - 0.01


def test_too_few_iterations_widen_the_stated_tolerance() -> None:
    source = DiscretizedRD.from_density(flat, [(-1, 1)], 100, tolerance=1e-6, max_iterations=5)
    assert source.tolerance == 1e-6
    lower, upper = source.bracket(0.05)
    assert source.tolerance == upper - lower > 1e-6
    assert lower <= UNIFORM.bracket(0.05)[1] + 1e-3 and upper >= UNIFORM.rate(0.05) - 1e-3


def test_pmf_on_a_grid_of_uneven_spacing_and_pickle() -> None:
    axis = torch.tensor([0.0, 1.0, 3.0, 4.0, 9.0])
    source = pickle.loads(pickle.dumps(DiscretizedRD(torch.full((5,), 0.2), [axis])))
    assert source.max_distortion == pytest.approx(10.0)  # reproduction 3, on the grid
    assert 0 < source.rate(1.0) < math.log2(5)
    assert source.discretization_error(1.0) > 0


def test_halving_keeps_mass_and_joins_the_odd_cell() -> None:
    pmf, axes = halve_grid(torch.arange(35.0).reshape(5, 7), [torch.arange(5.0), torch.arange(7.0)])
    assert pmf.shape == (2, 3) and pmf.sum() == sum(range(35))
    assert [len(a) for a in axes] == [2, 3]
    with pytest.raises(ValueError, match="at least 4"):
        halve_grid(torch.ones(3) / 3, [torch.arange(3.0)])


def test_histogram_counts_pairs() -> None:
    x = torch.tensor([[0.0, 0.0], [4.0, 8.0], [4.0, 8.0], [3.9, 0.1]])
    pmf, axes = histogram_on_grid(x, 4)
    assert pmf[3, 3] == 0.5 and pmf[0, 0] == pmf[3, 0] == 0.25
    assert axes[1].tolist() == [1.0, 3.0, 5.0, 7.0]


@settings(deadline=None, max_examples=20)
@given(st.lists(st.floats(0.05, 50.0), min_size=1, max_size=5), st.floats(0.01, 0.24))
def test_envelope_brackets_and_only_tightens(slopes: list[float], d: float) -> None:
    pmf, matrix = torch.full((5,), 0.2), (torch.arange(5.0)[:, None] - torch.arange(5.0)).abs() / 4
    envelope = RateDistortionEnvelope(math.log2(5), 0.3)
    truth = blahut_arimoto(pmf, matrix, 7.0, tolerance=1e-6)
    lower, upper = envelope.lower(d), envelope.upper(d)
    for slope in slopes:
        envelope.add(blahut_arimoto(pmf, matrix, slope))
        assert envelope.lower(d) >= lower and envelope.upper(d) <= upper
        lower, upper = envelope.lower(d), envelope.upper(d)
        assert lower <= upper + 1e-9
    assert envelope.lower(truth.distortion) <= truth.upper + 1e-9
    assert envelope.upper(truth.distortion) >= truth.lower - 1e-9
    if lower > 0:
        assert envelope.distortion_at(lower) == pytest.approx(d)


third, axis3 = torch.ones(3) / 3, torch.arange(3.0)


@pytest.mark.parametrize(
    ("pmf", "axes", "keywords", "why"),
    [
        (third, [torch.arange(4.0)], {}, "axes"),
        (third, [axis3, axis3], {}, "axes"),
        (third, [-axis3], {}, "increasing"),
        (torch.ones(3), [axis3], {}, "pmf"),
        (torch.tensor([1.0, 0.0, 0.0]), [axis3], {}, "one cell"),
        (third, [axis3], {"measure": "hamming"}, "measure"),
        (torch.ones(3, 3) / 9, [axis3, axis3], {"measure": "l1"}, "measure"),
        (third, [axis3], {"tolerance": 0.0}, "tolerance"),
    ],
)
def test_bad_pmfs_are_refused(pmf: torch.Tensor, axes: list, keywords: dict, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        DiscretizedRD(pmf, axes, **keywords)


@pytest.mark.parametrize(
    ("log_density", "bounds", "resolution", "why"),
    [
        (normal, [(1, 1)], 10, "bounds"),
        (normal, [(0, math.inf)], 10, "bounds"),
        (normal, [(0, 1)] * 3, 10, "bounds"),
        (normal, [(0, 1)], 3, "resolution"),
        (lambda x: x, [(0, 1)], 10, "log_density"),
        (lambda x: x[:, 0] * math.nan, [(0, 1)], 10, "log_density"),
        (lambda x: flat(x) - math.inf, [(0, 1)], 10, "log_density"),
    ],
)
def test_bad_densities_are_refused(log_density: object, bounds: list, resolution: int, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        DiscretizedRD.from_density(log_density, bounds, resolution)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("samples", "why"),
    [
        (torch.zeros(5), "samples"),
        (torch.zeros(5, 3), "samples"),
        (torch.zeros(0, 1), "samples"),
        (torch.full((5, 1), math.nan), "samples"),
        (torch.zeros(5, 1), "bounds"),
    ],
)
def test_bad_samples_are_refused(samples: torch.Tensor, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        DiscretizedRD.from_samples(samples, 10)


@pytest.mark.parametrize("bad", [0.0, -1.0, math.nan])
def test_bad_questions_are_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="distortion"):
        UNIFORM.rate(bad)
    with pytest.raises(ValueError, match="rate"):
        UNIFORM.distortion(-1.0)
