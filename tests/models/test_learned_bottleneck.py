"""Laws of coders whose lattice learns: exact rates, files, checkpoints and calibration with the basis of the moment."""

import math

import pytest
import torch

from ltc.codec import load_coder, save_coder
from ltc.entropy import GaussianMixture, LaplaceMixture, MixturePrior, TriangularPrior, exact_prior
from ltc.images import LatticeGaussianConditional
from ltc.lattices import LearnedLattice
from ltc.models import GVQ, Coder, DitheredBottleneck, LatticeBottleneck, RDSearch
from ltc.training import Calibration
from ltc.transforms import Gain


@pytest.fixture
def make_prior():
    """``make_prior(dim, copies)``: the prior of a learned lattice, all parameters random."""

    def build(dim, copies=1, cls=GaussianMixture, search="nearest"):
        lattice = LearnedLattice(dim, search, spread=0.4)
        prior = exact_prior(lattice, copies * dim, cls)
        with torch.no_grad():
            lattice.diagonal.copy_(0.2 / lattice.pace * torch.randn(dim))
            for parameter in (prior.family.weight, prior.family.mean, prior.family.log_scale):
                parameter += 0.3 * torch.randn_like(parameter)
        return prior

    return build


@pytest.fixture
def make_coder(make_prior):
    def build(dim, search="nearest", gain=1.3):
        prior = make_prior(dim, search=search)
        return Coder(Gain(dim, dim), LatticeBottleneck(prior), Gain(dim, dim), gain).eval()

    return build


@torch.no_grad()
@pytest.mark.parametrize("cls", [GaussianMixture, LaplaceMixture])
def test_masses_sum_to_one(make_prior, cls):
    prior = make_prior(2, cls=cls)
    prior.family.log_scale.sub_(0.7)
    radius = torch.arange(-70.0, 71)
    points = prior.lattice.to_points(torch.cartesian_prod(radius, radius).long(), torch.float64)
    dither = torch.rand(2).double()
    for given in (None, dither.expand_as(points)):
        assert float(prior.log_prob(points, given).exp().sum()) == pytest.approx(1, abs=1e-6)


def test_the_rates_derivative_by_the_basis(make_prior):
    """Of the points' coordinates and of the cells' widths, with the integers fixed: a difference quotient."""
    prior = make_prior(3, copies=2)
    lattice = prior.lattice
    point = lattice.quantize(2 * torch.randn(40, 6).double())
    k = lattice.to_integers(point)
    prior(lattice.straight_through(point, point)).sum().backward()
    step = 2e-4
    for parameter, cell in ((lattice.diagonal, (0,)), (lattice.diagonal, (2,)), (lattice.above, (0, 2))):
        values = []
        for side in (1, -1):
            with torch.no_grad():
                parameter[cell] += side * step
                values.append(float(prior(lattice.to_points(k, torch.float64)).sum()))
                parameter[cell] -= side * step
        quotient = (values[0] - values[1]) / (2 * step)
        assert float(parameter.grad[cell]) == pytest.approx(quotient, rel=2e-3, abs=3e-2)


def test_points_that_do_not_move_do_not_move_the_basis(make_prior):
    prior = make_prior(3)
    prior(prior.lattice.quantize(torch.randn(10, 3))).sum().backward()
    assert prior.lattice.above.grad is None and prior.family.mean.grad is not None


@pytest.mark.parametrize("cls", [LatticeBottleneck, DitheredBottleneck])
def test_there_is_one_lattice(cls, make_prior):
    """The prior's, known to the bottleneck by its name."""
    prior = make_prior(4)
    bottleneck = cls(prior)
    assert bottleneck.lattice is prior.lattice
    bottleneck(torch.randn(20, 4, requires_grad=True))[1].sum().backward()
    assert all(p.grad is not None for p in bottleneck.parameters())
    point, _ = bottleneck(torch.randn(20, 4))
    bottleneck.zero_grad()
    point.square().sum().backward()
    assert bool(prior.lattice.above.grad.any())
    mixture = MixturePrior(LearnedLattice(4), 8, 2, exact_prior)
    assert all(c.lattice is mixture.lattice for c in mixture.components)


def test_training_finds_a_rounder_cell():
    """Together with its prior and a gain, on Gaussian blocks; and not with Babai's rounding."""
    nsm = {}
    for search in ("nearest", "rounding"):
        lattice = LearnedLattice(4, search)
        bottleneck = LatticeBottleneck(exact_prior(lattice, 4))
        coder = Coder(Gain(4, 4), bottleneck, Gain(4, 4))
        optimizer = torch.optim.Adam(coder.parameters(), lr=8e-3)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 150)  # or the last steps decide
        for _ in range(150):
            x = torch.randn(150, 4)
            reconstruction, bits = coder(x)
            loss = bits.mean() / 4 + 8 * (x - reconstruction).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        nsm[search] = lattice.nsm
        assert bottleneck.figures()["nsm"] == lattice.nsm
    assert nsm["nearest"] < 0.0812 < 0.0825 < nsm["rounding"]


@torch.no_grad()
def test_a_file_holds_what_the_evaluation_sees(make_coder, search):
    coder = make_coder(8, search)
    coder.update()
    x = 0.7 * torch.randn(3000, 8)
    stream = coder.compress(x)
    reconstruction, bits = coder(x)
    assert torch.equal(coder.decompress(stream, 3000), reconstruction)
    total = float(bits.double().sum())
    assert abs(8 * len(stream) - total) <= 0.005 * total + 128
    x[7], x[8, 0], x[9] = 1e4, -1e7, torch.randn(8) * 1e9
    found = coder.decompress(coder.compress(x), 3000)
    assert torch.equal(found[:7], reconstruction[:7])
    assert bool(((found - x).abs().amax(1) <= 6 + 4e-7 * x.abs().amax(1)).all())


