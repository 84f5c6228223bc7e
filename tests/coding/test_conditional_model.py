"""Bitstreams of points with a scale for each coordinate: there and back, and as long as the probabilities say."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import norm

from ltc import lattices
from ltc.coding import CorruptStream
from ltc.coding.conditional_weights import conditional_point_model
from ltc.coding.gaussian_mass import gaussian_masses
from ltc.coding.range_coder import Decoder, Encoder
from ltc.entropy.conditional import conditional_prior

SCALES = np.exp(np.linspace(math.log(0.11), math.log(256), 40))
KEYS = ["z3", "a2", "dn4", "e6_dual", "e8", "bw16", "tcq4", "tcq8", "tcq256"]


@pytest.fixture(params=KEYS)
def lattice(request, get_lattice):
    return lattices.get(request.param, 48) if request.param.startswith("tcq") else get_lattice(request.param)


def _draw(lattice, rng, count, levels):
    """Levels, and points of Gaussians of their scales: int64 [count, n] each, and float64 points."""
    level = rng.integers(0, levels, (count, lattice.dim))
    y = torch.from_numpy(SCALES[level] * rng.standard_normal(level.shape))
    points = lattice.quantize(y)
    return level, lattice.to_integers(points).numpy(), points


@pytest.mark.parametrize(("scale", "width"), [(0.11, 1), (0.11, 2), (0.7, 1), (3.0, 2), (400.0, 1)])
def test_masses_are_those_of_the_normal_law(scale, width):
    k = np.arange(40)
    expected = norm.sf((k - width / 2) / scale) - norm.sf((k + width / 2) / scale)
    found = gaussian_masses(scale, width, len(k))
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=2.0**-99)
    assert (found > 0).all()
    near = k <= 3 * scale
    np.testing.assert_allclose(found[near], expected[near], rtol=1e-6)


def test_there_and_back_with_points_far_out(lattice, rng):
    model = conditional_point_model(conditional_prior(lattice), SCALES)
    level, k, _ = _draw(lattice, rng, 60, len(SCALES))
    for row, value in ((0, 12345.0), (7, -4321.0), (14, 99.0)):
        k[row] = lattice.to_integers(lattice.quantize(torch.full((lattice.dim,), value))).numpy()
    encoder = Encoder()
    model.encode(encoder, k, level)
    np.testing.assert_array_equal(model.decode(Decoder(encoder.getvalue()), level), k)


def test_length_is_the_rate(lattice, rng):
    prior = conditional_prior(lattice)
    level, k, points = _draw(lattice, rng, 24_000 // lattice.dim, 25)
    encoder = Encoder()
    conditional_point_model(prior, SCALES).encode(encoder, k, level)
    bits = -float(prior.log_prob(points, torch.from_numpy(SCALES[level])).sum()) / math.log(2)
    # A residue has a probability of 2^-24 or more, so that what is all but impossible costs less than the model says.
    assert 8 * len(encoder.getvalue()) < bits * 1.003 + 64


def test_several_batches_follow_each_other(lattice, rng):
    model = conditional_point_model(conditional_prior(lattice), SCALES)
    level, k, _ = _draw(lattice, rng, 10, 20)
    encoder = Encoder()
    model.encode(encoder, k[:3], level[:3])
    model.encode(encoder, k[3:], level[3:])
    decoder = Decoder(encoder.getvalue())
    parts = model.decode(decoder, level[:3]), model.decode(decoder, level[3:])
    np.testing.assert_array_equal(np.concatenate(parts), k)


def test_large_batches_are_split(rng, monkeypatch):
    monkeypatch.setattr("ltc.coding.conditional_model.MEMORY", 200)
    test_there_and_back_with_points_far_out(lattices.get("e8"), rng)


def test_no_vectors(lattice):
    model = conditional_point_model(conditional_prior(lattice), SCALES)
    none = np.empty((0, lattice.dim), dtype=np.int64)
    encoder = Encoder()
    model.encode(encoder, none, none)
    assert model.decode(Decoder(encoder.getvalue()), none).shape == (0, lattice.dim)


def test_damage_is_an_error_or_other_points(lattice, rng):
    model = conditional_point_model(conditional_prior(lattice), SCALES)
    level, k, _ = _draw(lattice, rng, 20, len(SCALES))
    encoder = Encoder()
    model.encode(encoder, k, level)
    stream = encoder.getvalue()
    for _ in range(30):
        damaged = bytearray(stream)
        damaged[rng.integers(len(damaged))] ^= 1 << rng.integers(8)
        cut = bytes(damaged[: 4 * rng.integers(len(damaged) // 4 + 1)])
        for wrong in (bytes(damaged), cut, rng.bytes(4 * rng.integers(50))):
            try:
                found = model.decode(Decoder(wrong), level)
            except CorruptStream:
                continue
            assert found.shape == k.shape


@pytest.mark.parametrize("key", ["a2", "e8", "tcq8"])
def test_what_is_no_point_is_refused(key, get_lattice):
    lattice = lattices.get("tcq8", 8) if key == "tcq8" else get_lattice(key)
    model = conditional_point_model(conditional_prior(lattice), SCALES)
    k = np.zeros((1, lattice.dim), dtype=np.int64)
    k[0, 0] = 1
    with pytest.raises(ValueError, match="no p"):
        model.encode(Encoder(), k, np.zeros_like(k))
