"""Laws of the calibration: it never raises the cost it is measured by, and finds a scale that is far off."""

import copy
import math

import pytest
import torch

from ltc import lattices
from ltc.entropy import GaussianMixture, exact_prior
from ltc.models import Coder, LatticeBottleneck, RDSearch
from ltc.models.rd_search import decoder_gain
from ltc.training import Calibration
from ltc.transforms import Gain, Linear

QUICK = {"evaluations": 4, "refit_steps": 40, "rdo_steps": 60, "final_steps": 60, "validation_symbols": 40_000}


def gaussian_coder(name, scale=1.0, transform=Gain):
    lattice = lattices.get(name, 64 if name.startswith("tcq") else None)
    n = lattice.dim
    prior = exact_prior(lattice, n, lambda dim: GaussianMixture(dim, scale=scale))
    options = {"initial": scale} if transform is Gain else {}
    inverse = {"initial": 1 / scale} if transform is Gain else {}
    return Coder(transform(n, n, **options), LatticeBottleneck(prior), transform(n, n, **inverse)), n


def stream(n, seed):
    return lambda index: torch.randn(
        4000 // n, n, generator=torch.Generator().manual_seed((seed * 7919 + index) % 2**31)
    )


def cost(coder, objective, x):
    coder.eval()
    with torch.no_grad():
        return objective.cost(x, *coder(x)) / x.shape[1]


@pytest.mark.parametrize("name", ["z", "e8", "tcq8"])
@pytest.mark.parametrize("lmbda", [0.7, 4.0])
def test_it_lowers_the_cost_of_fresh_data(name, lmbda, seed):
    """From a scale that is far off."""
    coder, n = gaussian_coder(name, scale=1.3)
    objective = RDSearch(lmbda * n)
    before = copy.deepcopy(coder)
    result = Calibration(**QUICK)(coder, objective, stream(n, seed))
    assert result["cost_after"] <= result["cost_before"]
    x = torch.cat([stream(n, seed + 1)(i) for i in range(20)])
    change = cost(coder, objective, x) - cost(before, objective, x)
    assert float(change.mean()) < 3 * float(change.std()) / len(change) ** 0.5 + 1e-3
    # Theory at lambda = 4: R(D) + 4 D + the gap of Z, the largest; zero rate at lambda = 0.7 costs 0.7.
    assert float(cost(coder, objective, x).mean()) < {0.7: 0.75, 4.0: 1.958 + 0.26 + 0.03}[lmbda]


def test_the_search_never_costs_more_than_nearest_points(seed):
    """Also where the decoder is no isometry, and mu only a guess."""
    for trial in range(5):
        torch.manual_seed(seed + trial)
        coder, n = gaussian_coder("e8", transform=Linear)
        torch.nn.init.normal_(coder.synthesis.layers[0].weight, std=0.5)
        coder.gain.fill_(0.3 + torch.rand(()))
        coder.search = RDSearch(price=n * 3.0)
        x = torch.randn(500, n)
        nearest = cost(coder, coder.search, x)
        coder.search.tune(x, coder.latents(x).detach(), coder.decode)
        assert float(coder.search.mu) > 0
        assert bool((cost(coder, coder.search, x) <= nearest + 1e-5).all())


def test_tuning_undoes_the_shrinkage_of_a_decoder(generator):
    """With latents g x and decoder a y: the stretch is 1 / (a g), and mu = 1 / (lambda a^2)."""
    coder, n = gaussian_coder("e8", scale=2.0)
    torch.nn.init.constant_(coder.synthesis.log_gain, -1.0)
    x = torch.randn(4000, n, generator=generator)
    search = RDSearch(price=n * 3.0)
    search.tune(x, coder.latents(x).detach(), coder.decode)
    assert float(search.stretch) == pytest.approx(math.e / 2, rel=1e-5)
    assert float(search.mu) == pytest.approx(math.e**2 / 3, rel=1e-4)


def test_decoder_gain_of_a_scaled_isometry(generator):
    """Exactly its squared scale."""
    q, _ = torch.linalg.qr(torch.randn(8, 8, generator=generator))
    measured = decoder_gain(lambda p: 2.5 * p @ q, torch.randn(100, 8, generator=generator), 0.3)
    assert measured == pytest.approx(6.25, rel=1e-4)


def test_scaling_the_latents_with_their_prior_changes_the_decoder_not(generator):
    """Gain and prior move together: at high rate the rate rises by log2 of the factor for each dimension."""
    coder, n = gaussian_coder("e8", scale=4.0)
    x = torch.randn(3000, n, generator=generator)
    coder.eval()
    with torch.no_grad():
        before = coder(x)
        coder.gain.mul_(2.0)
        coder.bottleneck.rescale(2.0)
        after = coder(x)
    assert float((after.bits - before.bits).mean()) / n == pytest.approx(1.0, abs=0.01)
    ratio = (x - before.reconstruction).square().mean() / (x - after.reconstruction).square().mean()
    assert float(ratio) == pytest.approx(4.0, rel=0.05)


@pytest.mark.parametrize("wrong", [{"lowest": -1}, {"lowest": 0}, {"lowest": 2}, {"highest": math.inf}, {"rounds": 0}])
def test_an_interval_of_no_factors_is_refused(wrong):
    with pytest.raises(ValueError, match=r"lowest to highest|at least 1") as error:
        Calibration(**wrong)
    assert str(next(iter(wrong.values()))) in str(error.value)
