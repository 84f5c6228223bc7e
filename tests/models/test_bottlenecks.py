"""Laws of the bottlenecks: what the synthesis transform sees, and what flows back."""

import functools
import math

import pytest
import scipy.stats
import torch
from compressai.entropy_models import EntropyBottleneck

from ltc import lattices
from ltc.entropy import FactorizedDensity, MonteCarloPrior, exact_prior
from ltc.models import DitheredBottleneck, LatticeBottleneck, ScalarBottleneck

BOTTLENECKS = [LatticeBottleneck, DitheredBottleneck]


@pytest.fixture(params=BOTTLENECKS, ids=lambda cls: cls.__name__)
def bottleneck_class(request):
    return request.param


def make(cls, lattice, copies=1, **options):
    return cls(exact_prior(lattice, copies * lattice.dim), **options)


def is_point(lattice, x):
    z = x.double().reshape(-1, lattice.dim) @ torch.linalg.inv(lattice.generator)
    return bool(((z - z.round()).abs() < 1e-4).all())


def test_shapes_and_rates(lattice, bottleneck_class):
    bottleneck = make(bottleneck_class, lattice, copies=2)
    y = torch.randn(5, 2 * lattice.dim)
    for mode in (True, False):
        point, bits = bottleneck.train(mode)(y)
        assert point.shape == y.shape and bits.shape == (5,)
        assert bool(bits.isfinite().all()) and bool((bits >= -1e-4).all())
    assert bottleneck.exact


def test_the_straight_through_derivative_is_the_identity(lattice, bottleneck_class):
    """By the reconstruction; the latents move as if there were no quantizer."""
    bottleneck = make(bottleneck_class, lattice)
    y = torch.randn(5, lattice.dim, requires_grad=True)
    direction = torch.randn(5, lattice.dim)
    point, _ = bottleneck(y)
    (point * direction).sum().backward()
    assert torch.equal(y.grad, direction)


def test_the_rate_teaches_the_latents_and_the_prior(lattice, bottleneck_class):
    bottleneck = make(bottleneck_class, lattice)
    y = (3 * torch.randn(20, lattice.dim)).requires_grad_()
    _, bits = bottleneck(y)
    bits.sum().backward()
    for gradient in (y.grad, *(p.grad for p in bottleneck.parameters())):
        assert bool(gradient.isfinite().all()) and bool(gradient.any())
    # Against the gradient, toward the origin on the whole, the rate falls.
    assert float((y.grad * y.detach()).sum()) > 0


def test_what_comes_out_is_the_nearest_point(lattice):
    """In evaluation exactly, in training but for rounding."""
    bottleneck = make(LatticeBottleneck, lattice)
    y = 3 * torch.randn(200, lattice.dim)
    expected = lattice.quantize(y)
    evaluated, bits = bottleneck.eval()(y)
    assert torch.equal(evaluated, expected) and is_point(lattice, evaluated)
    torch.testing.assert_close(bits, bottleneck.entropy_model(expected))
    trained, trained_bits = bottleneck.train()(y)
    torch.testing.assert_close(trained, expected, rtol=0, atol=1e-5)
    torch.testing.assert_close(trained_bits, bits, rtol=1e-4, atol=1e-4)
    assert torch.equal(bottleneck.quantize(y), expected)


def test_dithered_output_less_the_dither_is_a_lattice_point(lattice):
    """Two evaluations of different latents share the dither: their outputs differ by lattice points."""
    bottleneck = make(DitheredBottleneck, lattice).eval()
    one, _ = bottleneck(3 * torch.randn(50, lattice.dim))
    other, _ = bottleneck.eval()(3 * torch.randn(50, lattice.dim))
    assert is_point(lattice, one - other) and not is_point(lattice, one)


