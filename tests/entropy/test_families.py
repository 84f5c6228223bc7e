"""Laws of the mixtures: against scipy's distributions, and as measures on the line."""

import math

import numpy as np
import pytest
import scipy.stats
import torch

from ltc.entropy import GaussianMixture, LaplaceMixture, LogisticMixture

SCIPY = {
    GaussianMixture: scipy.stats.norm,
    LogisticMixture: scipy.stats.logistic,
    LaplaceMixture: scipy.stats.laplace,
}


def components(family):
    """The components of the mixture of each coordinate: (weights, scipy distribution), both [components, dim]."""
    weight = torch.softmax(family.weight, 0).detach().numpy()
    distribution = SCIPY[type(family)](family.mean.detach().numpy(), family.log_scale.exp().detach().numpy())
    return weight, distribution


def scipy_log_mass(family, t, width):
    """log mass of [t - width/2, t + width/2] from scipy's distribution functions, in whichever tail is accurate."""
    weight, distribution = components(family)
    low, high = ((t + side * width / 2).numpy()[..., None, :] for side in (-1, 1))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        left = _log_difference(_log_cdf(distribution, high), _log_cdf(distribution, low))
        right = _log_difference(_log_sf(distribution, low), _log_sf(distribution, high))
    log_mass = np.where(low + high < 2 * distribution.median(), left, right)
    return torch.from_numpy(np.logaddexp.reduce(np.log(weight) + log_mass, axis=-2))


def _log_cdf(distribution, x):
    if distribution.dist.name != "laplace":
        return distribution.logcdf(x)
    # scipy takes the logarithm of a number that underflows.
    z = (x - distribution.median()) / (distribution.std() / math.sqrt(2))
    return np.where(z < 0, z - math.log(2), np.log1p(-np.exp(-np.abs(z)) / 2))


def _log_sf(distribution, x):
    if distribution.dist.name != "laplace":
        return distribution.logsf(x)
    return _log_cdf(distribution, 2 * distribution.median() - x)


def _log_difference(large, small):
    return large + np.log(-np.expm1(small - large))


@pytest.mark.parametrize("reach", [1.0, 30.0, 1e4])
def test_mass_is_scipys(family_class, random_family, generator, reach):
    """Near the mean and in tails whose mass no float64 holds."""
    family = random_family(family_class, 5)
    t = reach * (2 * torch.rand(400, 5, generator=generator, dtype=torch.float64) - 1)
    width = torch.rand(5, generator=generator, dtype=torch.float64) + 0.05
    found = family.log_mass(t, width)
    assert found.dtype == torch.float64 and found.shape == t.shape
    torch.testing.assert_close(found, scipy_log_mass(family, t, width), rtol=1e-9, atol=1e-9)


def test_density_is_scipys(family_class, random_family, generator):
    family = random_family(family_class, 4)
    t = 10 * (2 * torch.rand(400, 4, generator=generator, dtype=torch.float64) - 1)
    weight, distribution = components(family)
    expected = np.logaddexp.reduce(np.log(weight) + distribution.logpdf(t.numpy()[:, None, :]), axis=1)
    torch.testing.assert_close(family.log_density(t), torch.from_numpy(expected), rtol=1e-10, atol=1e-10)


def test_density_integrates_to_one(family_class, random_family):
    family = random_family(family_class, 3)
    t = torch.linspace(-30, 30, 600_001, dtype=torch.float64)
    density = family.log_density(t[:, None].expand(-1, 3)).exp()
    torch.testing.assert_close(torch.trapezoid(density, t, dim=0), torch.ones(3).double(), rtol=0, atol=1e-6)


def test_masses_add_up(family_class, random_family, generator):
    """Two halves of a cell, and all cells of a grid."""
    family = random_family(family_class, 3)
    width = torch.rand(3, generator=generator, dtype=torch.float64) + 0.1
    t = 4 * torch.randn(200, 3, generator=generator, dtype=torch.float64)
    halves = torch.stack([family.log_mass(t + side * width / 4, width / 2) for side in (-1, 1)])
    torch.testing.assert_close(halves.logsumexp(0), family.log_mass(t, width), rtol=1e-9, atol=1e-9)
    grid = torch.arange(-400, 401, dtype=torch.float64)[:, None] * width + t[0]
    torch.testing.assert_close(family.log_mass(grid, width).exp().sum(0), torch.ones(3).double(), rtol=0, atol=1e-12)


def test_mass_of_a_tiny_cell_is_density_times_width(family_class, random_family, generator):
    family = random_family(family_class, 3)
    t = torch.randn(200, 3, generator=generator, dtype=torch.float64)
    width = torch.full((3,), 1e-6, dtype=torch.float64)
    expected = family.log_density(t) + math.log(1e-6)
    torch.testing.assert_close(family.log_mass(t, width), expected, rtol=0, atol=2e-5)


