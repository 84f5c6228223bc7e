"""Laws of the rate-distortion optimal search: it is the best of all points, and it costs no more than the nearest."""

import functools
import itertools

import pytest
import torch

from ltc import lattices
from ltc.entropy import GaussianMixture, MixturePrior, TrellisPrior, exact_prior
from ltc.entropy.class_search import _compare_all, class_costs
from ltc.entropy.entropy_model import LOG2


def cost(model, y, point, mu, power=2):
    return (y - point).abs().pow(power).sum(-1) + mu * model(point)


@pytest.mark.parametrize("name", ["a2", "dn", "dn_dual", "z"])
@pytest.mark.parametrize("power", [1, 2])
@pytest.mark.parametrize("mu", [0.01, 0.1, 1.0])
@torch.no_grad()
def test_it_is_the_best_point_of_the_lattice(name, mu, power, random_family, short_vectors, generator):
    lattice = lattices.get(name)
    model = TrellisPrior(lattice, lattice.dim, random_family(GaussianMixture, lattice.dim)).double()
    y = torch.randn(50, lattice.dim, generator=generator, dtype=torch.float64)
    found = model.rd_optimal_point(y, mu, power)
    torch.testing.assert_close(lattice.quantize(found), found)
    points = short_vectors(lattice.generator, 30.0)
    bits = model(points)
    least = ((y[:, None] - points).abs().pow(power).sum(-1) + mu * bits).min(1).values
    torch.testing.assert_close(cost(model, y, found, mu, power), least)


@pytest.mark.parametrize("name", ["z", "a2", "dn", "dn_dual", "e8", "bw16", "leech", "tcq8", "tcq64"])
@torch.no_grad()
def test_it_never_costs_more_than_the_nearest_point(name, generator):
    lattice = lattices.get(name)
    model = exact_prior(lattice, 2 * lattice.dim, lambda dim: GaussianMixture(dim, scale=0.7))
    y = 1.5 * torch.randn(40, 2 * lattice.dim, generator=generator)
    for mu in (1e-3, 0.05, 0.5):
        found = model.rd_optimal_point(y, mu)
        assert bool((cost(model, y, found, mu) <= cost(model, y, lattice.quantize(y), mu) + 1e-3).all())
        torch.testing.assert_close(lattice.quantize(found), found, atol=1e-5, rtol=0)


@torch.no_grad()
def test_a_dearer_bit_buys_fewer_bits(generator):
    model = exact_prior(lattices.get("e8"), 8, lambda dim: GaussianMixture(dim, scale=0.7))
    y = torch.randn(2000, 8, generator=generator)
    rates = [float(model(model.rd_optimal_point(y, mu)).mean()) for mu in (0.0, 0.02, 0.1, 0.5, 3.0)]
    assert all(a > b for a, b in itertools.pairwise(rates))


@pytest.mark.parametrize("modulus", [1, 2, 4, 8])
@pytest.mark.parametrize("power", [1, 2])
@torch.no_grad()
def test_the_walk_finds_what_comparing_all_finds(modulus, power, generator):
    radius = 3 * modulus + 8 * modulus
    bits = 5 * torch.rand(2 * radius + modulus, 6, generator=generator, dtype=torch.float64)
    step = 0.2 + torch.rand(6, generator=generator, dtype=torch.float64)
    y = 4 * torch.randn(100, 6, generator=generator, dtype=torch.float64).clamp(-2, 2) * step * modulus / 4
    costs, k = class_costs(y, bits, step, 0.7, modulus, power)
    expected, expected_k = _compare_all(y, bits, step, 0.7, modulus, power)
    torch.testing.assert_close(costs, expected)
    assert torch.equal(k, expected_k)
    assert torch.equal(k % modulus, torch.arange(modulus).expand_as(k))


@torch.no_grad()
def test_each_parity_of_a_trellis_code_has_its_own_distribution(random_family):
    """Given the state, and so the parity, the probabilities of all k sum to 1."""
    code = lattices.get("tcq8", 6)
    model = exact_prior(code, 6, lambda dim: random_family(GaussianMixture, dim), period=3).double()
    table, _, log_z = model.tables(200)
    k = model.grid(200)
    assert float(log_z) == 0.0
    for parity in (0, 1):
        total = table[k % 2 == parity].logsumexp(0)
        torch.testing.assert_close(total, torch.zeros(6, dtype=torch.float64), atol=1e-9, rtol=0)
    # The rate of a point is the sum of these factors.
    point = code.quantize(torch.randn(5, 6, dtype=torch.float64))
    at = code.to_integers(point) + 200
    torch.testing.assert_close(model(point), -table.gather(0, at).sum(1) / LOG2)


@pytest.mark.parametrize("name", ["a2", "e8", "tcq8"])
@torch.no_grad()
def test_a_mixture_never_costs_more_than_the_nearest_point(name, generator):
    lattice = lattices.get(name)
    prior = functools.partial(exact_prior, family=lambda dim: GaussianMixture(dim, scale=0.7))
    model = MixturePrior(lattice, lattice.dim, components=3, prior=prior)
    y = 1.5 * torch.randn(400, lattice.dim, generator=generator)
    for mu in (0.05, 0.5):
        found = model.rd_optimal_point(y, mu)
        nearest = cost(model, y, lattice.quantize(y), mu)
        assert bool((cost(model, y, found, mu) <= nearest + 1e-3).all())
        assert bool((cost(model, y, found, mu) < nearest - 1e-3).any())
        torch.testing.assert_close(lattice.quantize(found), found, atol=1e-5, rtol=0)
