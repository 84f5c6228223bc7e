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


def rows_of_a_linear_decoder(net: MultirateNetwork, channels: tuple[int, ...]) -> list[float]:
    """Norms of rows of half the squared error's second derivative, of latents in the middle of an image."""
    found, level = [], net.g_a.level

    def image(latents: torch.Tensor) -> torch.Tensor:
        return net.g_s(latents * net.inverse(level))

    for channel in channels:
        unit, latents = torch.zeros(1, net.M, 8, 12), torch.zeros(1, net.M, 8, 12, requires_grad=True)
        unit[0, channel, 4, 6] = 1.0
        with torch.no_grad():
            made = image(unit) - image(torch.zeros_like(unit))
        (row,) = torch.autograd.grad((image(latents) * made).sum(), latents)
        found.append(float(row.norm()))
    return found


def test_curvatures_of_a_linear_decoder():
    """Row by row, as a matrix would have it; never below what a latent has alone."""
    net, x, y = analysed("z", 0.1)
    twins(net)
    search, (parts, z) = RateSearch(net, x), decoded_latents(net, y)
    curvatures = torch.cat(search.curvatures(parts, z), 1).flatten()
    assert bool((curvatures >= torch.cat(search.energies(parts, z), 1).flatten()).all())
    for channel, norm in zip((0, 7, 31), rows_of_a_linear_decoder(net, (0, 7, 31)), strict=True):
        assert float(curvatures[channel]) == pytest.approx(norm, rel=0.5)


def twins(net: MultirateNetwork) -> None:
    """Makes the second half of a network's channels give the same image as the first."""
    same = torch.nn.Conv2d(net.M, net.M, 1, bias=False)
    half = torch.eye(net.M // 2)
    deviations = net._deviations.flatten() * net.inverse(net.g_a.level).flatten().detach()
    matrix = torch.cat([torch.cat([half, half], 1), torch.zeros(net.M // 2, net.M)])
    with torch.no_grad():
        # In units of the lattice, whatever the channels' own.
        same.weight.copy_((deviations[:, None] * matrix / deviations)[:, :, None, None])
    net.g_s = torch.nn.Sequential(same, net.g_s)


@pytest.mark.parametrize("name", NAMES)
def test_latents_that_do_the_same_do_not_undo_each_other(name):
    """Where bits cost nothing: each of two channels with the same image would undo all of an error by itself."""
    net, x, y = analysed(name, 0.02)
    twins(net)
    search, (parts, z) = RateSearch(net, x), decoded_latents(net, y)
    before = float((net.measure(parts, z)[0] - x).square().sum())
    chosen = search(parts, z, search.curvatures(parts, z), 1e9)
    assert float((net.measure(chosen, z)[0] - x).square().sum()) < 0.9 * before


@pytest.mark.parametrize("name", NAMES)
def test_what_was_chosen_is_what_is_decoded(name):
    net, x, y = analysed(name, 0.02)
    (parts, z), search = decoded_latents(net, y), RateSearch(net, x)
    chosen = search(parts, z, search.curvatures(parts, z), 400.0)
    reconstruction, _ = net.measure(chosen, z)
    strings = [[string] for string in net.encode(chosen, z)[0].strings]
    assert torch.equal(net.decompress(strings, net.code_shape(*x.shape[2:]))["x_hat"], reconstruction.clamp(0, 1))


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
    curvatures, rates, errors = search.curvatures(parts, z), list[float](), list[float]()
    for price in (30.0, 300.0, 3000.0):
        reconstruction, likelihoods = net.measure(search(parts, z, curvatures, price), z)
        rates.append(float(-likelihoods["y"].log2().sum()))
        errors.append(float((reconstruction - x).square().sum()))
    assert rates == sorted(rates) and errors == sorted(errors, reverse=True)


@pytest.mark.parametrize("name", NAMES)
def test_errors_of_other_latents_are_looked_at(name):
    """Where bits cost nothing an image's error falls: nearest points are right one by one, not all together.

    The analysis is of an image that is somewhat another one, as if it were no inverse of the synthesis.
    """
    net, x, _ = analysed(name, 0.02)
    other = 0.08 * torch.randn(1, 3, 1, 1).sign()
    with torch.no_grad():
        parts, z = decoded_latents(net, net.g_a((x + other).clamp(0, 1)))
        before = float((net.measure(parts, z)[0] - x).square().sum())
        search = RateSearch(net, x)
        chosen = search(parts, z, search.curvatures(parts, z), 1e9)
        assert float((net.measure(chosen, z)[0] - x).square().sum()) < 0.9 * before


def test_what_lies_beside_the_picture_does_not_count():
    """Where all of an image but its corner is padding, the corner is as the search without padding leaves it."""
    net, x, _ = analysed("tcq8", 0.02)
    parts, z = decoded_latents(net, net.g_a(x).detach())
    corner = x.clone()
    corner[..., 32:, :], corner[..., :, 32:] = 1.0, 0.0
    searches = [RateSearch(net, image, (32, 32)) for image in (x, corner)]
    curvatures = searches[0].curvatures(parts, z)
    first, second = (search(parts, z, curvatures, 400.0) for search in searches)
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
