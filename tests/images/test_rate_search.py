"""Laws of the trellis search for an image's latents: energies are those of the decoder, choices are what is coded."""

import copy

import pytest
import torch

from ltc import lattices
from ltc.images.networks import MeanScaleHyperprior, MultirateNetwork
from ltc.images.rate_search import cheapest_latents, decoder_energies
from ltc.images.refinement import Refinement
from ltc.images.swap import use_lattice

PRICES = (0.005, 0.1)
NAMES = ["z", "e8", "leech", "tcq8", "tcq64"]


def network(lattice: str = "z", seed: int | None = None) -> MultirateNetwork:
    if seed is not None:
        torch.manual_seed(seed)
    found = use_lattice(MultirateNetwork(16, 32, PRICES, depth=1), lattices.get(lattice), along="image")
    found.eval().update(force=True)
    return found


def picture(height: int = 64, width: int = 96) -> torch.Tensor:
    """Smooth, with some noise: block transforms have something to do."""
    coarse = torch.rand(1, 3, height // 16, width // 16)
    smooth = torch.nn.functional.interpolate(coarse, (height, width), mode="bicubic")
    return (smooth + 0.03 * torch.randn(1, 3, height, width)).clamp(0, 1)


def test_energies_of_a_linear_decoder():
    """At its start the synthesis is linear: a unit of a latent gives the same squared norm, anywhere inside."""
    net, x = network(), picture()
    net.at(0.1)
    with torch.no_grad():
        y = net.g_a(x)
    energies = torch.cat(decoder_energies(net, y), 1).flatten()[: net.M]  # of the first stage
    zero = torch.zeros(1, net.M, 8, 12)
    with torch.no_grad():
        for channel in (0, 7, 31):
            unit = zero.clone()
            unit[0, channel, 4, 6] = net.inverse(net.g_a.level)[0, channel]
            norm = float((net.g_s(unit) - net.g_s(zero)).square().sum())
            assert float(energies[channel]) == pytest.approx(norm, rel=0.5)


@pytest.mark.parametrize("name", NAMES)
def test_what_was_chosen_is_what_is_decoded(name):
    net, x = network(name), picture()
    net.at(0.02)
    with torch.no_grad():
        y = net.g_a(x)
    chosen = cheapest_latents(net, y, None, decoder_energies(net, y), 400.0)
    reconstruction, _ = net.measure(*chosen)
    coded = net.compress(x, chosen)
    assert torch.equal(net.decompress(coded["strings"], coded["shape"])["x_hat"], reconstruction.clamp(0, 1))


@pytest.mark.parametrize("name", NAMES)
def test_cheaper_bits_cost_distortion(name):
    """Along the price of distortion bits rise and errors fall."""
    net, x = network(name), picture()
    net.at(0.1)
    with torch.no_grad():
        y = net.g_a(x)
    energies = decoder_energies(net, y)
    rates, errors = [], []
    for price in (30.0, 300.0, 3000.0, 30000.0):
        reconstruction, likelihoods = net.measure(*cheapest_latents(net, y, None, energies, price))
        rates.append(float(-likelihoods["y"].log2().sum()))
        errors.append(float((reconstruction - x).square().sum()))
    assert rates == sorted(rates) and errors == sorted(errors, reverse=True)


@pytest.mark.parametrize("name", NAMES)
def test_the_trellis_alone_lowers_the_cost(name):
    """Without a step of descent; on images that the transform fits something is there to be found."""
    net, x = network(name), picture()
    net.at(0.02)
    found = Refinement(lmbda=0.02, steps=0)(net, x)
    assert found.after < found.before and isinstance(found.y, list)


def test_other_networks_have_it_too():
    net = MeanScaleHyperprior(16, 24).eval()
    use_lattice(net, lattices.get("tcq8"), along="image").eval()
    net.update(force=True)
    found = Refinement(lmbda=0.01, steps=0)(net, torch.rand(1, 3, 64, 64))
    assert found.after <= found.before


@pytest.mark.parametrize("name", NAMES)
def test_a_network_that_has_coded_can_search(name):
    """A search copies the network, whatever tables it has made."""
    net, x = network(name), picture()
    net.compress(x)
    copied = copy.deepcopy(net)
    assert Refinement(lmbda=0.02, steps=1)(net, x).after == Refinement(lmbda=0.02, steps=1)(copied, x).after
