"""Laws of the Monte-Carlo rate: where it agrees with the exact one, which way it errs, and with which densities."""

import functools
import math

import pytest
import torch
import zuko

from ltc import lattices
from ltc.entropy import FactorizedDensity, FlowDensity, GaussianMixture, MonteCarloPrior, TrellisPrior, exact_prior
from ltc.entropy.voronoi_cell import CUBE_POINTS, voronoi_points

FLOWS = {"RealNVP": zuko.flows.RealNVP, "MAF": zuko.flows.MAF, "NSF": zuko.flows.NSF}


def gaussian(sigma):
    """The density N(0, sigma^2 I), from its dimension."""
    return functools.partial(FactorizedDensity, family=functools.partial(GaussianMixture, components=1, scale=sigma))


@pytest.fixture(params=CUBE_POINTS)
def kind(request):
    return request.param


@torch.no_grad()
def test_on_the_integers_it_estimates_the_exact_rate(kind, family_class, random_family):
    """On Z^2 the mean of a product density over a cell is the cell's mass, which the exact prior has in closed form."""
    z, count = lattices.get("z", 2), 2**16
    family = random_family(family_class, 2, narrow=0.3, wide=0.8)
    exact = TrellisPrior(z, 2, family).double()
    estimate = MonteCarloPrior(z, 2, lambda dim: FactorizedDensity(dim, lambda _: family), count, kind).double()
    points = torch.cartesian_prod(torch.arange(-2.0, 3), torch.arange(-2.0, 3)).double()
    found, expected = estimate.log_prob(points).exp(), exact.log_prob(points).exp()
    values = estimate.density(points[:, None] + voronoi_points(z, count, 2)).exp()
    # Antithetic points are half as many; the bound holds for the more even kinds all the more.
    error = values.std(1) * math.sqrt(2 / count)
    assert bool(((found - expected).abs() < 5 * error + 1e-9).all())
    # Tight enough to mean something: errors are small beside the probabilities.
    assert float((error / expected).min()) < 0.02


@pytest.mark.parametrize("key", ["a2", "an3", "dn4", "dn_dual3", "e8", "bw16", "leech", "a2*z1"])
@torch.no_grad()
def test_where_the_density_is_flat_on_a_cell_it_agrees_with_the_exact_rate(key, get_lattice, generator):
    """Both are then density times volume."""
    lattice, sigma = get_lattice(key), 12.0
    n = lattice.dim
    exact = exact_prior(lattice, n, functools.partial(GaussianMixture, components=1, scale=sigma))
    estimate = MonteCarloPrior(lattice, n, gaussian(sigma), 2048)
    points = lattice.quantize(sigma * torch.randn(20, n, generator=generator))
    found, expected = estimate.log_prob(points), exact.log_prob(points)
    # Second order: each coordinate's curvature 1 / sigma^2 on a cell whose second moment is not the box's.
    curvature = (1 + (points / sigma).square()).sum(1) / sigma**2
    assert bool(((found - expected).abs() < 0.5 * curvature + 0.02).all())


@pytest.mark.parametrize(
    ("key", "sigma", "samples"), [("z1", 0.1, 2**16), ("a2", 0.1, 2**17), ("an3", 0.2, 2**16), ("dn4", 0.2, 2**16)]
)
@torch.no_grad()
def test_probabilities_of_a_narrow_density_sum_to_one(key, sigma, samples, get_lattice, short_vectors, seed):
    """The joint average is a probability, but for the error of the points. (Averaging each coordinate apart gives 1.23
    on A2 with sigma = 0.1.)"""
    lattice = get_lattice(key)
    estimate = MonteCarloPrior(lattice, lattice.dim, gaussian(sigma), samples, "standard").double()
    points = short_vectors(lattice.generator, 2.0**2)
    total = 0.0
    for point in points.split(8):
        torch.manual_seed(seed)  # the same points of the cell each time, as in one batch
        total += float(estimate.log_prob(point).exp().sum())
    # The sum is the mean over the cell of the folded density, whose mean is 1 and mean square (4 pi sigma^2)^(-n/2).
    error = math.sqrt(((4 * math.pi * sigma**2) ** (-lattice.dim / 2) - 1) / samples)
    assert abs(total - 1) < 5 * error
    assert 5 * error < 0.1


