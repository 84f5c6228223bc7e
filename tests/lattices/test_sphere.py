"""The sphere decoder and its reduction of a basis, against plain enumeration."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

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
