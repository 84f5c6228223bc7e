"""Families with random parameters, and all points of a lattice that matter."""

import math

import pytest
import torch

from ltc.entropy import GaussianMixture, LaplaceMixture, LogisticMixture, exact_prior

# The scale of each family at which its tails are as short as a Gaussian's, and its counterpart in scipy.
FAMILIES = {GaussianMixture: 1.0, LogisticMixture: 0.33, LaplaceMixture: 0.3}


@pytest.fixture(params=FAMILIES, ids=lambda cls: cls.__name__)
def family_class(request):
    return request.param


@pytest.fixture
def random_family(generator):
    """``random_family(cls, dim, narrow, wide)``: float64, random weights, means and scales (of a Gaussian's size)."""

    def make(cls, dim, narrow=0.15, wide=0.6, components=3):
        family = cls(dim, components).double()
        unit = torch.rand(3, components, dim, generator=generator, dtype=torch.float64)
        with torch.no_grad():
            family.weight.copy_(4 * unit[0] - 2)
            family.mean.copy_((2 * unit[1] - 1) * wide / 2)
            family.log_scale.copy_(math.log(narrow) + unit[2] * math.log(wide / narrow) + math.log(FAMILIES[cls]))
        return family

    return make


@pytest.fixture
def prior_on(random_family):
    """``prior_on(lattice, cls, copies=1)``: the exact prior of a product of copies, random parameters, float64."""

    def make(lattice, cls, copies=1, **ranges):
        return exact_prior(lattice, copies * lattice.dim, lambda dim: random_family(cls, dim, **ranges)).double()

    return make


@pytest.fixture
def some_points(generator):
    """``some_points(lattice, count, copies)``: nearest points of Gaussian vectors, float64."""

    def draw(lattice, count, copies=1, scale=1.0):
        x = scale * torch.randn(count, copies * lattice.dim, generator=generator, dtype=torch.float64)
        return lattice.quantize(x)

    return draw


@pytest.fixture
def parallelepiped(generator):
    """``parallelepiped(lattice, count)``: uniform over a fundamental cell, float64: what a dither may be."""

    def draw(lattice, count):
        return torch.rand(count, lattice.dim, generator=generator, dtype=torch.float64) @ lattice.generator

    return draw


# Out to this radius, and with scales up to this one, the points hold all but 1e-9 of the probability.
_REACH = {
    1: (7.0, 0.7),
    2: (7.0, 0.7),
    3: (7.0, 0.6),
    4: (6.0, 0.5),
    5: (4.6, 0.3),
    6: (4.2, 0.25),
    7: (3.4, 0.2),
    8: (2.9, 0.17),
}


@pytest.fixture
def all_points(short_vectors):
    """``all_points(lattice)``: (points in a ball, float64 [count, n], widest scale that they suffice for, radius)."""

    def enumerate_points(lattice):
        radius, wide = _REACH[lattice.dim]
        return short_vectors(lattice.generator, radius**2), wide, radius

    return enumerate_points