@pytest.mark.parametrize("random_kind", ["standard", "antithetic", "scrambled_sobol"])
@torch.no_grad()
def test_the_rate_is_biased_upward(random_kind, get_lattice):
    """Jensen: minus the logarithm of a mean of few samples is too large on average, and less so with more samples."""
    lattice = get_lattice("a2")
    origin = torch.zeros(1, 2)
    means, errors = [], []
    # Of two samples the bias is 0.45 bit or more, eleven standard errors of this many estimates.
    for samples in (2, 64):
        estimate = MonteCarloPrior(lattice, 2, gaussian(0.2), samples, random_kind)
        rates = torch.stack([estimate(origin)[0] for _ in range(1000)])
        means.append(float(rates.mean()))
        errors.append(float(rates.std()) / math.sqrt(1000))
    truth = float(MonteCarloPrior(lattice, 2, gaussian(0.2), 2**17)(origin))
    assert means[0] > truth + 3 * errors[0] + 0.01
    assert truth - 5 * errors[1] - 0.005 < means[1] < means[0]
    assert not estimate.exact


@torch.no_grad()
def test_memory_is_bounded_without_a_gradient_and_nothing_changes(get_lattice, seed, monkeypatch):
    """Chunks give what the whole gives, for the same points of the cell."""
    lattice = get_lattice("dn4")
    estimate = MonteCarloPrior(lattice, 8, gaussian(0.5), 32)
    points = lattice.quantize(torch.randn(3, 7, 8))

    def rates():
        torch.manual_seed(seed)
        return estimate(points)

    whole = rates()
    assert whole.shape == (3, 7)
    monkeypatch.setattr("ltc.entropy.monte_carlo._CHUNK", 5 * 32 * 8)
    torch.testing.assert_close(rates(), whole)
    with torch.enable_grad():
        torch.testing.assert_close(rates().detach(), whole)
    assert estimate(points[:, :0]).shape == (3, 0)


@torch.no_grad()
def test_dither_moves_the_cell(get_lattice, seed):
    lattice = get_lattice("a2")
    estimate = MonteCarloPrior(lattice, 2, gaussian(0.5), 128)
    points, dither = lattice.quantize(torch.randn(9, 2)), 0.3 * torch.randn(9, 2)
    torch.manual_seed(seed)
    moved = estimate(points, dither)
    torch.manual_seed(seed)
    torch.testing.assert_close(moved, estimate(points + dither))


@pytest.mark.parametrize("name", FLOWS)
@pytest.mark.parametrize("key", ["a2", "e8"])
def test_flows_give_finite_rates_and_gradients(name, key, get_lattice, generator):
    lattice = get_lattice(key)
    density = functools.partial(FlowDensity, flow=FLOWS[name], transforms=2, hidden_features=[16, 16])
    estimate = MonteCarloPrior(lattice, 2 * lattice.dim, density, 16)
    scale = torch.tensor([0.1, 1.0, 10.0])[:, None, None]
    x = scale * torch.randn(3, 5, 2 * lattice.dim, generator=generator)
    points = lattice.quantize(x).requires_grad_()
    rates = estimate(points)
    assert rates.shape == (3, 5) and bool(rates.isfinite().all())
    rates.sum().backward()
    assert bool(points.grad.isfinite().all()) and bool(points.grad.any())
    trained = [p.grad for p in estimate.parameters() if p.grad is not None]
    assert len(trained) > 2 and all(bool(g.isfinite().all()) for g in trained)


@pytest.mark.parametrize("name", FLOWS)
@torch.no_grad()
def test_flows_are_densities(name):
    """They integrate to 1 over the plane, as far as a grid can see."""
    density = FlowDensity(2, FLOWS[name], transforms=2, hidden_features=[16, 16]).double()
    axis = torch.linspace(-10, 10, 301).double()
    plane = torch.cartesian_prod(axis, axis)
    total = torch.cat([density(part) for part in plane.split(50_000)]).exp().sum() * (axis[1] - axis[0]) ** 2
    assert float(total) == pytest.approx(1, abs=0.01)


@torch.no_grad()
def test_a_factorized_density_is_the_product_of_its_mixtures(family_class):
    density = FactorizedDensity(3, family_class)
    y = torch.randn(4, 5, 3)
    torch.testing.assert_close(density(y), sum(density.family.log_density(y)[..., i] for i in range(3)))


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"samples": 0}, "samples >= 1"),
        ({"points": "halton"}, "'halton'.*sobol"),
        ({"dim": 3}, "multiples of 2 latent"),
    ],
)
def test_wrong_arguments_are_refused(wrong, sentence):
    arguments = {"lattice": lattices.get("a2"), "dim": 2, "density": FactorizedDensity, **wrong}
    with pytest.raises(ValueError, match=sentence):
        MonteCarloPrior(**arguments)