def test_dithered_evaluation_is_deterministic_and_leaves_the_generator_alone(lattice):
    y = torch.randn(20, lattice.dim)
    bottleneck = make(DitheredBottleneck, lattice).eval()
    torch.manual_seed(1)
    following = torch.rand(3)
    torch.manual_seed(1)
    first = bottleneck(y)
    assert torch.equal(torch.rand(3), following)
    second = bottleneck.eval()(y)
    assert torch.equal(first[0], second[0]) and torch.equal(first[1], second[1])
    assert not torch.equal(make(DitheredBottleneck, lattice, seed=1).eval()(y)[0], first[0])
    bottleneck.train()
    assert not torch.equal(bottleneck(y)[0], bottleneck(y)[0])  # in training the dither is fresh


@pytest.mark.parametrize("training", [True, False])
@torch.no_grad()
def test_the_dithered_error_is_uniform_over_the_cell_whatever_the_latents(lattice, training):
    """Zamir & Feder: it lies in the cell, its second moment is G, and latents far from uniform do not show in it."""
    count = 2_000 if lattice.dim >= 12 else 8_000
    bottleneck = make(DitheredBottleneck, lattice, seed=int(torch.randint(2**31, ()))).train(training)
    # All blocks have one and the same latents: without dither there would be one error only.
    latents = 2 * torch.randn(1, lattice.dim)
    error = dithered_error(bottleneck, latents.expand(count, -1)).double()
    inside = lattice.quantize(0.999 * error)
    assert float(inside.abs().max()) < 1e-6
    moment = error.square().mean(1)
    bound = 5 * float(moment.std()) / math.sqrt(len(error))
    if lattice.nsm is not None:
        assert abs(float(moment.mean()) - lattice.nsm) < bound
    deviation = error.std(0) / math.sqrt(len(error))
    assert bool((error.mean(0).abs() < 5 * deviation).all())
    # The law of the error is that of fresh points of the cell: coordinates' distributions agree.
    fresh = torch.rand(len(error), lattice.dim, dtype=torch.float64) @ lattice.generator
    fresh -= lattice.quantize(fresh)
    for i in {0, lattice.dim - 1}:
        assert scipy.stats.ks_2samp(error[:, i].numpy(), fresh[:, i].numpy()).pvalue > 1e-6


def dithered_error(bottleneck, y):
    """The error with the rate left out: a rate given a dither costs a trellis sweep for each vector."""
    bottleneck.entropy_model.forward = lambda points, dither: points.new_zeros(len(points))
    return bottleneck(y)[0] - y


@torch.no_grad()
def test_the_dithered_error_is_independent_of_the_latents(get_lattice):
    lattice = get_lattice("a2")
    bottleneck = make(DitheredBottleneck, lattice)
    y = torch.randn(40_000, 2).square()  # skewed
    error = dithered_error(bottleneck, y)
    features = torch.stack([y[:, 0], y[:, 1], y.prod(1), y[:, 0].round() % 2, (y[:, 0] - y[:, 0].round()).abs()])
    responses = torch.stack([error[:, 0], error[:, 1], error.square().sum(1)])
    correlation = torch.corrcoef(torch.cat([features, responses]))[:5, 5:]
    assert float(correlation.abs().max()) < 5.5 / math.sqrt(40_000)
    # Without dither the error is a function of the latents, and the same measure sees it.
    plain = lattice.quantize(y) - y
    assert float(torch.corrcoef(torch.cat([features, plain.T]))[:5, 5:].abs().max()) > 0.05


@torch.no_grad()
def test_the_dithered_rate_is_that_of_the_point_given_the_dither(get_lattice):
    """Checked through the output alone: point = output - dither, and P(p | u) depends on p + u, the output."""
    for key in ("z1", "a2", "e8"):
        lattice = get_lattice(key)
        bottleneck = make(DitheredBottleneck, lattice, copies=2).eval()
        y = torch.randn(30, 2 * lattice.dim)
        output, bits = bottleneck(y)
        given_output = bottleneck.entropy_model(torch.zeros_like(output), output)
        torch.testing.assert_close(bits, given_output, rtol=1e-4, atol=1e-4)


