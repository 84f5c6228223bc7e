"""The lattices' entropy bottleneck: CompressAI's on Z, masses that sum to 1, and files that decode to the last bit."""

import copy
import itertools

import pytest
import torch
from compressai.entropy_models import EntropyBottleneck

from ltc import lattices
from ltc.coding import CorruptStream
from ltc.images import LatticeEntropyBottleneck, TriangularEntropyBottleneck

NAMES = ["z", "a2", "dn", "e8", "bw16", "tcq4", "tcq8", "learned"]
CHANNELS = 19


@pytest.fixture
def scalar():
    """CompressAI's, with densities that differ from channel to channel."""
    bottleneck = EntropyBottleneck(CHANNELS, init_scale=4).eval()
    with torch.no_grad():
        bottleneck.matrices[0].add_(torch.randn(CHANNELS, 1, 1).clamp(-1, 1))
        bottleneck.quantiles[:, 0, 1] = torch.randn(CHANNELS) / 3
    return bottleneck


@pytest.fixture(params=itertools.product(NAMES, ["channels", "positions"]), ids="-".join)
def model(request, scalar):
    name, along = request.param
    if name == "learned":
        return TriangularEntropyBottleneck.of(scalar, lattices.LearnedLattice(6), along)
    return LatticeEntropyBottleneck.of(scalar, lattices.get(name), along)


def _latents(generator):
    return 2 * torch.randn(2, CHANNELS, 5, 4, generator=generator)


@pytest.mark.parametrize("along", ["channels", "positions"])
def test_on_the_integers_it_is_compressais(scalar, along, generator):
    y = _latents(generator)
    found = LatticeEntropyBottleneck.of(scalar, lattices.get("z"), along)(y)
    expected = scalar(y)
    torch.testing.assert_close(found[0], expected[0], atol=0, rtol=0)
    torch.testing.assert_close(found[1], expected[1], atol=1e-6, rtol=1e-4)
    torch.testing.assert_close(LatticeEntropyBottleneck.of(scalar, lattices.get("e8"), along).loss(), scalar.loss())


@pytest.mark.parametrize("name", ["a2", "dn"])
def test_masses_sum_to_one(name, scalar):
    lattice = lattices.get(name)
    n = lattice.dim
    model = LatticeEntropyBottleneck.of(scalar, lattice, "channels", by_scale=False)
    with torch.no_grad():
        for matrix in model.matrices:
            matrix.add_(1.3)  # narrow: few points matter
    axis = torch.arange(-9, 10) if n == 4 else torch.arange(-60, 61)
    k = torch.cartesian_prod(*[axis] * n)
    points = lattice.to_points(k[lattice.trellis.contains(k)])
    latents = torch.zeros(len(points), CHANNELS)
    latents[:, :n] = points
    medians = model.quantiles[:, 0, 1].detach()
    with torch.no_grad():
        _, likelihoods = model((latents + medians)[..., None])
    total = float(likelihoods[:, :n, 0].double().prod(1).sum())
    assert total == pytest.approx(1, abs=2e-3)


@pytest.mark.parametrize("along", ["channels", "positions"])
def test_masses_of_a_learned_lattice_sum_to_one(along, scalar):
    lattice = lattices.LearnedLattice(2)
    model = TriangularEntropyBottleneck.of(scalar, lattice, along, by_scale=False)
    with torch.no_grad():
        for matrix in model.matrices:
            matrix.add_(1.3)
        points = lattice.to_points(torch.cartesian_prod(*[torch.arange(-60, 61)] * 2))
        medians = model.quantiles[:, 0, 1]
        if along == "channels":
            latents = torch.zeros(len(points), CHANNELS, 1)
            latents[:, :2, 0] = points
        else:
            latents = torch.zeros(len(points), CHANNELS, 2)
            latents[:, 0] = points
        _, likelihoods = model(latents + medians[:, None])
    pair = likelihoods[:, :2, 0] if along == "channels" else likelihoods[:, 0]
    assert float(pair.double().prod(1).sum()) == pytest.approx(1, abs=2e-3)


def test_a_lattice_without_a_prior_is_refused(scalar):
    with pytest.raises(ValueError, match="no trellis"):
        LatticeEntropyBottleneck.of(scalar, lattices.LearnedLattice(6), "channels")


def test_the_basis_is_learned(scalar, generator):
    model = TriangularEntropyBottleneck.of(scalar, lattices.LearnedLattice(6), "channels").train()
    y_hat, likelihoods = model(_latents(generator))
    (y_hat.square().mean() - likelihoods.log2().sum()).backward()
    for parameter in model.lattice.parameters():
        assert torch.isfinite(parameter.grad).all() and float(parameter.grad.abs().sum()) > 0


