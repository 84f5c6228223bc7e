"""Laws of the network of many rates: its transforms' start, its gains, its stages, its files."""

import copy
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ltc import lattices
from ltc.images.networks import MultirateNetwork
from ltc.images.networks.block_transform import BlockAnalysis, BlockSynthesis, block_basis, lapping
from ltc.images.networks.gains import Gains, level_of, price_of
from ltc.images.networks.squares import joined, neighbours, stage
from ltc.images.refinement import Refinement
from ltc.images.swap import use_lattice
from ltc.training import MultirateImageModule, SearchedImageModule
from ltc.training.searched_module import _Given

PRICES = (0.005, 0.02, 0.1)


def small(lattice: str = "z", along: str = "channels") -> MultirateNetwork:
    made = lattices.LearnedLattice(8) if lattice == "learned" else lattices.get(lattice)
    network = use_lattice(MultirateNetwork(16, 32, PRICES, depth=1), made, along=along)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter += 0.02 * torch.randn_like(parameter)
    network.eval().update(force=True)
    return network


def test_transforms_start_as_inverses():
    x = torch.rand(2, 3, 64, 96)
    analysis, synthesis = BlockAnalysis(192, 16, 2), BlockSynthesis(192, 16, 2)
    assert torch.allclose(synthesis(analysis(x)), x, atol=1e-5)


