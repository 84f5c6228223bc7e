"""Laws of triangular lattices under Gaussians of different scales: probabilities, derivatives, and bitstreams."""

import contextlib

import numpy as np
import pytest
import torch

from ltc import lattices
from ltc.coding import CorruptStream
from ltc.coding.conditional_weights import conditional_point_model
from ltc.coding.range_coder import Decoder, Encoder
from ltc.entropy.conditional import conditional_prior
from ltc.entropy.conditional_triangular import ConditionalTriangularPrior
from ltc.lattices import LearnedLattice

SCALES = np.concatenate([np.linspace(0.11, 3, 60), np.geomspace(3.2, 256, 20)])


def lattice_of(key):
    if key == "an":
        return lattices.get("an", 3)
    lattice = LearnedLattice(int(key[1:]), "nearest" if key[0] == "n" else "rounding", spread=0.4)
    with torch.no_grad():
        lattice.diagonal.copy_(0.2 / lattice.pace * torch.randn(lattice.dim))
    return lattice


@pytest.fixture(params=["an", "n1", "n8", "r4"])
def lattice(request):
    return lattice_of(request.param)


def some_points(lattice, count):
    """(integers, points, levels, scales): points of Gaussians of these scales."""
    levels = torch.randint(len(SCALES), (count, lattice.dim))
    scales = torch.from_numpy(SCALES)[levels]
    points = lattice.quantize(scales * torch.randn_like(scales))
    return lattice.to_integers(points), points, levels, scales


@torch.no_grad()
def test_masses_sum_to_one():
    for key in ("n2", "r2"):
        lattice = lattice_of(key)
        prior = conditional_prior(lattice)
        assert isinstance(prior, ConditionalTriangularPrior)
        line = torch.arange(-60, 61)
        points = lattice.to_points(torch.cartesian_prod(line, line), torch.float64)
        for scales in torch.tensor([[0.2, 0.5], [2.0, 0.11], [1.0, 1.3]]).double():
            total = prior.log_prob(points, scales.expand_as(points)).exp().sum()
            assert float(total) == pytest.approx(1, abs=1e-6)


def test_derivatives_by_basis_scale_and_points():
    lattice = lattice_of("n3")
    prior = conditional_prior(lattice)
    scales = 0.4 + 2.6 * torch.rand(60, 3, dtype=torch.float64)
    points = lattice.quantize(0.8 * scales * torch.randn_like(scales))
    k, scales = lattice.to_integers(points), scales.requires_grad_()
    points = lattice.straight_through(points.requires_grad_(), points.detach())
    points.retain_grad()
    prior.log_prob(points, scales).sum().backward()

    def value(wider=0.0, moved=0.0):
        points = lattice.to_points(k, torch.float64) + moved
        return float(prior.log_prob(points, scales.detach() + wider).detach().sum())

    def quotient(**side):
        ((name, step),) = side.items()
        return (value(**{name: step}) - value(**{name: -step})) / (2 * step)

    assert float(scales.grad.sum()) == pytest.approx(quotient(wider=1e-5), rel=1e-3, abs=1e-2)
    assert float(points.grad.sum()) == pytest.approx(quotient(moved=1e-5), rel=1e-3, abs=1e-2)
    step = 1e-3
    for parameter, cell in ((lattice.diagonal, (0,)), (lattice.diagonal, (2,)), (lattice.above, (0, 1))):
        found = []
        for side in (1, -1):
            with torch.no_grad():
                parameter[cell] += side * step
                found.append(value())
                parameter[cell] -= side * step
        assert float(parameter.grad[cell]) == pytest.approx((found[0] - found[1]) / (2 * step), rel=5e-3, abs=5e-2)


def coded(model, k, levels):
    encoder = Encoder()
    model.encode(encoder, k, levels)
    return encoder.getvalue()


@torch.no_grad()
def test_streams_come_back_and_cost_what_the_prior_says(lattice):
    prior = conditional_prior(lattice)
    model = conditional_point_model(prior, SCALES)
    k, points, levels, scales = some_points(lattice, 1500)
    stream = coded(model, k.numpy(), levels.numpy())
    assert np.array_equal(model.decode(Decoder(stream), levels.numpy()), k.numpy())
    bits = -float(prior.log_prob(points, scales).sum()) / np.log(2)
    assert abs(8 * len(stream) - bits) <= 0.005 * bits + 128


def test_outliers_are_escaped(lattice):
    model = conditional_point_model(conditional_prior(lattice), SCALES)
    k, _, levels, _ = some_points(lattice, 60)
    k[3], k[17, 0], k[40] = 10**6, -(10**12), 1000 * k[40] + 77
    stream = coded(model, k.numpy(), levels.numpy())
    assert np.array_equal(model.decode(Decoder(stream), levels.numpy()), k.numpy())


def test_no_vectors_are_no_bytes(lattice):
    model = conditional_point_model(conditional_prior(lattice), SCALES)
    none = np.zeros((0, lattice.dim), dtype=np.int64)
    assert coded(model, none, none) == b"" and model.decode(Decoder(b""), none).shape == none.shape


def test_a_learned_lattice_is_coded_as_it_is_at_the_moment():
    lattice = lattice_of("n4")
    prior = conditional_prior(lattice)
    model = conditional_point_model(prior, SCALES)
    with torch.no_grad():
        lattice.above += 0.1 * torch.randn_like(lattice.above)
    k, _, levels, _ = some_points(lattice, 50)
    other = lattice_of("n4")
    other.load_state_dict(lattice.state_dict())
    stream = coded(model, k.numpy(), levels.numpy())
    assert coded(conditional_point_model(conditional_prior(other), SCALES), k.numpy(), levels.numpy()) == stream


def test_noise_is_no_stream_or_another_one(lattice):
    model = conditional_point_model(conditional_prior(lattice), SCALES)
    k, _, levels, _ = some_points(lattice, 30)
    stream = coded(model, k.numpy(), levels.numpy())
    for _ in range(20):
        noise = np.random.default_rng(int(torch.randint(10**9, ()))).bytes(len(stream))
        with contextlib.suppress(CorruptStream):
            assert model.decode(Decoder(noise), levels.numpy()).shape == k.shape
