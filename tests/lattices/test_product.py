"""Laws of products with learned factors: their parameters are the product's, to train, to save and to copy."""

import copy

import pytest
import torch
from hydra.utils import instantiate

from ltc import lattices
from ltc.codec import load_coder, save_coder
from ltc.entropy import TriangularPrior, exact_prior
from ltc.lattices import LearnedLattice, ProductLattice
from ltc.models import Coder, DitheredBottleneck, LatticeBottleneck
from ltc.transforms import Gain

CONTENTS = {"learned*z": ["learned3", "z"], "e8*learned": ["e8", "learned2"], "nested": ["learned2", "product"]}


@pytest.fixture(params=CONTENTS)
def product(request):
    return build(request.param)


def build(name):
    def factor(part):
        if part == "product":
            return ProductLattice([LearnedLattice(2, spread=0.4), lattices.get("a2")])
        return LearnedLattice(int(part[7:]), spread=0.4) if part.startswith("learned") else lattices.get(part)

    return ProductLattice([factor(part) for part in CONTENTS[name]])


def coder_of(product, cls=LatticeBottleneck):
    prior = exact_prior(product, 2 * product.dim)
    return Coder(Gain(2 * product.dim, 2 * product.dim), cls(prior), Gain(2 * product.dim, 2 * product.dim), 1.4)


def test_parameters_train(product):
    coder = coder_of(product)
    assert isinstance(coder.bottleneck.entropy_model, TriangularPrior) and product.learns
    before, generator = {k: v.clone() for k, v in product.named_parameters()}, product.generator.clone()
    assert before and {f"bottleneck.entropy_model.lattice.{name}" for name in before} <= set(coder.state_dict())
    optimizer = torch.optim.SGD(coder.parameters(), lr=0.01)
    x = torch.randn(50, 2 * product.dim)
    coding = coder.train()(x)
    (coding.bits.mean() + 5 * (x - coding.reconstruction).square().sum(1).mean()).backward()
    optimizer.step()
    changed = {k for k, v in product.named_parameters() if not torch.equal(v, before[k])}
    assert changed == set(before)
    assert not torch.equal(product.generator, generator) and float(torch.det(product.generator)) == pytest.approx(1)


def test_the_derivative_is_that_of_the_points_with_integers_fixed(product):
    y = 2 * torch.randn(7, 2 * product.dim)
    point = product.quantize(y)
    y.requires_grad_()
    through, direction = product.straight_through(y, point), torch.randn(7, 2 * product.dim)
    torch.testing.assert_close(through, point)
    (through * direction).sum().backward()
    assert torch.equal(y.grad, direction)
    z = product.to_integers(point).double().reshape(-1, product.dim)
    expected = torch.autograd.grad(
        ((z @ product.basis()) * direction.double().reshape(z.shape)).sum(), product.parameters()
    )
    for parameter, gradient in zip(product.parameters(), expected, strict=True):
        torch.testing.assert_close(parameter.grad, gradient, rtol=1e-4, atol=1e-5)


def test_a_saved_coder_is_the_trained_one(product):
    """Read by a coder whose lattice starts elsewhere."""
    coder = coder_of(product).eval()
    other = coder_of(copy.deepcopy(product))
    with torch.no_grad():
        for parameter in other.bottleneck.lattice.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    x = torch.randn(300, 2 * product.dim)
    assert not torch.equal(other.eval()(x).reconstruction, coder(x).reconstruction)
    other.load_state_dict(coder.state_dict())
    assert torch.equal(other.eval()(x).reconstruction, coder(x).reconstruction)
    coder.update()
    other.update()
    torch.testing.assert_close(other.decompress(coder.compress(x), len(x)), coder(x).reconstruction)


def test_files_hold_the_learned_factor(tmp_path):
    lattice = {
        "_target_": "ltc.lattices.ProductLattice",
        "factors": [
            {"_target_": "ltc.lattices.LearnedLattice", "dim": 3},
            {"_target_": "ltc.lattices.get", "name": "z", "dim": 1},
        ],
    }
    gain = {"_target_": "ltc.transforms.Gain", "inputs": 4, "outputs": 4}
    prior = {"_target_": "ltc.entropy.exact_prior", "lattice": lattice, "dim": 4}
    bottleneck = {"_target_": "ltc.models.LatticeBottleneck", "entropy_model": prior}
    config = {
        "_target_": "ltc.models.Coder",
        "analysis": gain,
        "bottleneck": bottleneck,
        "synthesis": gain,
        "gain": 1.5,
    }
    coder = instantiate(config).eval()
    assert coder.bottleneck.lattice is coder.bottleneck.entropy_model.lattice
    with torch.no_grad():
        coder.bottleneck.lattice.factors[0].above.add_(0.1)
    save_coder(tmp_path / "coder.pt", coder, config, 4, 1, "mse", {})
    loaded = load_coder(tmp_path / "coder.pt").coder
    x = torch.randn(200, 4)
    assert torch.equal(loaded(x).reconstruction, coder(x).reconstruction)
    torch.testing.assert_close(loaded.decompress(loaded.compress(x), 200), coder(x).reconstruction)


def test_moments_figures_and_penalties_are_those_of_the_factors():
    learned = LearnedLattice(3, spread=0.4)
    product = ProductLattice([learned, lattices.get("z")])
    assert product.nsm == pytest.approx((3 * learned.nsm + 1 / 12) / 4)
    assert product.noise_moment() == pytest.approx(product.nsm, rel=0.15)
    assert torch.equal(torch.as_tensor(product.auxiliary_loss()), torch.as_tensor(learned.auxiliary_loss()))
    assert product.figures()["nsm"] == product.nsm and product.figures()["widest_0"] == learned.figures()["widest"]
    assert ProductLattice([lattices.get("e8"), lattices.get("z")]).figures() == {}


def test_dither_fills_the_cell_of_the_moment(product):
    coder = coder_of(product, DitheredBottleneck).eval()
    y = torch.randn(2000, 2 * product.dim)
    with torch.no_grad():
        error = coder.bottleneck(y)[0] - y
    assert float(error.square().mean()) == pytest.approx(product.nsm, rel=0.05)