@pytest.fixture(params=["nearest", "plane", "rounding"])
def search(request):
    return request.param


def test_the_generator_travels_in_the_checkpoint(make_coder, search, tmp_path):
    coder = make_coder(4, search)
    lattice = {"_target_": "ltc.lattices.LearnedLattice", "dim": 4, "search": search}
    entropy = {"_target_": "ltc.entropy.exact_prior", "lattice": lattice, "dim": 4}
    bottleneck = {"_target_": "ltc.models.LatticeBottleneck", "entropy_model": entropy}
    gain = {"_target_": "ltc.transforms.Gain", "inputs": 4, "outputs": 4}
    config = {"_target_": "ltc.models.Coder", "analysis": gain, "bottleneck": bottleneck, "synthesis": gain}
    save_coder(tmp_path / "coder.pt", coder, config, n=4, dim=1, measure="mse", about={})
    other = load_coder(tmp_path / "coder.pt").coder
    generator = coder.bottleneck.lattice.generator
    assert torch.equal(other.bottleneck.lattice.generator, generator)
    assert other.tables is not None and torch.equal(torch.from_numpy(other.tables.weights["basis"]), generator)
    x = torch.randn(100, 4)
    coder.update()
    stream = coder.compress(x)
    assert other.compress(x) == stream
    assert torch.equal(other.decompress(stream, 100), coder.decompress(stream, 100))


def test_calibration_leaves_the_generator_alone(make_coder):
    coder = make_coder(2, gain=0.3)
    generator = coder.bottleneck.lattice.generator
    calibration = Calibration(
        evaluations=3, rounds=2, refit_steps=10, rdo_steps=5, final_steps=10, validation_symbols=4000
    )

    def draw(index):
        return torch.randn(500, 2, generator=torch.Generator().manual_seed(index))

    result = calibration(coder, RDSearch(price=16.0), draw)
    assert result["cost_after"] < result["cost_before"] and result["factor"] != 1
    assert torch.equal(coder.bottleneck.lattice.generator, generator)


@torch.no_grad()
def test_gvq_takes_the_nearest_code_vector():
    gvq = GVQ(dim=3, bits=2.5).eval()
    y = torch.randn(700, 3)
    point, bits = gvq(y)
    expected = torch.cdist(y, gvq.codebook).min(1)
    torch.testing.assert_close((y - point).norm(dim=1), expected.values, rtol=1e-4, atol=1e-4)
    assert len(gvq.codebook) == 181 and bool((bits == math.log2(181)).all())
    assert torch.equal(gvq.to_points(gvq.to_integers(point)), point) and torch.equal(gvq.quantize(y), point)


def test_gvq_learns_and_codes():
    """Two bits for each of two Gaussians: far better than the codebook it starts from, and below the Shannon bound."""
    coder = Coder(Gain(2, 2), GVQ(2, 2.0), Gain(2, 2))
    optimizer = torch.optim.Adam(coder.bottleneck.parameters(), lr=1e-2)
    x = torch.randn(2000, 2)
    errors = []
    for _ in range(150):
        error = (x - coder.train()(x).reconstruction).square().mean()
        optimizer.zero_grad()
        error.backward()
        optimizer.step()
        errors.append(float(error.detach()))
    # R(D) allows 1/16; 16 code vectors of two Gaussians reach 0.11, four for each of them 0.1175 (Lloyd-Max).
    assert 1 / 16 < errors[-1] < 0.85 * errors[0] and errors[-1] < 0.13
    coder.eval().update()
    stream = coder.compress(x)
    with torch.no_grad():
        assert torch.equal(coder.decompress(stream, 2000), coder(x).reconstruction)
    assert abs(8 * len(stream) - 2000 * 4) <= 128


@pytest.mark.parametrize(("dim", "bits"), [(8, 2.5), (32, 1.0), (4, 0.0), (1000, 1000.0)])
def test_gvq_refuses_codebooks_of_impossible_size(dim, bits):
    with pytest.raises(ValueError, match="2 to 65536 vectors"):
        GVQ(dim, bits)


def test_priors_of_learned_lattices_are_triangular(make_prior):
    prior = make_prior(3, copies=2)
    assert isinstance(prior, TriangularPrior) and prior.exact
    torch.testing.assert_close(prior.step.detach(), prior.lattice.generator.diagonal().repeat(2))


def test_images_take_a_learned_lattice(search):
    """In the place of CompressAI's GaussianConditional: derivatives for the generator, files to the last bit."""
    lattice = LearnedLattice(4, search, spread=0.4)
    conditional = LatticeGaussianConditional(lattice)
    assert conditional.lattice is lattice
    scales = 0.1 + 3 * torch.rand(2, 9, 5, 4)
    means = torch.randn_like(scales)
    y = (means + scales * torch.randn_like(scales)).requires_grad_()
    y_hat, likelihoods = conditional.train()(y, scales, means)
    (y_hat.square().mean() - likelihoods.log2().mean()).backward()
    for parameter in (y, *conditional.parameters()):
        assert bool(parameter.grad.any()) and bool(parameter.grad.isfinite().all())
    y_hat, likelihoods = conditional.eval()(y.detach(), scales, means)
    indexes = conditional.build_indexes(scales)
    strings = conditional.compress(y.detach(), indexes, means)
    assert torch.equal(conditional.decompress(strings, indexes, means=means), y_hat)
    bits = -float(likelihoods.detach().log2().sum())
    assert abs(8 * sum(map(len, strings)) - bits) <= 0.01 * bits + 2 * 64
