"""Laws of the points that fill a Voronoi cell: they lie in it, evenly, and come from torch's generator."""

import math

import pytest
import torch

from ltc import lattices
from ltc.entropy import voronoi_points
from ltc.entropy.voronoi_cell import CUBE_POINTS


@pytest.fixture(params=CUBE_POINTS)
def kind(request):
    return request.param


def test_there_are_the_four_kinds_of_the_paper():
    assert set(CUBE_POINTS) == {"standard", "antithetic", "sobol", "scrambled_sobol"}


def test_points_lie_in_the_cell(lattice, kind):
    points = voronoi_points(lattice, 500, 2 * lattice.dim, kind)
    assert points.shape == (500, 2 * lattice.dim) and points.dtype == torch.float32
    # The cell is star-shaped around 0; on its faces rounding may go either way.
    nearest = lattice.quantize(0.9999 * points.double())
    assert float(nearest.abs().max()) < 1e-9


def test_points_fill_the_cell(lattice, kind):
    """Mean 0, and E|u|^2 / n = G: the published number, from points of every kind."""
    count = 2**12 if lattice.dim >= 12 else 2**13
    points = voronoi_points(lattice, count, lattice.dim, kind).double()
    moment = points.square().mean(1)
    # Antithetic points come in pairs of equal length: half as many count.
    error = float(moment.std()) * math.sqrt(2 / count)
    if lattice.nsm is not None:
        assert abs(float(moment.mean()) - lattice.nsm) < 5 * error + 2e-6
    assert bool((points.mean(0).abs() < 5.5 * points.std(0) / math.sqrt(count)).all())
    # Every direction is filled alike: the covariance is G times the identity for irreducible lattices.
    covariance = points.T @ points / count
    if lattice.name in {"e8", "bw16", "leech", "dn", "an", "a2", "z"} and (lattice.name, lattice.dim) != ("dn", 2):
        spread = 6.5 * 0.1 / math.sqrt(count / 2)
        assert float((covariance - lattice.nsm * torch.eye(lattice.dim)).abs().max()) < spread


def test_points_of_a_product_are_independent_in_its_factors(kind):
    """The second moment of a product of copies is that of one, and its factors are uncorrelated."""
    lattice = lattices.get("a2")
    points = voronoi_points(lattice, 2**15, 6, kind).double()
    covariance = points.T @ points / len(points)
    torch.testing.assert_close(covariance, lattice.nsm * torch.eye(6).double(), rtol=0, atol=0.004)


def test_antithetic_points_come_with_their_opposites(lattice):
    points = voronoi_points(lattice, 200, lattice.dim, "antithetic").double()
    one, other = points[:100], points[100:]
    # On a face u and -u may both be represented by u; that has probability zero.
    opposite = (one + other).abs().amax(1) < 1e-5
    assert float(opposite.double().mean()) > 0.98
    assert len(voronoi_points(lattice, 7, lattice.dim, "antithetic")) == 7


def test_points_come_from_torchs_generator(lattice, kind):
    def draw(seed):
        torch.manual_seed(seed)
        return voronoi_points(lattice, 16, lattice.dim, kind)

    assert torch.equal(draw(1), draw(1))
    assert torch.equal(draw(1), draw(2)) == (kind == "sobol")  # plain Sobol points are one fixed sequence


@pytest.mark.parametrize("count", [1, 3])
def test_few_points(kind, count):
    assert voronoi_points(lattices.get("a2"), count, 4, kind).shape == (count, 4)


def test_no_points():
    """The dither of an empty batch."""
    assert voronoi_points(lattices.get("a2"), 0, 4).shape == (0, 4)


def test_quasi_random_points_are_more_even_than_random_ones():
    """Their mean is several times nearer to 0 than that of random points, whose distance is known."""
    lattice, count = lattices.get("z", 2), 2**12
    random = math.sqrt(2 * lattice.nsm / count)
    for kind in ("sobol", "scrambled_sobol"):
        means = torch.stack([voronoi_points(lattice, count, 2, kind).double().mean(0) for _ in range(20)])
        assert float(means.square().sum(1).mean().sqrt()) < random / 3


def test_unknown_kinds_are_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"'halton'.*antithetic"):
        voronoi_points(lattices.get("z"), 4, 2, "halton")


def test_lattices_without_a_generator_are_refused(trellis_code):
    with pytest.raises(ValueError, match="no generator"):
        voronoi_points(trellis_code, 4, 4)


@pytest.fixture
def trellis_code():
    """A point set without a generator matrix."""

    class Code(lattices.Lattice):
        name, dim, generator = "code", 4, None

        def nearest(self, x):
            return torch.round(x)

    return Code()
