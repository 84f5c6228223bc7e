"""Serial contexts: fronts see nothing of themselves, and positions come to the same in any order."""

import pytest
import torch
from compressai.entropy_models import GaussianConditional
from compressai.layers import MaskedConv2d
from torch import nn

from ltc import lattices
from ltc.images import LatticeGaussianConditional
from ltc.images.exact import ChosenGrids, Exact, KnownGrids
from ltc.images.networks.raster_scan import RasterContext
from ltc.images.networks.serial import indexes_of, serial_decoder, serial_encoder

CONDITIONALS = {name: lattices.get(name, dim) for name, dim in [("z", 1), ("e8", 8), ("tcq8", 12)]}


@pytest.fixture(params=[3, 5])
def scene(request, rng):
    """A context of random layers on an image of random size: (context, its layers, side information)."""
    channels, size = 4, rng.integers(1, 9, 2).tolist()
    conv = MaskedConv2d(channels, 6, kernel_size=request.param, padding=request.param // 2)
    layers = nn.Sequential(nn.Conv2d(11, 7, 1), nn.LeakyReLU(inplace=True), nn.Conv2d(7, 2 * channels, 1))
    side = torch.randn(1, 5, *size).double()
    return RasterContext(side, conv, layers), conv, layers, side


@torch.no_grad()
def test_positions_have_the_gaussians_of_the_convolution(scene):
    context, conv, layers, side = scene
    decoded, order = torch.randn(1, 4, *side.shape[2:]).double(), torch.randperm(context.count)
    for at in order.split(3):
        context.put(at, decoded[0].flatten(1).T[at])
    assert torch.equal(context.latents(), decoded)
    expected = Exact(layers)(torch.cat([side, Exact(conv)(decoded)], 1))[0].flatten(1).T
    torch.testing.assert_close(context.gaussians(order), expected[order], rtol=1e-12, atol=1e-12)


@torch.no_grad()
def test_a_front_sees_what_came_before_it_and_nothing_else(scene):
    """Front by front, with what is not decoded yet at random: each position's Gaussians are those of the end."""
    context, _, _, side = scene
    decoded, seen, early = torch.randn(context.count, 4).double(), [], []
    context.put(torch.arange(context.count), torch.randn(context.count, 4).double())
    for at in context.fronts():
        seen += at.tolist()
        early.append(context.gaussians(at))
        context.put(at, decoded[at])
    assert sorted(seen) == list(range(context.count))
    torch.testing.assert_close(torch.cat(early), context.gaussians(torch.tensor(seen)), rtol=1e-12, atol=1e-12)
    height, width = side.shape[2:]
    assert len(list(context.fronts())) <= width + 3 * height


@pytest.mark.parametrize("name", [*CONDITIONALS, "scalar"])
def test_positions_are_written_in_their_order_however_they_came(name):
    scalar = GaussianConditional(torch.linspace(0.2, 9, 30).tolist())
    scalar.update()
    model = scalar if name == "scalar" else LatticeGaussianConditional(CONDITIONALS[name])
    y, means = 3 * torch.randn(20, 29).double(), torch.randn(20, 29).double()
    indexes = indexes_of(model, 5 * torch.rand(20, 29))
    one, other, found = serial_encoder(model), serial_encoder(model), torch.empty_like(y)
    expected = torch.cat([one.place([at], *(t[at : at + 1] for t in (y, indexes, means))) for at in range(20)])
    for at in torch.randperm(20).split(6):
        found[at] = other.place(at.tolist(), y[at], indexes[at], means[at])
    stream = one.finish()
    assert other.finish() == stream and torch.equal(found, expected)
    decoder = serial_decoder(model, stream)
    assert torch.equal(torch.stack([decoder.get(indexes[at], means[at]) for at in range(20)]), expected)


def test_indexes_are_compressais_own():
    model = GaussianConditional(torch.linspace(0.2, 9, 30).tolist())
    scales = torch.cat([10 * torch.rand(1000), model.scale_table, model.scale_table + 1e-6])
    assert torch.equal(indexes_of(model, scales), model.build_indexes(scales))


def test_grids_go_by_the_numbers_of_calls():
    values = torch.randn(12, 5).double()
    values[torch.randperm(12)[:4], 0] = (torch.randint(-99, 99, (4,)).double() + 0.5) / 2**10
    chosen, first = ChosenGrids(), ChosenGrids()
    expected = torch.stack([first.round(row) for row in values])
    assert chosen.reserve(12) == 0 and len(first.others) == 4
    found, known = torch.empty_like(values), KnownGrids(first.others)
    for numbers in torch.randperm(12).split(5):
        found[numbers] = chosen.round_calls(values[numbers], numbers.tolist())
        assert torch.equal(known.round_calls(values[numbers], numbers.tolist()), expected[numbers])
    assert torch.equal(found, expected) and chosen.others == first.others
    assert torch.equal(chosen.round(values[0]), first.round(values[0]))
