"""The bound from samples: never below R(D), close to it for Gaussians, its errors, its hull, and the descent."""

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ltc.theory import GaussianRD, RateDistortionFunction, WaterfillingRD, blahut_arimoto
from ltc.theory.sample_bound import AchievablePoint, SampleUpperBound, achievable_point, sample_bounds
from ltc.theory.wasserstein import WassersteinDescent, mean_squares

SIGMAS = 4.0  # of fresh inputs on each run


def standardized(count: int, dim: int) -> torch.Tensor:
    """Gaussian samples of exactly the moments of N(0, I): what is left of the noise is a fraction of it."""
    x = torch.randn(count, dim, dtype=torch.float64)
    x = x - x.mean(0)
    return x @ torch.linalg.inv(torch.linalg.cholesky(x.T @ x / count)).T


def gap(point: AchievablePoint, bound: RateDistortionFunction) -> float:
    return point.rate - bound.rate(point.distortion)


def white(dim: int) -> WaterfillingRD:
    return WaterfillingRD(torch.eye(dim).numpy())


@pytest.mark.parametrize(
    ("dim", "particles", "slopes"),
    [(1, 100, [1.0, 4.0]), (2, 400, [2.0, 6.0]), pytest.param(4, 800, [4.0, 9.0], marks=pytest.mark.slow)],
)
def test_gaussians_of_1_2_and_4_dimensions(dim: int, particles: int, slopes: list[float]) -> None:
    train, fresh = torch.randn(50_000, dim), torch.randn(50_000, dim)
    points = sample_bounds(train, fresh, slopes, WassersteinDescent(particles, steps=300))
    for point, slope in zip(points, slopes, strict=True):
        assert gap(point, white(dim)) > -SIGMAS * point.cost_error
        assert point.slope == slope and point.samples == 50_000
        exact = standardized(50_000, dim)
        assert gap(achievable_point(exact, point.reproduction, point.weights, slope), white(dim)) < 0.03
    assert points[0].rate < points[1].rate and points[0].distortion > points[1].distortion


def test_a_correlated_gaussian_against_waterfilling() -> None:
    covariance = torch.tensor([[1.0, 0.9], [0.9, 1.0]], dtype=torch.float64)
    factor, bound = torch.linalg.cholesky(covariance), WaterfillingRD(covariance.numpy())

    def draw(count: int) -> torch.Tensor:
        return torch.randn(count, 2) @ factor.T.float()

    # At slope 3 the water is above the small eigenvalue: the best points are on a line.
    slopes = [3.0, 20.0]
    points = sample_bounds(draw, draw(50_000), slopes, WassersteinDescent(400, steps=300))
    for point, slope in zip(points, slopes, strict=True):
        assert gap(point, bound) > -SIGMAS * point.cost_error
        exact = standardized(50_000, 2) @ factor.T
        assert gap(achievable_point(exact, point.reproduction, point.weights, slope), bound) < 0.03
    spread = torch.linalg.eigvalsh(torch.cov(points[0].reproduction.T))
    assert spread[0] < 0.01 * spread[1]


@settings(max_examples=25)
@given(st.integers(0, 2**31), st.integers(1, 5), st.integers(1, 60), st.floats(0.05, 50.0), st.floats(0.05, 3.0))
def test_no_reproduction_distribution_goes_below_the_rate_distortion_function(
    seed: int, dim: int, points: int, slope: float, scale: float
) -> None:
    g = torch.Generator().manual_seed(seed)
    y, weights = scale * torch.randn(points, dim, generator=g), torch.rand(points, generator=g)
    point = achievable_point(torch.randn(4000, dim, generator=g), y, weights / weights.sum(), slope)
    bound = white(dim)
    # Along the tangent of the slope at which the point was made, whatever is the slope of R at its distortion.
    least = min(slope * d + bound.rate(d) for d in (bound.max_distortion, min(1.0, dim / (2 * math.log(2) * slope))))
    assert point.cost > least - 6 * point.cost_error
    assert -1e-9 <= point.rate <= math.log2(weights.sum() / weights.min()) + 1e-9


def test_a_discrete_source_gets_the_point_of_blahut_and_arimoto() -> None:
    axis = torch.linspace(-3, 3, 40, dtype=torch.float64)
    counts = torch.randint(1, 50, (40,))
    pmf = counts.double() / counts.sum()
    for slope in (0.5, 2.0, 10.0):
        result = blahut_arimoto(pmf, (axis[:, None] - axis).square(), slope, tolerance=1e-6)
        samples = axis.repeat_interleave(counts)[:, None]
        point = achievable_point(samples, axis[:, None], result.reproduction_pmf, slope)
        assert point.cost == pytest.approx(result.rate + slope * result.distortion, abs=1e-5)
        assert point.distortion == pytest.approx(result.distortion, abs=1e-9)


