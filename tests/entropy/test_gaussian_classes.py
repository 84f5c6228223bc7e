"""Class sums of Gaussians: the closed forms beside plain sums, their derivatives beside differences."""

import pytest
import torch

from ltc.entropy.gaussian_classes import class_sums


def _plain(t, modulus):
    """The masses of all integers that matter, summed: t float64 [count] -> [count, q]."""
    reach = modulus * (int(9 * t.max()) // modulus + 2)
    k = torch.arange(-reach, reach, dtype=torch.float64)
    mass = torch.special.ndtr((k + 0.5) / t[:, None]) - torch.special.ndtr((k - 0.5) / t[:, None])
    return mass.reshape(len(t), -1, modulus).sum(1)


def _scales(generator, count=200):
    return 0.05 * 6000 ** torch.rand(count, generator=generator, dtype=torch.float64)  # 0.05 … 300


@pytest.mark.parametrize("modulus", [1, 2, 4, 6, 8])
@pytest.mark.parametrize(("dtype", "error"), [(torch.float32, 2e-6), (torch.float64, 1e-12)])
def test_closed_forms_equal_plain_sums(modulus, dtype, error, generator):
    t = _scales(generator)
    sums, _ = class_sums(t.to(dtype), modulus)
    assert sums.dtype == dtype
    torch.testing.assert_close(sums.double(), _plain(t.to(dtype).double(), modulus), atol=error, rtol=0)


@pytest.mark.parametrize("modulus", [2, 4, 6, 8])
def test_derivatives_equal_differences(modulus, generator):
    t = _scales(generator)
    _, slopes = class_sums(t, modulus)
    step = 1e-5 * t
    difference = (class_sums(t + step, modulus)[0] - class_sums(t - step, modulus)[0]) / (2 * step)[:, None]
    torch.testing.assert_close(slopes, difference, atol=1e-7, rtol=1e-5)


@pytest.mark.parametrize("modulus", [2, 4, 8])
def test_no_scale_is_too_extreme(modulus):
    sums, slopes = class_sums(torch.tensor([1e-30, 1e-6, 1e6, 1e30]), modulus)
    assert torch.isfinite(sums).all() and torch.isfinite(slopes).all()
    expected = torch.zeros(modulus)
    expected[0] = 1
    torch.testing.assert_close(sums[:2], expected.expand(2, -1))
    torch.testing.assert_close(sums[2:], torch.full((2, modulus), 1 / modulus))
