"""The energy that a source claims is that of its samples."""

import pytest

from datamodules import Gaussian, Laplace, Uniform


@pytest.mark.parametrize("source", [Gaussian(2.5), Laplace(0.7), Uniform(half_width=1.3)], ids=lambda s: s.name)
def test_energy(source, generator):
    squares = source.sample(400_000, generator).double().square()
    assert abs(float(squares.mean()) - source.energy) < 5 * float(squares.std()) / 400_000**0.5