def test_a_point_is_the_mean_over_its_channel() -> None:
    x, y = torch.randn(500, 3).double(), torch.randn(7, 3).double()
    weights = torch.rand(7).double()
    weights /= weights.sum()
    point = achievable_point(x, y, weights, 2.0)
    distances = (x[:, None] - y).square().mean(-1)
    torch.testing.assert_close(mean_squares(x, y), distances)
    channel = weights * torch.exp2(-2.0 * distances)
    channel /= channel.sum(1, keepdim=True)
    divergence = (channel * (channel / weights).log2()).sum(1)
    distortion = (channel * distances).sum(1)
    assert point.rate == pytest.approx(float(divergence.mean()))
    assert point.distortion == pytest.approx(float(distortion.mean()))
    cost = divergence + 2 * distortion
    assert point.cost == pytest.approx(float(cost.mean()))
    assert point.cost_error == pytest.approx(float(cost.std()) / 500**0.5)
    assert point.rate_error == pytest.approx(float(divergence.std()) / 500**0.5)
    assert point.distortion_error == pytest.approx(float(distortion.std()) / 500**0.5)


def test_a_shift_changes_nothing() -> None:
    """Distances are expanded into squares, which costs precision far from the origin unless one takes care."""
    x, y, weights = torch.randn(1000, 2).double(), torch.randn(50, 2).double(), torch.full((50,), 0.02)
    near, far = (achievable_point(x + shift, y + shift, weights, 5.0) for shift in (0.0, 1e4))
    assert far.rate == pytest.approx(near.rate, abs=1e-6) and far.distortion == pytest.approx(near.distortion, abs=1e-6)
    train = torch.randn(20_000, 1)
    costs = [
        sample_bounds(train + shift, torch.linspace(-3, 3, 1000)[:, None] + shift, [4.0])[0].cost
        for shift in (0.0, 100.0)
    ]
    assert costs[1] == pytest.approx(costs[0], abs=0.01)


def test_the_descent_descends_and_blahuts_update_too(seed: int) -> None:
    train, fresh = torch.randn(20_000, 2) ** 3, torch.randn(20_000, 2) ** 3
    initial = train[:60]

    def cost(descent: WassersteinDescent) -> float:
        # The same draws, and so the same particles, whatever follows: descents from other draws end elsewhere.
        torch.manual_seed(seed)

        def draw(count: int) -> torch.Tensor:
            return train[torch.randint(len(train), (count,))]

        return achievable_point(fresh, *descent(draw, 2.0, initial), 2.0).cost

    before = achievable_point(fresh, initial, torch.full((60,), 1 / 60), 2.0).cost
    settings = {"particles": 60, "steps": 1, "step_size": 1e-6}
    weighted = cost(WassersteinDescent(**settings, reweightings=20))
    moved = cost(WassersteinDescent(60, steps=400, reweightings=0))
    both = cost(WassersteinDescent(60, steps=400, reweightings=5))
    assert cost(WassersteinDescent(**settings, reweightings=0)) == pytest.approx(before, abs=1e-3)
    assert weighted < before - 0.01 and moved < before - 0.01 and both < moved


def test_below_the_critical_slope_all_particles_meet_at_the_mean() -> None:
    (point,) = sample_bounds(torch.randn(20_000, 2) + 3, torch.randn(20_000, 2) + 3, [0.5], WassersteinDescent(50))
    assert point.rate < 1e-3 and point.distortion == pytest.approx(1, abs=0.05)


def test_the_order_of_slopes_and_the_seed() -> None:
    train, fresh, descent = torch.randn(5000, 1), torch.randn(5000, 1), WassersteinDescent(50, steps=50)
    up = sample_bounds(train, fresh, [1.0, 4.0], descent, seed=3)
    down = sample_bounds(train, fresh, [4.0, 1.0], descent, seed=3)
    assert [point.slope for point in up] == [1.0, 4.0]
    assert [point.rate for point in up] == [point.rate for point in reversed(down)]
    assert sample_bounds(train, fresh, [1.0, 4.0], descent, seed=4)[0].rate != up[0].rate


