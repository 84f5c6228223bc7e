"""Laws of the alternation: it never costs more than its start, and twice the steps never cost much more."""

import copy
import itertools

import pytest
import torch

from ltc import lattices
from ltc.entropy import GaussianMixture, exact_prior
from ltc.models import BlockCoder, Coder, LatticeBottleneck, RDSearch
from ltc.models.block_search import BlockSearch
from ltc.training import Alternation
from ltc.transforms import MLP

LAMBDA, DIM = 40.0, 4


def curve(count, seed):
    """Points on a bent sheet in four dimensions."""
    generator = torch.Generator().manual_seed(seed)
    z = 2 * torch.randn(count, 2, generator=generator)
    return torch.stack([z[:, 0], z[:, 1], 0.3 * z[:, 0] ** 2, 0.3 * z[:, 0] * z[:, 1]], dim=1)


def draw(index):
    return curve(200, 1000 + index)


def noise_trained(name, seed, steps=300):
    """A one-shot coder of four latents, two of them to spare."""
    torch.manual_seed(seed)
    lattice = lattices.get(*name)
    prior = exact_prior(lattice, DIM, lambda dim: GaussianMixture(dim, scale=2.0))
    coder = Coder(MLP(DIM, DIM, (32,)), LatticeBottleneck(prior), MLP(DIM, DIM, (32,)), gain=2.0)
    optimizer = torch.optim.Adam(coder.parameters(), lr=5e-3)
    coder.train()
    coder.noisy = True
    for step in range(steps):
        x = draw(step)
        loss = RDSearch(LAMBDA).cost(x, *coder(x)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return coder


def block_coder(name, seed):
    """A block coder of two latents, trained with noise and sixteen vectors in a block."""
    torch.manual_seed(seed)
    lattice = lattices.get(*name)
    prior = exact_prior(lattice, 32, lambda dim: GaussianMixture(dim, scale=2.0), period=2, run=16)
    transforms = MLP(DIM, 2, (32,)), MLP(2, DIM, (32,))
    coder = BlockCoder(transforms[0], LatticeBottleneck(prior), transforms[1], n=16, latents=2, gain=2.0)
    optimizer = torch.optim.Adam(coder.parameters(), lr=5e-3)
    coder.train()
    coder.noisy = True
    for step in range(300):
        x = blocks(200, step)
        loss = RDSearch(16 * LAMBDA).cost(x, *coder(x)).mean() / 16
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return coder


def blocks(count, seed):
    return curve(count // 16 * 16, seed).reshape(-1, 16 * DIM)


@torch.no_grad()
def cost(coder, x):
    return float(RDSearch(LAMBDA).cost(x, *coder.eval()(x)).mean())


@pytest.mark.parametrize("name", [("z",), ("a2",), ("dn", 4)])
def test_it_costs_less_on_fresh_data(name, seed):
    coder = noise_trained(name, seed)
    fresh = curve(5000, 99)
    before = cost(coder, fresh)
    result = Alternation(steps=100)(coder, RDSearch(LAMBDA), draw, curve(2000, 98))
    assert result["cost_after"] <= result["cost_before"]
    assert cost(coder, fresh) < 0.99 * before
    assert coder.neighbours is not None and coder.order is not None


@pytest.mark.parametrize("name", [("z",), ("e8",), ("tcq8", 16)])
def test_blocks_cost_less_on_fresh_data(name, seed):
    """With the block's own search; a step has as many vectors as it is told."""
    coder = block_coder(name, seed)
    objective = RDSearch(16 * LAMBDA)

    def cost(x):
        with torch.no_grad():
            return float(objective.cost(x, *coder.eval()(x)).mean())

    fresh = blocks(5000, 99)
    before = cost(fresh)
    alternation = Alternation(steps=60, order=False, weight_decay=0.0, floats=160 * DIM)
    result = alternation(coder, objective, lambda index: blocks(400, 1000 + index), blocks(2000, 98))
    assert result["cost_after"] <= result["cost_before"]
    assert cost(fresh) < 0.99 * before
    assert isinstance(coder.neighbours, BlockSearch) and coder.order is None


def test_a_bad_training_keeps_the_start(seed):
    """A step that is far too large ruins the coder, and nothing of it stays: not the transforms, nor the prior."""
    coder = noise_trained(("dn", 4), seed)
    held_out = curve(2000, 98)
    before = cost(coder, held_out)
    result = Alternation(steps=20, lr=3.0, prior_lr=3.0)(coder, RDSearch(LAMBDA), draw, held_out)
    assert result["step"] == 0
    assert cost(coder, held_out) == pytest.approx(result["cost_after"], rel=1e-6)
    assert result["cost_after"] <= before


def test_twice_the_steps_cost_no_more(seed):
    start, held_out, fresh = noise_trained(("dn", 4), seed), curve(2000, 98), curve(5000, 99)
    costs = []
    for steps in (100, 200):
        coder = copy.deepcopy(start)
        Alternation(steps=steps)(coder, RDSearch(LAMBDA), draw, held_out)
        costs.append(cost(coder, fresh))
    assert costs[1] <= 1.005 * costs[0]


def test_latents_in_use_share_a_vector(seed):
    """Latents come in the order of their use, and transforms and prior go along."""
    coder = noise_trained(("z",), seed)
    x = curve(2000, 97)
    before, bits = coder.eval()(x)
    Alternation(steps=1, lr=1e-9, prior_lr=1e-9)(coder, RDSearch(LAMBDA), draw, x)
    assert coder.order is not None and sorted(coder.order.order.tolist()) == list(range(DIM))
    # In the batch that told the order, but for what a spread counts among equals.
    use = [y.unique(return_counts=True)[1] / len(y) for y in coder.latents(draw(0)).detach().round().T]
    entropy = [float(-(share * share.log2()).sum()) for share in use]
    assert all(a > b - 0.01 for a, b in itertools.pairwise(entropy))
    coder.neighbours = None
    after = coder(x)
    assert torch.allclose(after.reconstruction, before, atol=1e-4) and torch.allclose(after.bits, bits, atol=1e-3)


def test_a_bitstream_decodes_to_what_the_search_found(seed):
    coder = noise_trained(("dn", 4), seed)
    Alternation(steps=5)(coder, RDSearch(LAMBDA), draw, curve(500, 98))
    coder.eval().update()
    x = curve(300, 97)
    decoded = coder.decompress(coder.compress(x), len(x))
    assert torch.allclose(decoded, coder(x).reconstruction, atol=1e-5)


@pytest.mark.parametrize("options", [{"steps": 0}, {"lr": 0.0}, {"neighbours": 0}, {"floats": 0}])
def test_nonsense_is_refused(options):
    with pytest.raises(ValueError, match="An alternation has"):
        Alternation(**options)
