"""Laws that every source obeys, and the moments and densities of each."""

import math
import pickle

import pytest
import torch

from datamodules import (
    Banana,
    BananaMarginal,
    CorrelatedGaussian,
    Gaussian,
    Laplace,
    Sawbridge,
    Uniform,
)

COUNT = 200_000
COVARIANCE = [[2.0, 0.6, 0.0], [0.6, 0.5, -0.1], [0.0, -0.1, 1.0]]
BANANA_MEAN = (0.9 * math.sqrt(3) / 2 - 1, 0.9 / 2 - 1)


def draw(source, seed=0, count=COUNT):
    return source.sample(count, torch.Generator().manual_seed(seed))


def assert_mean(samples, expected, what, sigmas=5.0):
    """The mean of samples [N, ...] is `expected` within standard errors."""
    samples = samples.double()
    error = (samples.mean(0) - torch.as_tensor(expected, dtype=torch.float64)).abs()
    allowed = sigmas * samples.std(0) / math.sqrt(len(samples)) + 1e-6
    assert (error <= allowed).all(), f"{what}: off by {error.tolist()}, allowed {allowed.tolist()}"


def test_a_sample_is_float32_finite_and_of_the_right_shape(source):
    for count in (0, 1, 7):
        x = draw(source, count=count)
        assert x.shape == (count, source.dim) and x.dtype == torch.float32 and x.isfinite().all()


def test_a_sample_depends_on_the_generator_alone(source):
    global_state = torch.get_rng_state()
    first, again, other = draw(source, 1, 50), draw(source, 1, 50), draw(source, 2, 50)
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), global_state)


def test_symbols_of_a_sample_differ(source):
    assert len(draw(source, count=50).unique(dim=0)) > 30  # not 50: a sawbridge of 64 points has 63 paths


def test_every_source_says_what_it_is(source):
    assert source.name.isidentifier() and source.dim >= 1 and source.latents >= 1
    assert source.measure == "mse" and source.measures[0] == "mse"
    assert type(source).__name__ in repr(source)


def test_every_source_travels_to_another_process(source):
    assert torch.equal(draw(pickle.loads(pickle.dumps(source)), 3, 20), draw(source, 3, 20))


def test_an_unknown_measure_is_refused():
    for make in (Gaussian, Uniform, Laplace, BananaMarginal, Banana, Sawbridge):
        for measure in make.measures:
            assert make(measure=measure).measure == measure
        with pytest.raises(ValueError, match=f"{make.name}.*mse.*'huber'"):
            make(measure="huber")
    with pytest.raises(ValueError, match=r"banana.*'l1'"):
        Banana(measure="l1")


@pytest.mark.parametrize("bad", [0.0, -1.0, math.inf, math.nan])
@pytest.mark.parametrize("make", [Gaussian, Uniform, Laplace])
def test_scales_must_be_positive_and_finite(make, bad):
    with pytest.raises(ValueError, match=make.name):
        make(bad)


@pytest.mark.parametrize(
    ("covariance", "message"),
    [
        ([1.0, 2.0], "square"),
        ([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], "square"),
        ([[1.0, 0.5], [0.4, 1.0]], "symmetric"),
        ([[1.0, math.nan], [math.nan, 1.0]], "finite"),
        ([[1.0, 2.0], [2.0, 1.0]], "positive definite.*-1"),
    ],
)
def test_a_covariance_must_be_one(covariance, message):
    with pytest.raises(ValueError, match=message):
        CorrelatedGaussian(covariance)


@pytest.mark.parametrize("arguments", [{"points": 1}, {"latents": 0}])
def test_a_sawbridge_needs_two_points_and_a_latent(arguments):
    with pytest.raises(ValueError, match="sawbridge"):
        Sawbridge(**arguments)


@pytest.mark.parametrize(
    ("source", "mean", "variance"),
    [
        (Gaussian(4.0), 0.0, 4.0),
        (Uniform(), 0.0, 1.0),
        (Uniform(half_width=0.5), 0.0, 1 / 12),
        (Laplace(0.5), 0.0, 0.5),
        (CorrelatedGaussian(COVARIANCE), [0.0, 0.0, 0.0], [2.0, 0.5, 1.0]),
        (Banana(), BANANA_MEAN, [3.6525, 7.2175]),
        (BananaMarginal(), BANANA_MEAN[0], 3.6525),
    ],
    ids=lambda value: type(value).__name__ if hasattr(value, "dim") else "",
)
def test_mean_and_variance(source, mean, variance):
    x = draw(source).double()
    mean, variance = (torch.as_tensor(value, dtype=torch.float64) for value in (mean, variance))
    assert_mean(x, mean.expand(source.dim), "mean")
    assert_mean((x - mean).square(), variance.expand(source.dim), "variance")


