"""The KLT: orthonormal, decorrelating, inverted by its inverse, the best linear one, and fitted before training."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from datamodules import BlockDataModule, CorrelatedGaussian
from ltc.training.fitting import fit_transforms
from ltc.transforms import KLT, InverseKLT
from ltc.transforms.klt import klt_basis


def covariance_of(seed, dim):
    mix = torch.randn(dim, dim, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return mix @ mix.T


@given(st.integers(0, 10**6), st.integers(1, 6), st.integers(1, 4))
def test_the_basis_is_orthonormal_and_decorrelates(seed, dim, symbols):
    covariance = covariance_of(seed, dim)
    basis = klt_basis(covariance, symbols * dim, symbols * dim).double()
    torch.testing.assert_close(basis @ basis.T, torch.eye(len(basis), dtype=torch.float64), atol=1e-5, rtol=0)
    found = basis @ torch.block_diag(*[covariance] * symbols) @ basis.T
    variances = torch.linalg.eigvalsh(covariance).flip(0).repeat_interleave(symbols)
    scale = float(variances.max())
    torch.testing.assert_close(found / scale, torch.diag(variances) / scale, atol=1e-5, rtol=0)


@torch.no_grad()
@given(st.integers(0, 10**6), st.integers(1, 6), st.integers(0, 5))
def test_what_is_left_out_is_what_varies_least(seed, dim, fewer):
    latents = max(1, dim - fewer)
    covariance, mean = covariance_of(seed, dim), torch.randn(dim)
    there, back = KLT(dim, latents), InverseKLT(latents, dim)
    for transform in (there, back):
        transform.fit(covariance, mean)
    x = torch.randn(50, dim)
    torch.testing.assert_close(there(back(there(x))), there(x), atol=1e-4, rtol=1e-3)
    lost = torch.eye(dim, dtype=torch.float64) - (back.matrix @ there.matrix).double()
    expected = torch.linalg.eigvalsh(covariance)[: dim - latents].sum()
    assert float((lost @ covariance @ lost.T).trace()) == pytest.approx(float(expected), rel=1e-3, abs=1e-4)


def test_more_latents_than_components_are_refused():
    for make in (lambda: KLT(2, 3), lambda: InverseKLT(3, 2)):
        with pytest.raises(ValueError, match="no more latents than components"):
            make()


def test_it_is_fitted_once_and_moves_only_if_it_may():
    covariance = [[2.0, 0.9], [0.9, 1.0]]
    data = BlockDataModule(CorrelatedGaussian(covariance), n=3, batch_size=500)
    klt, back = KLT(6, 6, trained=False), InverseKLT(6, 6, trained=False)
    coder = torch.nn.ModuleList([klt, back])
    fit_transforms(coder, data.calibration_batch, 2, numbers=200_000)
    kept = klt.matrix.clone()
    spread = kept @ torch.block_diag(*[torch.tensor(covariance)] * 3) @ kept.T
    assert bool((spread - torch.diag(spread.diagonal())).abs().max() < 0.05) and bool(klt.mean.abs().max() < 0.05)
    klt.matrix.zero_()  # as from a checkpoint: what has been fitted is left alone
    fit_transforms(coder, data.calibration_batch, 2, numbers=1)
    assert not klt.matrix.any() and not any(p.requires_grad for p in coder.parameters())
    assert all(p.requires_grad for p in KLT(2, 2).parameters())
