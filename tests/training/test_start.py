"""A coder that starts from its neighbour's: the weights are its, the scale is that of its own lambda."""

import copy
import math

import pytest
import torch

from ltc import lattices
from ltc.entropy import GaussianMixture, exact_prior
from ltc.models import Coder, LatticeBottleneck
from ltc.models.latent_order import LatentOrder
from ltc.models.neighbour_search import NeighbourSearch
from ltc.models.rd_search import RDSearch
from ltc.training import Calibration, RateDistortionModule
from ltc.training.start import Start, rescale, start_from
from ltc.transforms import Gain


def made(lattice="e8", gain=1.0):
    lattice = lattices.get(lattice)
    prior = exact_prior(lattice, lattice.dim, family=lambda dim: GaussianMixture(dim, scale=gain))
    dim = lattice.dim
    return Coder(Gain(dim, dim), LatticeBottleneck(prior), Gain(dim, dim), gain)


def module_of(coder, lmbda):
    return RateDistortionModule(coder, coder.bottleneck.lattice.dim, lmbda)


@pytest.fixture
def checkpoint(tmp_path):
    """``checkpoint(module)``: the path of Lightning's checkpoint of it."""

    def write(module):
        torch.save({"state_dict": module.state_dict()}, tmp_path / "last.ckpt")
        return tmp_path / "last.ckpt"

    return write


@pytest.mark.parametrize("searches", [False, True])
def test_weights_are_taken_and_latents_scaled(checkpoint, searches, rng):
    lambdas = rng.uniform(0.5, 8, 2)
    one = module_of(made(gain=float(rng.uniform(0.5, 2))), float(lambdas[0]))
    if searches:
        one.coder.search = RDSearch(one.lmbda * one.n)
        one.coder.search.mu.fill_(0.3)
    other = module_of(made(), float(lambdas[1]))
    start_from(other, checkpoint(one), one.lmbda)
    assert other.start.ratio == pytest.approx(one.lmbda / other.lmbda)
    assert (other.start.coder.search is not None) == searches and other.coder.search is None
    assert "start" not in " ".join(other.state_dict())
    factor = math.sqrt(other.lmbda / one.lmbda)
    torch.testing.assert_close(other.coder.gain, one.coder.gain * factor)
    # The prior has moved along: the masses of the scaled points on cells as much wider.
    families = [c.bottleneck.entropy_model.family for c in (one.coder, other.coder)]
    t, width = torch.randn(100, 8), torch.ones(8)
    torch.testing.assert_close(families[0].log_mass(t, width), families[1].log_mass(factor * t, factor * width))


def test_what_training_has_added_is_taken_along(checkpoint):
    """The order of the latents, which transforms and prior go by; searches have another price, and are made anew."""
    one, other = module_of(made(), 8.0), module_of(made(), 4.0)
    one.coder.order = LatentOrder(torch.randperm(8))
    one.coder.neighbours = NeighbourSearch(one.lmbda * one.n, torch.eye(8))
    start_from(other, checkpoint(one), one.lmbda)
    assert torch.equal(other.coder.order.order, one.coder.order.order) and other.coder.neighbours is None
    assert float(other.start.coder.neighbours.price) == 64 and torch.equal(
        other.start.coder.neighbours.offsets, torch.eye(8)
    )


def test_what_is_no_start_is_said(checkpoint, tmp_path):
    module = module_of(made(), 2.0)
    with pytest.raises(ValueError, match=r"nowhere\.ckpt does not exist"):
        start_from(module, tmp_path / "nowhere.ckpt", 4.0)
    with pytest.raises(ValueError, match=r"last\.ckpt holds another coder"):
        start_from(module, checkpoint(module_of(made("leech"), 4.0)), 4.0)


def test_a_neighbour_saves_what_training_has_lost():
    """A coder whose training has collapsed is replaced by its neighbour's, brought to its own lambda."""
    lmbda = 4.0
    few = Calibration(
        evaluations=2, rounds=1, refit_steps=20, rdo_steps=150, final_steps=150, validation_symbols=20_000
    )

    def draw(index):
        return torch.randn(500, 2, generator=torch.Generator().manual_seed(index))

    good = made("a2", gain=2.5)
    few(good, RDSearch(4 * lmbda), draw)
    lost = copy.deepcopy(good)
    lost.search = None
    rescale(lost, 0.02)
    costs = []
    for neighbour in (None, Start(good, 2.0)):
        coder = copy.deepcopy(lost)
        costs.append(few(coder, RDSearch(2 * lmbda), draw, neighbour)["cost_after"] / 2)
    # N(0, 1) at 1.23 bits: R(D) + lambda D, and A2's gap of 0.227 bit.
    best = 0.5 * math.log2(2 * math.log(2) * lmbda) + 0.5 / math.log(2)
    assert costs[1] < costs[0] - 0.1 and best + 0.2 < costs[1] < best + 0.26


def test_a_neighbour_is_not_changed():
    few = Calibration(evaluations=2, rounds=1, refit_steps=2, rdo_steps=2, final_steps=2, validation_symbols=800)
    coder = made(gain=2.0)
    before = copy.deepcopy(coder.state_dict())
    few(made(gain=2.0), RDSearch(32.0), lambda index: torch.randn(50, 8), Start(coder, 2.0))
    assert all(torch.equal(before[key], value) for key, value in coder.state_dict().items())
