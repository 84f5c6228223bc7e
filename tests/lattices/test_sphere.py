"""The sphere decoder and its reduction of a basis, against plain enumeration."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from ltc import lattices
from ltc.lattices.sphere import SphereDecoder, lll, lower_triangular


@pytest.mark.parametrize("n", [1, 2, 3])
def test_the_nearest_point_is_that_of_enumeration(n, rng):
    decoder = SphereDecoder(torch.from_numpy(rng.normal(size=(n, n))))
    basis = lll(decoder.generator.numpy())
    x = rng.normal(size=(40, n)) * 3
    near = np.rint(x @ np.linalg.inv(basis))
    moves = np.array(list(itertools.product(range(-3, 4), repeat=n)))
    candidates = (near[:, None] + moves) @ basis
    expected = np.square(candidates - x[:, None]).sum(-1).min(1)
    found = decoder.quantize(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(np.square(found - x).sum(-1), expected, atol=1e-9)


@pytest.mark.parametrize("n", [1, 2, 5, 9])
def test_lll_is_another_basis_of_the_same_lattice(n, rng):
    basis = np.tril(rng.normal(size=(n, n)), -1) * 7 + np.diag(0.5 + rng.random(n))
    basis = basis @ np.linalg.qr(rng.normal(size=(n, n)))[0]
    reduced = lll(basis)
    change = reduced @ np.linalg.inv(basis)
    np.testing.assert_allclose(change, np.rint(change), atol=1e-8)
    assert abs(np.linalg.det(change)) == pytest.approx(1)
    assert np.square(reduced).sum() <= np.square(basis).sum() + 1e-9
    lower = lower_triangular(reduced)
    # Size reduction and Lovasz's condition.
    off = np.abs(np.tril(lower, -1)) / np.diag(lower)
    assert (off <= 0.5 + 1e-9).all()
    for k in range(1, n):
        assert lower[k, k] ** 2 + lower[k, k - 1] ** 2 >= 0.98 * lower[k - 1, k - 1] ** 2


@pytest.fixture(params=[2, 3, 4])
def random_generator(request, rng):
    """A random basis that is not too skew, so that a box of integers holds the nearest point's coordinates."""
    while True:
        matrix = rng.normal(size=(request.param, request.param))
        if np.linalg.cond(matrix) < 6:
            return torch.from_numpy(matrix)


def test_sphere_decoder_against_brute_force(random_generator, generator):
    n = len(random_generator)
    decoder = SphereDecoder(random_generator)
    basis = decoder.generator
    assert float(torch.linalg.det(basis).abs()) == pytest.approx(1)
    torch.testing.assert_close(basis / basis.norm(), random_generator / random_generator.norm())
    x = (torch.rand(300, n, generator=generator, dtype=torch.float64) - 0.5) @ basis
    box = torch.tensor(list(itertools.product(range(-5, 6), repeat=n)), dtype=torch.float64)
    distance = torch.cdist(x, box @ basis, compute_mode="donot_use_mm_for_euclid_dist")
    best, where = distance.min(1)
    # The box was large enough: nothing on its boundary is nearest.
    assert float(box[where].abs().max()) < 5
    found = decoder.quantize(x)
    torch.testing.assert_close((x - found).norm(dim=1), best, rtol=0, atol=1e-12)
    z = found @ torch.linalg.inv(basis)
    assert float((z - z.round()).abs().max()) < 1e-9


def test_sphere_decoder_does_not_depend_on_the_basis(rng, generator):
    """A basis changed by a unimodular matrix, however skew, is the same lattice."""
    basis = lattices.get("dn", 5).generator
    change = torch.eye(5, dtype=torch.float64)
    for _ in range(12):
        i, j = rng.choice(5, 2, replace=False)
        change[i] += int(rng.integers(-2, 3)) * change[j]
    x = 3 * torch.randn(500, 5, generator=generator, dtype=torch.float64)
    found, expected = SphereDecoder(change @ basis).quantize(x), SphereDecoder(basis).quantize(x)
    far, near = ((x - points).square().sum(-1) for points in (found, expected))
    torch.testing.assert_close(far, near, rtol=0, atol=1e-8)


@pytest.mark.parametrize("matrix", [[[1.0, 2.0]], [1.0, 2.0], [[1.0, 2.0], [2.0, 4.0]], [[0.0]]])
def test_sphere_decoder_refuses_what_is_no_basis(matrix):
    with pytest.raises(ValueError, match="generator matrix"):
        SphereDecoder(matrix)