@pytest.fixture(scope="module")
def upper() -> SampleUpperBound:
    g = torch.Generator().manual_seed(0)
    train, fresh = torch.randn(20_000, 1, generator=g), torch.randn(100_000, 1, generator=g)
    return SampleUpperBound.from_samples(train, fresh, [1.0, 2.0, 4.0, 8.0], WassersteinDescent(100, steps=200))


def test_the_hull_is_convex_nonincreasing_and_above_the_truth(upper: SampleUpperBound) -> None:
    least = upper.points[0].distortion
    axis = torch.linspace(least, 1.2, 100).double().clamp(min=least).tolist()
    rates = [upper.rate(d) for d in axis]
    assert rates == sorted(rates, reverse=True) and rates[-1] == 0
    slopes = [(b - a) / (v - u) for (u, a), (v, b) in itertools.pairwise(zip(axis, rates, strict=True))]
    assert all(b >= a - 1e-6 for a, b in itertools.pairwise(slopes))
    for d, rate in zip(axis, rates, strict=True):
        assert -SIGMAS * upper.error < rate - GaussianRD().rate(d) < 0.1  # chords of few points
    for point in upper.points:
        assert upper.rate(point.distortion) == pytest.approx(point.rate, abs=1e-9)
    assert upper.max_distortion == pytest.approx(1, abs=0.02) and upper.rate(upper.max_distortion) == 0


def test_the_bound_answers_as_a_rate_distortion_function(upper: SampleUpperBound) -> None:
    assert isinstance(upper, RateDistortionFunction) and not upper.exact and upper.dim == 1 and upper.measure == "mse"
    assert upper.tolerance == math.inf and upper.error < 0.01
    for rate in (0.1, 0.7, 1.3):
        assert upper.rate(upper.distortion(rate)) == pytest.approx(rate, abs=1e-6)
    best = upper.points[0]
    assert upper.rate(0.99 * best.distortion) == math.inf
    assert upper.distortion(best.rate + 5) == pytest.approx(best.distortion)
    for bad in (0.0, -1.0, math.nan):
        with pytest.raises(ValueError, match="distortion"):
            upper.rate(bad)


def test_a_useless_point_does_no_harm(upper: SampleUpperBound) -> None:
    good = upper.points[1]
    bad = achievable_point(torch.randn(1000, 1), torch.tensor([[-9.0], [9.0]]), torch.tensor([0.5, 0.5]), 1.0)
    worse = SampleUpperBound([*upper.points, bad], upper.max_distortion)
    assert worse.rate(good.distortion) == upper.rate(good.distortion)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda() -> None:
    train, fresh = torch.randn(20_000, 2, device="cuda"), torch.randn(20_000, 2, device="cuda")
    (point,) = sample_bounds(train, fresh, [4.0], WassersteinDescent(200, steps=100))
    assert -SIGMAS * point.cost_error < gap(point, white(2)) < 0.03 + SIGMAS * point.cost_error


x2, y2, half = torch.zeros(4, 2), torch.zeros(2, 2), torch.tensor([0.5, 0.5])


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ((torch.zeros(4), y2, half, 1.0), "samples"),
        ((torch.zeros(1, 2), y2, half, 1.0), "samples"),
        ((x2, torch.zeros(2, 3), half, 1.0), "reproduction"),
        ((x2, torch.zeros(3, 2), half, 1.0), "reproduction"),
        ((x2, y2, torch.tensor([0.5, 0.6]), 1.0), "weights"),
        ((x2, y2, torch.tensor([1.5, -0.5]), 1.0), "weights"),
        ((x2, y2, half, 0.0), "slope"),
        ((x2, y2, half, math.inf), "slope"),
    ],
)
def test_bad_arguments_are_refused(arguments: tuple, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        achievable_point(*arguments)


def test_bad_searches_and_bounds_are_refused(upper: SampleUpperBound) -> None:
    for name in ("particles", "steps", "batch", "step_size"):
        with pytest.raises(ValueError, match=name):
            WassersteinDescent(**{name: 0})
    with pytest.raises(ValueError, match="reweightings"):
        WassersteinDescent(reweightings=-1)
    with pytest.raises(ValueError, match="initial"):
        WassersteinDescent(3, steps=1)(lambda count: torch.randn(count, 2), 1.0, y2)
    with pytest.raises(ValueError, match="slopes"):
        sample_bounds(x2, x2, [1.0, -1.0])
    with pytest.raises(ValueError, match="train"):
        sample_bounds(torch.zeros(5), x2, [1.0])
    with pytest.raises(ValueError, match="points"):
        SampleUpperBound([], 1.0)
    with pytest.raises(ValueError, match="max_distortion"):
        SampleUpperBound(upper.points, 0.0)
