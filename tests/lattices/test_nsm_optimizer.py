"""The descent of second moments: its gradient, its reduction and search, and the lattices that it finds."""

import math

import numpy as np
import pytest
import torch

from ltc import lattices
from ltc.entropy import GaussianMixture, TriangularPrior
from ltc.lattices.kernels.descent import descend, moments
from ltc.lattices.kernels.schnorr_euchner import reduce_basis
from ltc.lattices.nsm_optimizer import estimate_nsm, nsm_gradient, optimize_generator, polish
from ltc.lattices.sphere import SphereDecoder


@pytest.fixture
def random_lower(rng):
    """``random_lower(n)``: a lower triangular basis, float64, of volume 1, reduced."""

    def draw(n):
        lower = np.tril(rng.normal(size=(n, n)))
        np.fill_diagonal(lower, 0.5 + np.abs(np.diag(lower)))
        lower /= np.prod(np.diag(lower)) ** (1 / n)
        reduce_basis(lower, np.empty((len(lower), 0)))
        return lower

    return draw


@pytest.mark.parametrize("n", [1, 2, 4, 7])
def test_gradient_agrees_with_finite_differences(n, random_lower, rng):
    """Of G at any volume, searched anew for the moved basis; every entry below the diagonal."""
    lower = 1.3 * random_lower(n)
    cubes = torch.from_numpy(rng.random((40, n)))
    _, gradient = nsm_gradient(torch.from_numpy(lower), cubes)
    assert torch.equal(gradient, gradient.tril())
    step = 1e-6
    for i, j in zip(*np.tril_indices(n), strict=True):
        moved = [lower.copy(), lower.copy()]
        moved[0][i, j] -= step
        moved[1][i, j] += step
        below, above = (nsm_gradient(torch.from_numpy(m), cubes)[0] for m in moved)
        # A vector on the border of two cells may change its point: second order in the step.
        assert (above - below) / (2 * step) == pytest.approx(float(gradient[i, j]), abs=1e-6)


@pytest.mark.parametrize("n", [2, 5])
def test_a_step_goes_against_the_gradient(n, random_lower, rng):
    """By ``rate * n / 2`` times the gradient of G at unit volume, and back to unit volume."""
    lower, cube, rate = random_lower(n), rng.random((1, n)), 1e-3
    nsm, gradient = nsm_gradient(torch.from_numpy(lower), torch.from_numpy(cube))
    expected = lower - rate * n / 2 * gradient.numpy()
    expected /= np.prod(np.diag(expected)) ** (1 / n)
    total, moment = np.zeros((n, n)), np.zeros(1)
    found = lower.copy()
    descend(found, cube, np.array([rate]), 0, total, moment)
    assert moment[0] == pytest.approx(nsm)
    np.testing.assert_allclose(found, expected, atol=1e-12)
    np.testing.assert_array_equal(total, found)


@pytest.mark.parametrize("n", [1, 2, 3, 6, 9])
def test_its_search_is_the_sphere_decoder(n, random_lower, rng):
    lower, cubes = random_lower(n), rng.random((300, n)) * 4 - 2
    squares = np.empty(len(cubes))
    moments(0, len(cubes), lower, cubes, squares, np.empty((0, n, n)))
    x = torch.from_numpy(cubes @ lower)
    expected = (x - SphereDecoder(torch.from_numpy(lower)).quantize(x)).square().sum(1)
    np.testing.assert_allclose(squares, expected, atol=1e-10)