def coding_gain(filters: torch.Tensor, correlation: float = 0.95, blocks: int = 12) -> float:
    """In dB, of a filter at all edges and a DCT, for a first-order Markov field, one middle block."""
    length = 8 * blocks
    transform = torch.eye(length, dtype=torch.float64)
    for block in range(1, blocks):
        edge = slice(8 * block - 4, 8 * block + 4)
        transform[edge] = filters @ transform[edge]
    k = torch.arange(8, dtype=torch.float64)
    dct = 0.5 * torch.cos(math.pi * (2 * k + 1) * k[:, None] / 16)
    dct[0] /= math.sqrt(2)
    transform = torch.block_diag(*[dct] * blocks) @ transform
    k = torch.arange(length, dtype=torch.float64)
    variances = (transform @ correlation ** (k[:, None] - k).abs() @ transform.T).diagonal()
    energies = torch.linalg.inv(transform).square().sum(0)
    middle = slice(8 * (blocks // 2), 8 * (blocks // 2) + 8)
    return float(-10 * (variances * energies)[middle].log10().mean())


def test_lapping_gains_what_is_published():
    """8.83 dB of the DCT, 9.5 to 9.6 of lapped biorthogonal transforms of two blocks (Tran, Liang & Tu, table II)."""
    assert coding_gain(torch.eye(8, dtype=torch.float64)) == pytest.approx(8.83, abs=0.01)
    assert 9.45 < coding_gain(lapping()) < 9.63


@pytest.mark.parametrize("count", [0, 193])
def test_no_such_basis(count):
    with pytest.raises(ValueError, match="1 to 192 coefficients"):
        block_basis(count)


def test_stages_are_all_positions_once():
    t = torch.arange(2 * 3 * 6 * 8.0).view(2, 3, 6, 8)
    stages = [stage(t, s) for s in range(3)]
    assert torch.equal(joined(stages), t)
    assert sorted(torch.cat([s.flatten() for s in stages]).tolist()) == t.flatten().tolist()


@pytest.mark.parametrize("number", [1, 2])
def test_neighbours_are_near(number):
    """Away from the edges they are four different ones: diagonal to the second stage, beside the third's positions."""
    rows, columns = torch.meshgrid(torch.arange(12.0), torch.arange(10.0), indexing="ij")
    places = torch.stack([rows, columns])[None]
    here = stage(places, number)
    found = torch.stack(neighbours([stage(places, s) for s in range(number)]))
    inside = ((here > 1) & (here < 8)).all(1, keepdim=True).expand_as(here)
    offsets = (found - here)[:, inside].unflatten(1, (2, -1))
    wanted = {(-1, -1), (-1, 1), (1, -1), (1, 1)} if number == 1 else {(-1, 0), (1, 0), (0, -1), (0, 1)}
    assert all(set(map(tuple, at.tolist())) == wanted for at in offsets.permute(2, 0, 1))


@given(st.floats(0.005, 0.1))
def test_levels_and_prices_are_inverses(price):
    assert float(price_of(torch.tensor([level_of(price, PRICES)]), PRICES)) == pytest.approx(price, rel=1e-5)


@pytest.mark.parametrize("price", [0.004, 0.11])
def test_no_such_rate(price):
    with pytest.raises(ValueError, match=f"lambda={price}.*from 0.005 to 0.1"):
        small().at(price)


def test_gains_between_levels_are_geometric_means():
    gains = Gains([1.0, 4.0, 32.0], 5)
    with torch.no_grad():
        gains.logs += torch.randn_like(gains.logs)
    ends, middle = gains(torch.tensor([1.0, 2.0])), gains(torch.tensor([1.5]))
    assert torch.allclose(ends.prod(0).sqrt(), middle[0])


@pytest.mark.parametrize("prices", [[], [0.1, 0.05], [0.0, 0.1], [0.1, 0.1]])
def test_prices_ascend(prices):
    with pytest.raises(ValueError, match="ascending"):
        MultirateNetwork(16, 32, prices)


@pytest.mark.parametrize("lattice", ["z", "e8", "tcq8", "learned"])
def test_files_carry_their_rate(lattice):
    """A decoder that stands at another rate decodes what the encoder's evaluation has seen."""
    encoder = small(lattice, "image" if lattice == "tcq8" else "channels")
    decoder = copy.deepcopy(encoder)
    x = torch.rand(1, 3, 64, 96)
    decoder.at(PRICES[0])
    for price in (0.005, 0.013, 0.1):
        encoder.at(price)
        coded = encoder.compress(x)
        found = decoder.decompress(coded["strings"], coded["shape"])["x_hat"]
        assert torch.equal(found, encoder(x)["x_hat"].clamp(0, 1))


def test_larger_lambda_more_bits_and_less_error():
    network, x = small(), torch.rand(1, 3, 64, 96)
    rates, errors = [], []
    for price in (0.005, 0.01, 0.02, 0.05, 0.1):
        network.at(price)
        coded = network.compress(x)
        rates.append(sum(len(strings[0]) for strings in coded["strings"]))
        decoded = network.decompress(coded["strings"], coded["shape"])["x_hat"]
        errors.append(float((decoded - x).square().mean()))
    assert rates == sorted(rates) and errors == sorted(errors, reverse=True)


def test_training_has_derivatives_of_everything():
    network = MultirateNetwork(16, 32, PRICES, depth=1).train()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter += 0.02 * torch.randn_like(parameter)
    prices = network.at_random(3)
    assert prices.shape == (3,) and bool(((prices >= 0.0049) & (prices <= 0.101)).all())
    out = network(torch.rand(3, 3, 64, 64))
    (sum(-p.log2().sum() for p in out["likelihoods"].values()) + 1e4 * out["x_hat"].square().sum()).backward()
    without = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert [n for n in without if not n.endswith("quantiles")] == []


def test_module_returns_to_its_lambda():
    module = MultirateImageModule(small(), lmbda=0.02)
    module.network.at_random(2)
    module.on_validation_epoch_start()
    assert module.network.g_a.level.tolist() == pytest.approx([1.0])


@pytest.mark.parametrize("lattice", ["z", "tcq8", "e8"])
def test_a_decoder_learns_from_what_the_search_finds(lattice):
    """Points that cost less than the nearest ones, and derivatives of all that a decoder has, and of nothing else."""
    network, crops = small(lattice, "image").train(), torch.rand(3, 3, 64, 64)
    module = SearchedImageModule(network, lmbda=0.02)
    found = module._search(crops)
    with torch.no_grad():
        network.g_a.level = found.level
        rates, distortions = module._rates_and_distortions(crops)
        nearest = rates + found.prices * distortions
    module._training_loss(crops)
    module._training_loss(crops)[2].backward()
    learns = {name.split(".")[0] for name, p in network.named_parameters() if p.grad is not None and p.grad.any()}
    assert learns == {"inverse", "g_s", "h_s", "contexts", "entropy_bottleneck"}
    with torch.no_grad():
        network.g_a.level = found.level
        rates, distortions = module._figures(network.relaxed(_Given(found.y, found.z)), crops)
        assert (rates + found.prices * distortions).mean() < nearest.mean()


def test_what_was_found_is_what_the_decoder_learns_from():
    """The walk in training has the likelihoods and the picture that the encoder has seen, but for single precision."""
    network, crops = small("tcq8", "image"), torch.rand(2, 3, 64, 64)
    module = SearchedImageModule(network.train(), lmbda=0.02)
    found = module._search(crops)
    with torch.no_grad():
        network.g_a.level = found.level
        trained = module._figures(network.relaxed(_Given(found.y, found.z)), crops)
        network.eval().update(force=True)
        for i, price in enumerate(found.prices.tolist()):
            network.at(price)
            image, likelihoods = network.measure(*Refinement(price, steps=0)(network, crops[i : i + 1]).latents)
            seen = module._figures({"x_hat": image, "likelihoods": likelihoods}, crops[i : i + 1])
            for figure, other in zip(trained, seen, strict=True):
                assert float(figure[i]) == pytest.approx(float(other), rel=2e-2)


@pytest.mark.parametrize("wrong", [{"every": 0}, {"kept": 0}])
def test_searches_of_a_training_come_now_and_then(wrong):
    with pytest.raises(ValueError, match="every and kept"):
        SearchedImageModule(small(), lmbda=0.02, **wrong)


def test_module_needs_such_a_network():
    with pytest.raises(TypeError, match="network=multirate"):
        MultirateImageModule(torch.nn.Linear(1, 1), lmbda=0.02)  # type: ignore[arg-type]