def test_fourth_moments_tell_the_shapes_apart():
    for source, kurtosis in ((Gaussian(), 3.0), (Uniform(), 1.8), (Laplace(math.sqrt(0.5)), 6.0)):
        assert_mean(draw(source) ** 4, [kurtosis], source.name)


def test_mean_absolute_value_of_laplace_is_its_scale():
    assert_mean(draw(Laplace(2.0)).abs(), [2.0], "E|x|")


def test_covariance_of_the_correlated_gaussian():
    x = draw(CorrelatedGaussian(COVARIANCE))
    assert_mean(x[:, :, None] * x[:, None, :], COVARIANCE, "covariance")


def test_covariance_of_the_sawbridge_is_that_of_the_brownian_bridge():
    x, t = draw(Sawbridge(points=17), count=50_000), torch.linspace(0, 1, 17, dtype=torch.float64)
    bridge = torch.minimum(t[:, None], t) - t[:, None] * t
    assert_mean(x, torch.zeros(17), "mean")
    assert_mean(x[:, :, None] * x[:, None, :], bridge, "covariance")


def test_variance_and_paths_of_the_sawbridge():
    source = Sawbridge()
    x = draw(source, count=4000)
    assert source.dim == 1024 and source.latents == 8
    assert_mean(x.double().square().mean(1), 1022 / (6 * 1023), "mean variance")
    assert (x[:, 0] == 0).all() and (x[:, -1] == 0).all()
    falls = x.diff(dim=1) < 0
    assert (falls.sum(1) == 1).all()  # one jump
    torch.testing.assert_close(x.diff(dim=1)[~falls], torch.full_like(x.diff(dim=1)[~falls], 1 / 1023))


def test_the_banana_marginal_is_the_first_component_of_the_banana():
    assert torch.equal(draw(BananaMarginal(), 5, 100)[:, 0], draw(Banana(), 5, 100)[:, 0])


def test_the_banana_bends_back_to_the_gaussian_it_was_made_of():
    """The chain of the authors' notebook, on samples: shift by 1, rotate by 240 degrees, add 0.1 u0^2."""
    x = draw(Banana()).double() + 1
    cos, sin = math.cos(math.radians(240)), math.sin(math.radians(240))
    u = x @ torch.tensor([[cos, -sin], [sin, cos]], dtype=torch.float64).T
    z = torch.stack([u[:, 0] / 3, (u[:, 1] + 0.1 * u[:, 0] ** 2) / 0.5], dim=1)
    assert_mean(z, [0.0, 0.0], "mean")
    assert_mean(z[:, :, None] * z[:, None, :], [[1.0, 0.0], [0.0, 1.0]], "covariance")
    assert_mean(z**4, [3.0, 3.0], "kurtosis")


SCALARS = [Gaussian(2.0), Uniform(1.5), Laplace(0.7), BananaMarginal()]
PLANES = [Banana(), CorrelatedGaussian([[2.0, 0.6], [0.6, 0.5]])]


def masses(source, low, high, cells, fine=1):
    """Midpoint masses of p on a grid of cells^dim cells, each the sum of fine^dim smaller ones."""
    step = (high - low) / (cells * fine)
    axis = low + step * (torch.arange(cells * fine, dtype=torch.float64) + 0.5)
    points = torch.cartesian_prod(*[axis] * source.dim).reshape(-1, source.dim)
    mass = source.log_density(points).exp() * step**source.dim
    return mass.reshape((cells, fine) * source.dim).sum(dim=tuple(range(1, 2 * source.dim, 2)))


@pytest.mark.parametrize("source", SCALARS + PLANES, ids=lambda source: source.name)
def test_a_density_integrates_to_one(source):
    total = masses(source, -24, 24, cells=4800 if source.dim == 1 else 800).sum().item()
    assert total == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("source", SCALARS + PLANES, ids=lambda source: source.name)
def test_a_density_agrees_with_a_histogram(source):
    expected = masses(source, -6, 6, cells=24, fine=50 if source.dim == 1 else 20)
    x = draw(source).double()
    inside = x[(x.abs() < 6).all(1)]
    counts = torch.histogramdd(inside, bins=[24] * source.dim, range=[-6.0, 6.0] * source.dim).hist
    likely = expected > 20 / COUNT
    error = counts / COUNT - expected
    allowed = 5.5 * (expected / COUNT).sqrt() + 1e-5
    assert likely.sum() >= 6 and (error.abs() <= allowed)[likely].all()


@pytest.mark.parametrize("source", SCALARS + PLANES, ids=lambda source: source.name)
def test_a_density_keeps_shape_and_precision(source):
    x = draw(source, count=6).reshape(2, 3, source.dim)
    single, double = source.log_density(x), source.log_density(x.double())
    assert single.shape == (2, 3) and single.dtype == torch.float32 and double.dtype == torch.float64
    torch.testing.assert_close(single.double(), double, rtol=1e-4, atol=1e-4)
