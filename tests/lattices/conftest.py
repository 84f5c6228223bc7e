"""Random input for lattices."""

import pytest
import torch


@pytest.fixture
def random_points(generator):
    """``random_points(lattice, count)``: random lattice points, float64 [count, n], not all of them near the origin."""

    def draw(lattice, count, largest=3):
        z = torch.randint(-largest, largest + 1, (count, lattice.dim), generator=generator).double()
        return z @ lattice.generator

    return draw


@pytest.fixture
def in_space(random_points, generator):
    """``in_space(lattice, count)``: float64 [count, n], uniform over fundamental cells at random lattice points."""

    def draw(lattice, count):
        cube = torch.rand(count, lattice.dim, generator=generator, dtype=torch.float64)
        return random_points(lattice, count) + cube @ lattice.generator

    return draw