def test_an_estimated_rate_is_not_called_exact(get_lattice):
    lattice = get_lattice("a2")
    estimate = MonteCarloPrior(lattice, 2, FactorizedDensity, 16)
    assert not LatticeBottleneck(estimate).exact and not DitheredBottleneck(estimate).exact


# Nonlinear transform coding's bottleneck


@pytest.fixture
def scalar():
    bottleneck = ScalarBottleneck(lattices.get("z"), EntropyBottleneck(6))
    # Medians that are not zero, as after training.
    with torch.no_grad():
        bottleneck.entropy_bottleneck.quantiles[:, 0, :] += torch.rand(6, 1)
    return bottleneck


@torch.no_grad()
def test_scalar_evaluation_rounds_around_the_medians(scalar):
    y = 4 * torch.randn(50, 6)
    output, bits = scalar.eval()(y)
    assert output.shape == y.shape and bits.shape == (50,)
    assert float((output - y).abs().max()) <= 0.5 + 1e-5
    medians = scalar.entropy_bottleneck.quantiles[:, 0, 1]
    torch.testing.assert_close(output - medians, (output - medians).round(), rtol=0, atol=1e-5)
    torch.testing.assert_close(scalar.quantize(y), output)
    assert bool(bits.isfinite().all()) and bool((bits > 0).all()) and scalar.exact


def test_scalar_training_adds_noise_and_lets_gradients_through(scalar):
    y = (4 * torch.randn(50, 6)).requires_grad_()
    output, bits = scalar.train()(y)
    noise = (output - y).detach()
    assert float(noise.abs().max()) <= 0.5 + 1e-5 and float(noise.std()) == pytest.approx(12**-0.5, abs=0.06)
    assert bool(bits.isfinite().all())
    (output.sum() + bits.sum()).backward()
    assert bool(y.grad.isfinite().all()) and bool(y.grad.any())


def test_scalar_rates_are_sums_over_the_latents(scalar):
    """A channel for each latent dimension, and blocks each on their own."""
    y = torch.randn(9, 6)
    _, bits = scalar.eval()(y)
    torch.testing.assert_close(torch.cat([scalar(row[None])[1] for row in y]), bits)
    likelihood = scalar.entropy_bottleneck(y[..., None])[1]
    torch.testing.assert_close(bits, -likelihood[..., 0].log2().sum(1))


@torch.no_grad()
def test_scalar_rates_are_a_probability(scalar):
    """On one latent the likelihoods of all integers around the median add up to one."""
    medians = scalar.entropy_bottleneck.quantiles[:, 0, 1]
    grid = torch.arange(-300.0, 301)[:, None] + medians
    likelihood = scalar.eval().entropy_bottleneck(grid[..., None])[1][..., 0]
    torch.testing.assert_close(likelihood.sum(0), torch.ones(6), rtol=0, atol=2e-3)


def test_scalar_has_an_auxiliary_loss_and_others_have_none(scalar):
    loss = scalar.auxiliary_loss()
    loss.backward()
    assert float(loss.detach()) > 0 and bool(scalar.entropy_bottleneck.quantiles.grad.any())
    for cls in BOTTLENECKS:
        assert make(cls, lattices.get("a2")).auxiliary_loss() == 0


@pytest.mark.parametrize("name", ["a2", "e8", "dn"])
def test_scalar_refuses_other_lattices(name):
    with pytest.raises(ValueError, match=f"is z, not {name}"):
        ScalarBottleneck(lattices.get(name), EntropyBottleneck(4))


def test_scalar_refuses_lattice_priors():
    z = lattices.get("z")
    for prior in (exact_prior(z, 4), MonteCarloPrior(z, 4, functools.partial(FactorizedDensity), 4)):
        with pytest.raises(ValueError, match="EntropyBottleneck"):
            ScalarBottleneck(z, prior)
