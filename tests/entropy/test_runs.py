"""Laws of runs: consecutive latents with one distribution have one function, on every kind of lattice."""

import pytest
import torch

from ltc import lattices
from ltc.coding import encode_points, point_model
from ltc.entropy import Family, LaplaceMixture, exact_prior
from ltc.lattices import LearnedLattice, ProductLattice

KINDS = {
    "an": lambda: lattices.get("an", 3),
    "a2": lambda: lattices.get("a2"),
    "e8": lambda: lattices.get("e8"),
    "tcq8": lambda: lattices.get("tcq8", 6),
    "learned": lambda: LearnedLattice(3, spread=0.3),
    "product": lambda: ProductLattice([LearnedLattice(2), lattices.get("z")]),
}


@pytest.fixture(params=KINDS)
def prior(request):
    lattice = KINDS[request.param]()
    prior = exact_prior(lattice, 4 * lattice.dim, LaplaceMixture, period=2, run=2 * lattice.dim)
    with torch.no_grad():
        for part in prior.modules():
            if isinstance(part, Family):
                for parameter in part.parameters():
                    parameter.add_(0.3 * torch.randn_like(parameter))
    return prior.eval()


def test_there_are_as_many_functions_as_runs(prior):
    assert {part.dim for part in prior.modules() if isinstance(part, Family)} == {2}


@torch.no_grad()
def test_vectors_of_one_run_may_change_places(prior):
    """Two points of the lattice in each of two runs: only between runs does it matter where a point lies."""
    n = prior.lattice.dim
    points = prior.lattice.quantize(3 * torch.randn(200, 4 * n))
    a, b, c, d = points.split(n, 1)
    rate = prior(points)
    torch.testing.assert_close(prior(torch.cat([b, a, d, c], 1)), rate)
    assert float((prior(torch.cat([c, d, a, b], 1)) - rate).abs().max()) > 0.01


@torch.no_grad()
def test_the_bitstream_has_the_rate(prior):
    points = prior.lattice.quantize(2 * torch.randn(2000, prior.dim))
    stream = encode_points(point_model(prior), prior.to_integers(points).numpy())
    assert 8 * len(stream) == pytest.approx(float(prior(points).sum()), rel=0.005)


def test_the_derivative_by_the_points_and_the_basis_is_finite(prior):
    y = torch.randn(20, prior.dim, requires_grad=True)
    prior.train()(prior.lattice.straight_through(y, prior.lattice.quantize(y))).sum().backward()
    for parameter in (y, *prior.parameters()):
        assert bool(parameter.grad.isfinite().all()) and float(parameter.grad.abs().sum()) > 0


def test_runs_have_to_fit():
    for lattice in (lattices.get("an", 3), lattices.get("e8")):
        with pytest.raises(ValueError, match="runs of"):
            exact_prior(lattice, 2 * lattice.dim, period=2, run=5)