def test_decoded_latents_are_those_of_evaluation(model, generator):
    y = _latents(generator)
    y[0, 3, 2, 1] = 1234.5
    with pytest.raises(ValueError, match="update"):
        model.compress(y)
    assert model.update() and not model.update()
    strings = model.compress(y)
    y_hat, likelihoods = model(y)
    assert torch.equal(model.decompress(strings, (5, 4)), y_hat)
    assert likelihoods.shape == y.shape and float(likelihoods.detach().max()) <= 1 + 1e-6
    # The tables travel in the state.
    other = type(model)(CHANNELS, model.lattice, model.along, init_scale=4)
    other.load_state_dict(model.state_dict())
    assert torch.equal(copy.deepcopy(other).decompress(strings, (5, 4)), y_hat)


def test_files_are_as_long_as_the_rate(model, generator):
    y = 2 * torch.randn(1, CHANNELS, 16, 16, generator=generator)
    model.update()
    bits = -float(model(y)[1].detach().double().log2().sum())
    (string,) = model.compress(y)
    assert abs(8 * len(string) - bits) < 0.005 * bits + 256


def test_gradients_flow_to_latents_and_densities(model, generator):
    y = _latents(generator).requires_grad_()
    likelihoods = model.train()(y)[1]
    (-likelihoods.log2().sum()).backward()
    assert float(y.grad.abs().sum()) > 0 and torch.isfinite(y.grad).all()
    for parameter in [*model.matrices, *model.biases, *model.factors]:
        assert torch.isfinite(parameter.grad).all() and float(parameter.grad.abs().sum()) > 0
    (slope,) = torch.autograd.grad(model(y)[0].sum(), y)
    torch.testing.assert_close(slope, torch.ones_like(slope))


@pytest.mark.parametrize("along", ["channels", "positions"])
def test_rate_falls_as_densities_are_learned(along, scalar, generator):
    model = LatticeEntropyBottleneck.of(scalar, lattices.get("e8"), along).train()
    y = torch.exp(torch.linspace(-1, 1, CHANNELS))[:, None, None] * torch.randn(1, CHANNELS, 8, 8, generator=generator)
    optimizer = torch.optim.Adam([*model.matrices, *model.biases, *model.factors], lr=0.05)
    rates = []
    for _ in range(25):
        rate = -model(y)[1].log2().sum()
        optimizer.zero_grad()
        rate.backward()
        optimizer.step()
        rates.append(float(rate.detach()))
    assert rates[-1] < 0.9 * rates[0]


def test_damaged_files_do_no_harm(model, rng):
    model.update()
    for wrong in (b"", b"abc", rng.bytes(8), rng.bytes(400)):
        try:
            assert model.decompress([wrong], (5, 4)).shape == (1, CHANNELS, 5, 4)
        except CorruptStream:
            continue


@pytest.mark.parametrize("along", ["channels", "positions"])
@pytest.mark.parametrize("name", ["a2", "e8", "tcq8"])
def test_tables_do_not_grow_with_the_latents(name, along, scalar, generator, monkeypatch):
    """However far one latent strays, a training step does the same work; and its likelihood is that of its density."""
    model = LatticeEntropyBottleneck.of(scalar, lattices.get(name), along).train()
    sizes, made = [], model._tables

    def watched(lattice):
        found = made(lattice)
        sizes.append(found[0].numel())
        return found

    monkeypatch.setattr(model, "_tables", watched)
    y = _latents(generator)
    model(y)
    usual, sizes[:] = list(sizes), []
    y[0, 5, 2, 1] = 1e5
    y.requires_grad_()
    likelihoods = model(y)[1]
    assert sizes == usual
    assert bool(likelihoods.isfinite().all())
    likelihoods.log().sum().backward()
    assert bool(y.grad.isfinite().all())


@pytest.mark.parametrize("along", ["channels", "positions"])
@pytest.mark.parametrize("name", ["z", "e8", "bw16", "tcq8"])
def test_masses_beyond_the_tables_are_those_of_the_densities(name, along, scalar, generator, monkeypatch):
    """With a short table, points beyond it cost what a long table says, with the same slopes."""
    model = LatticeEntropyBottleneck.of(scalar, lattices.get(name), along).train()
    model.use_likelihood_bound = False
    made = model._tables

    def short(lattice):
        log_mass, slope, radius = made(lattice)
        q = lattice.trellis.modulus
        cut = 8 // q * q
        kept = slice(radius - cut, radius + cut + q)
        return log_mass[..., kept], slope[..., kept], cut

    found = []
    for tables in (made, short):
        monkeypatch.setattr(model, "_tables", tables)
        y = (4 * _latents(torch.Generator().manual_seed(generator.initial_seed()))).requires_grad_()
        model(y)[1].log().sum().backward()
        found.append(y.grad)
    torch.testing.assert_close(found[0], found[1], atol=1e-4, rtol=1e-3)
