"""How far out the exact priors go, and what they refuse."""

import math

import pytest
import torch

from ltc import lattices
from ltc.entropy import GaussianMixture, LaplaceMixture, LogisticMixture, TrellisPrior, TriangularPrior, exact_prior
from ltc.lattices.sphere import SphereDecoder


@torch.no_grad()
def test_far_points_have_finite_probabilities(lattice, family_class):
    """From the origin out to three thousand, in one batch: finite, and less probable further out."""
    prior = exact_prior(lattice, lattice.dim, family_class)
    direction = torch.ones(lattice.dim) / math.sqrt(lattice.dim)
    x = torch.tensor([0, 3, 10, 30, 1e2, 3e2, 3e3])[:, None] * direction
    for dtype in (torch.float32, torch.float64):
        points = lattice.quantize(x.double()).to(dtype)
        log_prob = prior.log_prob(points)
        assert bool(log_prob.isfinite().all()) and bool((log_prob.diff() < 0).all())
        dithered = prior.log_prob(points, torch.full_like(points, 0.1))
        assert bool(dithered.isfinite().all()) and bool((dithered.diff() < 0).all())
        # A far point in the batch does not change what the near ones cost.
        torch.testing.assert_close(prior.log_prob(points[:3]), log_prob[:3], rtol=1e-5, atol=1e-5)


def test_points_beyond_any_table_are_refused_with_a_sentence(trellis_lattice):
    """A table of more than 2^15 steps each way is no sane latent; it must not end as a wrong number or full memory."""
    prior = exact_prior(trellis_lattice, trellis_lattice.dim)
    for distance in (1e6, 1e9):
        points = trellis_lattice.quantize(torch.full((1, trellis_lattice.dim), distance).double())
        with pytest.raises(ValueError, match=r"more than 32768.*diverged"):
            prior(points)


def test_wrong_dimensions_are_refused(lattice):
    for dim in (0, lattice.dim + 1)[: 1 if lattice.dim == 1 else 2]:
        with pytest.raises(ValueError, match=f"multiples of {lattice.dim} latent"):
            exact_prior(lattice, dim)


def test_priors_refuse_lattices_that_they_do_not_fit():
    with pytest.raises(ValueError, match="no trellis"):
        TrellisPrior(lattices.get("an", 3), 3, GaussianMixture(3))
    lower = SphereDecoder([[1.0, 0.0], [0.4, 1.0]])
    with pytest.raises(ValueError, match="upper triangular"):
        TriangularPrior(lower, 2, GaussianMixture(2))


@pytest.mark.parametrize("cls", [GaussianMixture, LogisticMixture, LaplaceMixture])
def test_a_prior_that_has_diverged_says_so(cls):
    """Tables over more lattice steps than any sane training has are refused, before memory runs out."""
    prior = TrellisPrior(lattices.get("e8"), 8, cls(8, scale=1e5))
    for dither in (None, torch.zeros(1, 8)):
        with pytest.raises(ValueError, match="diverged"):
            prior(torch.zeros(1, 8), dither)