def test_support_holds_all_but_a_negligible_mass(family_class, random_family):
    family = random_family(family_class, 6, narrow=0.01, wide=5.0)
    weight, distribution = components(family)
    support = family.support().double().numpy()
    outside = (weight * (distribution.sf(support) + distribution.cdf(-support))).sum(0)
    assert support.shape == (6,) and (outside < 1e-15).all()


def test_gradients_of_mass_and_density(family_class, random_family, generator):
    """By the parameters and by t, against finite differences. t keeps away from Laplace's corners."""
    family = random_family(family_class, 2, components=2)
    t = (3 * torch.randn(4, 2, generator=generator, dtype=torch.float64)).requires_grad_()
    width = torch.tensor([0.5, 0.9], dtype=torch.float64)
    if family_class is LaplaceMixture:
        corner = family.mean.detach() + width / 2 * torch.tensor([-1, 0, 1])[:, None, None]
        assert float((t.detach()[:, None, None] - corner).abs().min()) > 1e-5
    names = [name for name, _ in family.named_parameters()]

    def of(function):
        def call(points, *parameters):
            return torch.func.functional_call(_Call(family, function), _named(names, parameters), (points, width))

        return call

    for function in ("log_mass", "log_density"):
        assert torch.autograd.gradcheck(of(function), (t, *family.parameters()), rtol=1e-5, atol=1e-6)


class _Call(torch.nn.Module):
    """A method of a family as ``forward``, which is what ``functional_call`` calls."""

    def __init__(self, family, function):
        super().__init__()
        self.family, self.function = family, function

    def forward(self, points, width):
        return self.family.log_mass(points, width) if self.function == "log_mass" else self.family.log_density(points)


def _named(names, parameters):
    return {f"family.{name}": value for name, value in zip(names, parameters, strict=True)}


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_extreme_points_have_finite_masses_and_gradients(family_class, scale, dtype):
    """At the mean, at a cell's edge on the mean, far in both tails; cells much narrower and wider than the scale."""
    family = family_class(1, scale=scale)
    width = torch.tensor([0.5], dtype=torch.float64)
    t = torch.tensor([0.0, 0.25, -0.25, 0.5, 1e-9, 3.0, -3.0, 1e3, -1e5, 1e6], dtype=dtype)[:, None].requires_grad_()
    log_mass = family.log_mass(t, width)
    log_mass.sum().backward()
    assert bool(log_mass.isfinite().all()) and bool((log_mass <= 1e-12).all())
    for gradient in (t.grad, *(p.grad for p in family.parameters())):
        assert bool(gradient.isfinite().all())
    # Further out is less probable, strictly: no tail is cut off at a floor.
    outward = log_mass[[0, 3, 5, 7]].flatten()
    assert scale == 1e3 or bool((outward.diff() < 0).all())


def test_masses_are_computed_in_double_precision(family_class, random_family, generator):
    """In float32 parameters and points, the tables are still those of the same numbers in float64."""
    family = random_family(family_class, 3).float()
    t = torch.randn(100, 3, generator=generator)
    width = torch.tensor([0.5, 0.7, 1.0], dtype=torch.float64)
    found = family.log_mass(t, width)
    expected = family.double().log_mass(t.double(), width)
    assert found.dtype == torch.float64
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-13)
    assert family.float().log_density(t).dtype == torch.float32


def test_a_new_mixture_is_symmetric_with_scales_around_the_given_one(family_class):
    family = family_class(2, components=5, scale=0.3)
    t = torch.linspace(0.1, 3, 20)[:, None].expand(-1, 2)
    torch.testing.assert_close(family.log_density(t), family.log_density(-t))
    assert family.log_scale.exp().log().mean().item() == pytest.approx(math.log(0.3), abs=1e-6)
    assert len(family.log_scale[:, 0].unique()) == 5  # components that are alike would stay alike


@pytest.mark.parametrize("wrong", [{"components": 0}, {"scale": 0.0}, {"scale": -1.0}, {"scale": math.nan}])
def test_wrong_arguments_are_refused(family_class, wrong):
    with pytest.raises(ValueError, match="components >= 1 and scale > 0"):
        family_class(2, **wrong)


def test_a_component_at_its_least_width_can_widen_again(family_class, random_family, generator):
    """What is narrower counts as of the least width; where wider is better its derivative says so, else it is zero."""
    family, least = random_family(family_class, 3, components=1), 0.09
    with torch.no_grad():
        family.log_scale.fill_(-9)
    t = family.mean.detach().double() + torch.tensor([0.0, 1.0, -1.0])  # at the mean, and a step beside it
    width = torch.ones(3, dtype=torch.float64)
    found, _ = family.log_mass_and_slope(t[:1], width, least=least)
    with torch.no_grad():
        family.log_scale.fill_(math.log(least * family.like_gaussian))
    expected, _ = family.log_mass_and_slope(t[:1], width)
    torch.testing.assert_close(found, expected)
    with torch.no_grad():
        family.log_scale.fill_(-9)
    (slope,) = torch.autograd.grad(-family.log_mass_and_slope(t[:1], width, least=least)[0].sum(), family.log_scale)
    assert (slope[0, 0] == 0) and (slope[0, 1:] < 0).all()