@pytest.mark.parametrize("n", [1, 2, 4, 8])
def test_reduction_keeps_the_lattice(n, rng, short_vectors):
    """The same norms, triangular, Lovasz's condition, and a basis no longer than before."""
    skew = np.tril(rng.normal(size=(n, n)), -1) * 5 + np.diag(0.5 + rng.random(n))
    skew /= np.prod(np.diag(skew)) ** (1 / n)
    reduced = skew.copy()
    reduce_basis(reduced, np.empty((len(reduced), 0)))
    assert np.array_equal(reduced, np.tril(reduced)) and (np.diag(reduced) > 0).all()
    assert np.prod(np.diag(reduced)) == pytest.approx(1)
    off = np.abs(reduced / np.diag(reduced))[np.tril_indices(n, -1)]
    assert (off <= 0.5 + 1e-9).all()
    for k in range(1, n):
        assert reduced[k, k] ** 2 + reduced[k, k - 1] ** 2 >= 0.98 * reduced[k - 1, k - 1] ** 2
    norms = [short_vectors(torch.from_numpy(b), 2.5).square().sum(1).sort().values for b in (skew, reduced)]
    torch.testing.assert_close(*norms, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("name", ["a2", "dn_dual", "e6_dual", "e8"])
def test_estimates_of_known_lattices(name, seed):
    lattice = lattices.get(name)
    nsm, error = estimate_nsm(3 * lattice.generator, 1e-4, seed)
    assert 1e-5 < error < 1.1e-4 and nsm == pytest.approx(lattice.nsm, abs=5 * error)


@pytest.mark.parametrize(("dim", "nsm"), [(2, 5 / (36 * math.sqrt(3))), (4, 0.076603)])
def test_random_bases_become_the_best_lattices(dim, nsm, seed):
    """The hexagonal lattice and D4, in two and four dimensions, from any seed."""
    generator, history = optimize_generator(dim, seed, steps=200_000, restarts=2)
    found = polish(generator, seed, steps=100_000)
    assert estimate_nsm(found, 3e-5, seed)[0] == pytest.approx(nsm, abs=2e-4)
    assert [p.step for p in history] == list(range(10_000, 200_001, 10_000))
    assert history[0].rate > history[-1].rate
    # What it says of its end is the mean of ten thousand samples, of a standard deviation below 0.06.
    assert history[-1].nsm == pytest.approx(nsm, abs=6 * 0.06 / 100)
    # It is the lattice itself: as many shortest vectors, of nearly the same norm.
    norms = SphereDecoder(found).generator.numpy()
    z = np.stack(np.meshgrid(*[np.arange(-2, 3)] * dim), -1).reshape(-1, dim)
    squares = np.sort(((z @ norms) ** 2).sum(1))
    kissing = {2: 6, 4: 24}[dim]
    assert squares[kissing] / squares[1] < 1.05 < 1.2 < squares[kissing + 1] / squares[1]


@pytest.mark.slow
def test_a_random_basis_becomes_e8(seed):
    generator, _ = optimize_generator(8, seed, restarts=3)
    nsm, error = estimate_nsm(polish(generator, seed), 1e-5, seed)
    assert nsm == pytest.approx(929 / 12960, abs=1e-4) and error < 1.1e-5


def test_a_descent_starts_where_it_is_told(seed):
    """From E8 with small steps it stays at E8."""
    e8 = lattices.get("e8").generator
    generator, history = optimize_generator(8, seed, steps=20_000, rate=1e-4, start=e8)
    assert history[0].nsm == pytest.approx(929 / 12960, abs=1e-3)
    assert estimate_nsm(generator, 1e-4, seed)[0] == pytest.approx(929 / 12960, abs=6e-4)


def test_what_it_finds_works_everywhere(seed):
    """Unit volume, upper triangular: the sphere decoder and the triangular prior take it. The same seed, the same."""
    generator, _ = optimize_generator(3, seed, steps=5_000)
    assert torch.equal(generator, generator.triu()) and float(generator.det()) == pytest.approx(1)
    lattice = SphereDecoder(generator)
    prior = TriangularPrior(lattice, 6, GaussianMixture(6))
    points = lattice.quantize(torch.randn(10, 6))
    assert bool(torch.isfinite(prior.log_prob(points)).all())
    assert torch.equal(generator, optimize_generator(3, seed, steps=5_000)[0])


@pytest.mark.parametrize("change", [{"dim": 0}, {"steps": 0}, {"rate": 0.0}, {"restarts": 0}, {"fall": 0.5}])
def test_numbers_that_make_no_sense_are_refused(change):
    with pytest.raises(ValueError, match="positive"):
        optimize_generator(**{"dim": 2, "steps": 10, **change})


def test_starts_that_are_no_generator_are_refused():
    with pytest.raises(ValueError, match="shape"):
        optimize_generator(3, steps=10, start=torch.eye(2, dtype=torch.float64))
    with pytest.raises(ValueError, match="nonsingular"):
        optimize_generator(2, steps=10, start=torch.ones(2, 2, dtype=torch.float64))
