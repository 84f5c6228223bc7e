"""Conditional priors: masses that sum to 1 whatever the scales, and the plain priors where all scales are one."""

import math

import pytest
import torch
from scipy.stats import norm

from ltc import lattices
from ltc.entropy import GaussianMixture, TrellisPrior
from ltc.entropy.conditional import conditional_prior

TRELLISES = ["z3", "a2", "dn2", "dn4", "dn_dual3", "e6_dual", "e8", "bw16"]


def _scales(generator, *shape, narrow=0.11, wide=3.0):
    unit = torch.rand(*shape, generator=generator, dtype=torch.float64)
    return narrow * (wide / narrow) ** unit


@pytest.mark.parametrize("key", ["z1", "z3", "a2", "dn2", "dn3", "dn4", "dn_dual3", "e6_dual", "e8"])
def test_masses_sum_to_one_at_any_scales(key, get_lattice, all_points, generator):
    lattice = get_lattice(key)
    points, wide, _ = all_points(lattice)
    scales = _scales(generator, lattice.dim, narrow=min(0.11, wide / 2), wide=wide)
    total = conditional_prior(lattice).log_prob(points, scales.expand_as(points)).exp()
    if total.shape[-1] > 1:
        total = total.prod(-1)
    assert float(total.sum()) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("key", TRELLISES)
def test_equal_scales_give_the_plain_prior(key, get_lattice, generator):
    lattice = get_lattice(key)
    scale = float(_scales(generator, 1))
    family = GaussianMixture(lattice.dim, components=1, scale=scale).double()
    plain = TrellisPrior(lattice, lattice.dim, family)
    points = lattice.quantize(2 * scale * torch.randn(20, lattice.dim, dtype=torch.float64, generator=generator))
    # The parameter is a float32.
    found = conditional_prior(lattice).log_prob(points, family.log_scale.exp().detach().expand_as(points))
    torch.testing.assert_close(found.sum(-1), plain.log_prob(points).detach(), atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("states", [4, 8, 64])
def test_a_code_is_a_tree_of_probabilities(states, generator):
    # All paths out to |k| <= 12, branch by branch.
    code = lattices.get(f"tcq{states}", 3)
    scales = _scales(generator, 3, wide=1.0)
    k = torch.cartesian_prod(*[torch.arange(-12, 13)] * 3)
    paths = k[code.trellis.contains(k)]
    log_p = conditional_prior(code).log_prob(0.5 * paths.double(), scales.expand(len(paths), 3)).sum(-1)
    assert float(log_p.exp().sum()) == pytest.approx(1, abs=1e-6)


def test_the_integers_have_the_masses_of_their_cells(generator):
    scales = _scales(generator, 50)
    points = torch.round(scales * torch.randn(50, dtype=torch.float64, generator=generator))
    found = conditional_prior(lattices.get("z")).log_prob(points, scales)
    expected = (
        torch.from_numpy(norm.logcdf(points + 0.5, scale=scales)).exp()
        - torch.from_numpy(norm.logcdf(points - 0.5, scale=scales)).exp()
    )
    torch.testing.assert_close(found.exp(), expected, atol=1e-12, rtol=1e-7)


@pytest.mark.parametrize("key", [*TRELLISES, "leech"])
def test_narrow_scales_cost_nothing(key, get_lattice):
    lattice = get_lattice(key)
    zero = torch.zeros(lattice.dim)
    p = conditional_prior(lattice).log_prob(zero, torch.full_like(zero, 0.11)).exp().prod()
    assert float(p) == pytest.approx(1, abs=2e-2)


@pytest.mark.parametrize("key", ["z3", "a2", "dn4", "e8", "bw16", "tcq8"])
def test_derivative_by_the_scales(key, get_lattice, generator):
    lattice = lattices.get("tcq8", 6) if key == "tcq8" else get_lattice(key)
    n = lattice.dim
    scales = _scales(generator, 2, n).requires_grad_()
    points = lattice.quantize(scales.detach() * torch.randn(2, n, dtype=torch.float64, generator=generator))
    prior = conditional_prior(lattice)
    assert torch.autograd.gradcheck(lambda s: prior.log_prob(points, s), scales, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("key", ["z3", "e8"])
def test_derivative_by_the_points_is_the_slope_of_f(key, get_lattice, generator):
    lattice = get_lattice(key)
    scales = _scales(generator, 3, lattice.dim)
    points = lattice.quantize(torch.randn(3, lattice.dim, dtype=torch.float64, generator=generator)).requires_grad_()
    prior = conditional_prior(lattice)
    assert torch.autograd.gradcheck(lambda x: prior.log_prob(x, scales), points, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("key", ["z3", "a2", "e8", "tcq8"])
def test_extreme_scales_and_points_stay_finite(key, get_lattice):
    lattice = lattices.get("tcq8", 4) if key == "tcq8" else get_lattice(key)
    far = lattice.quantize(torch.full((lattice.dim,), 1000.0))
    points = torch.stack([torch.zeros_like(far), far])
    for scale in (0.01, 0.11, 1e4, 1e8):
        scales = torch.full_like(points, scale, requires_grad=True)
        log_p = conditional_prior(lattice).log_prob(points, scales)
        (slope,) = torch.autograd.grad(log_p.sum(), scales)
        assert torch.isfinite(log_p).all() and torch.isfinite(slope).all() and float(log_p.detach().max()) < 1e-5


def test_rate_is_near_the_entropy_of_what_is_quantized(generator):
    # At high rate a Gaussian's quantized entropy is its differential entropy, the volume being 1.
    scales = _scales(generator, 40_000, narrow=2.0, wide=8.0)
    for lattice in (lattices.get("e8"), lattices.get("tcq8", 1000)):
        points = lattice.quantize(scales * torch.randn(len(scales), dtype=torch.float64, generator=generator))
        bits = -conditional_prior(lattice).log_prob(points, scales).sum() / math.log(2)
        entropy = (0.5 * math.log2(2 * math.pi * math.e) + scales.log2()).sum()
        assert float(bits) == pytest.approx(float(entropy), rel=0.01)
