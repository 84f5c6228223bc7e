"""R(D) of each source: the closed forms, Shannon's lower bound, and no bound where none is known."""

import math

import pytest
import torch

pytest.importorskip("ltc.theory", reason="R(D) comes from ltc.theory")

from datamodules import (
    Banana,
    BananaMarginal,
    CorrelatedGaussian,
    Gaussian,
    Laplace,
    Sawbridge,
    Uniform,
)


def differential_entropy(source):
    """h(X) in bits, by the mean of -log2 p over samples."""
    x = source.sample(50_000, torch.Generator().manual_seed(0)).double()
    return -source.log_density(x).mean().item() / math.log(2)


def shannon_lower_bound(source, distortion):
    """h(X) less the largest entropy of a difference with that distortion per component."""
    noise = {
        "mse": 0.5 * math.log2(2 * math.pi * math.e * distortion),
        "l1": math.log2(2 * math.e * distortion),
    }
    return differential_entropy(source) - source.dim * noise[source.measure]


def test_gaussian():
    assert Gaussian(4.0).rate_distortion().rate(1.0) == pytest.approx(1.0)


def test_laplace_under_absolute_error():
    assert Laplace(2.0, measure="l1").rate_distortion().rate(0.5) == pytest.approx(2.0)


def test_correlated_gaussian():
    bound = CorrelatedGaussian([[1.0, 0.9], [0.9, 1.0]]).rate_distortion()  # eigenvalues 1.9 and 0.1
    assert bound.rate(0.05) == pytest.approx(0.5 * math.log2(1.9 * 0.1 / 0.05**2))


@pytest.mark.parametrize(
    ("source", "distortion"),
    [
        (Gaussian(4.0, measure="l1"), 0.2),
        (Uniform(), 0.01),
        (Uniform(2.0, measure="l1"), 0.05),
        (Laplace(2.0), 0.2),
        (BananaMarginal(), 0.1),
        (Banana(), 0.3),
    ],
    ids=lambda value: f"{value.name}-{value.measure}" if hasattr(value, "name") else "",
)
def test_computed_bounds_come_down_to_shannons_lower_bound(source, distortion):
    bound, below = source.rate_distortion(), shannon_lower_bound(source, distortion)
    assert below - 0.03 < bound.rate(distortion) < below + 0.3


def test_no_bound_is_known_for_the_sawbridge():
    assert Sawbridge().rate_distortion() is None
