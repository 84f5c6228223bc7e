"""Laws of the trellis search for an image's latents: energies are those of the decoder, choices are what is coded."""

import copy

import pytest
import torch

from ltc import lattices
from ltc.images.networks import JointAutoregressive, MeanScaleHyperprior, MultirateNetwork
from ltc.images.rate_search import RateSearch, decoded_latents
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


def analysed(name: str, price: float) -> tuple[MultirateNetwork, torch.Tensor, torch.Tensor]:
    """A network at a lambda, a picture, and its latents."""
    net, x = network(name), picture()
    net.at(price)
    with torch.no_grad():
        return net, x, net.g_a(x)


def test_energies_of_a_linear_decoder():
    """At its start the synthesis is linear: a unit of a latent gives the same squared norm, anywhere inside."""
    net, x, y = analysed("z", 0.1)
    of_all_stages = torch.cat(RateSearch(net, x).energies(*decoded_latents(net, y)), 1)
    energies = of_all_stages.flatten()[: net.M]
    zero = torch.zeros(1, net.M, 8, 12)
    with torch.no_grad():
        for channel in (0, 7, 31):
            unit = zero.clone()
            unit[0, channel, 4, 6] = net.inverse(net.g_a.level)[0, channel]
            norm = float((net.g_s(unit) - net.g_s(zero)).square().sum())
            assert float(energies[channel]) == pytest.approx(norm, rel=0.5)


@pytest.mark.parametrize("name", NAMES)
def test_what_was_chosen_is_what_is_decoded(name):
    net, x, y = analysed(name, 0.02)
    (parts, z), search = decoded_latents(net, y), RateSearch(net, x)
    chosen = search(parts, z, search.energies(parts, z), 400.0)
    reconstruction, _ = net.measure(chosen, z)
    coded = net.compress(x, (chosen, z))
    assert torch.equal(net.decompress(coded["strings"], coded["shape"])["x_hat"], reconstruction.clamp(0, 1))


@pytest.mark.parametrize("name", NAMES)
def test_cheaper_bits_cost_distortion(name):
    """Of given Gaussians: along the price of distortion bits rise and weighted errors fall, exactly."""
    conditional = use_lattice(
        MeanScaleHyperprior(16, 24), lattices.get(name), along="image"
    ).gaussian_conditional.eval()
    scales = 10 ** (2.5 * torch.rand(1, 24, 4, 4, dtype=torch.float64) - 1)
    # The coder's own levels, so that likelihoods are those that the search sees.
    scales = torch.from_numpy(conditional._scales)[conditional.build_indexes(scales).long()]
    means = torch.randn_like(scales)
    y, weights = means + scales * torch.randn_like(scales), 0.5 + torch.rand_like(scales)
    rates, errors = [], []
    for price in (0.03, 0.3, 1.0, 3.0, 30.0):
        found = conditional.cheapest(y, scales, means, price * weights)
        likelihoods = conditional(found, scales, means, training=False)[1]
        rates.append(float(-likelihoods.log2().sum()))
        errors.append(float((weights * (y - found).square()).sum()))
    assert rates == pytest.approx(sorted(rates), abs=1e-3) and rates[0] < rates[-1]
    assert errors == pytest.approx(sorted(errors, reverse=True), abs=1e-3) and errors[0] > errors[-1]


@pytest.mark.parametrize("name", NAMES)
def test_images_of_cheaper_bits_are_worse(name):
    """Of whole images, whose groups see each other: prices far apart."""
    net, x, y = analysed(name, 0.1)
    (parts, z), search = decoded_latents(net, y), RateSearch(net, x)
    energies, rates, errors = search.energies(parts, z), list[float](), list[float]()
    for price in (30.0, 300.0, 3000.0):
        reconstruction, likelihoods = net.measure(search(parts, z, energies, price), z)
        rates.append(float(-likelihoods["y"].log2().sum()))
        errors.append(float((reconstruction - x).square().sum()))
    assert rates == sorted(rates) and errors == sorted(errors, reverse=True)


@pytest.mark.parametrize("name", NAMES)
def test_errors_of_other_latents_are_looked_at(name):
    """Where bits cost nothing an image's error falls: nearest points are right one by one, not all together.

    The analysis is of an image that is somewhat another one, as if it were no inverse of the synthesis.
    """
    net, x, _ = analysed(name, 0.02)
    with torch.no_grad():
        parts, z = decoded_latents(net, net.g_a((x + 0.05 * torch.randn(1, 3, 1, 1)).clamp(0, 1)))
        before = float((net.measure(parts, z)[0] - x).square().sum())
        search = RateSearch(net, x)
        chosen = search(parts, z, search.energies(parts, z), 1e9)
        assert float((net.measure(chosen, z)[0] - x).square().sum()) < 0.9 * before


def test_what_lies_beside_the_picture_does_not_count():
    """Where all of an image but its corner is padding, the corner is as the search without padding leaves it."""
    net, x, _ = analysed("tcq8", 0.02)
    parts, z = decoded_latents(net, net.g_a(x).detach())
    corner = x.clone()
    corner[..., 32:, :], corner[..., :, 32:] = 1.0, 0.0
    searches = [RateSearch(net, image, (32, 32)) for image in (x, corner)]
    energies = searches[0].energies(parts, z)
    first, second = (search(parts, z, energies, 400.0) for search in searches)
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


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


def test_serial_networks_are_refused():
    """Their latents would be left out of the search without a word."""
    net = use_lattice(JointAutoregressive(16, 24), lattices.get("z")).eval()
    net.update(force=True)
    with torch.no_grad():
        y = net.g_a(torch.rand(1, 3, 64, 64))
    with pytest.raises(ValueError, match="one position after another"):
        decoded_latents(net, y)
    with pytest.raises(ValueError, match="one position after another"):
        Refinement(lmbda=0.01, steps=0)(net, torch.rand(1, 3, 64, 64))
