"""Laws of learned lattices: unit volume, three searches and their cells, and the derivative by the generator."""

import copy
import math
import pickle

import pytest
import torch

from ltc import lattices
from ltc.lattices import LearnedLattice
from ltc.lattices.learned import _GRAIN, SEARCHES
from ltc.lattices.sphere import SphereDecoder


@pytest.fixture(params=SEARCHES)
def search(request):
    return request.param


@pytest.fixture
def make():
    """``make(dim, search)``: a learned lattice with random parameters, a diagonal from 0.6 to 1.7 or so."""

    def build(dim, search="nearest", spread=0.4):
        lattice = LearnedLattice(dim, search, spread=spread)
        with torch.no_grad():
            lattice.diagonal.copy_(0.3 / lattice.pace * torch.randn(dim))
        return lattice

    return build


def inputs(lattice, count):
    """Far from the origin and close to it: float64 [count, dim]."""
    near = 3 * torch.randn(count, lattice.dim, dtype=torch.float64)
    near[: count // 4] *= 100
    return near


@pytest.mark.parametrize("dim", [1, 2, 8, 24])
def test_generators_are_triangular_and_of_volume_one(make, dim):
    generator = make(dim).generator
    assert generator.dtype == torch.float64 and not generator.requires_grad
    assert torch.equal(generator, generator.triu()) and bool((generator.diagonal() > 0).all())
    assert float(generator.diagonal().prod()) == pytest.approx(1, abs=1e-5)
    # Products with integers are exact in any order.
    assert torch.equal(generator * 2**24, (generator * 2**24).round())


@pytest.mark.parametrize("dim", [1, 3, 8, 16])
def test_what_is_found_is_a_point_and_moves_with_the_lattice(make, search, dim):
    lattice = make(dim, search)
    x = inputs(lattice, 400)
    point = lattice.quantize(x)
    z = point @ torch.linalg.inv(lattice.generator)
    assert float((z - z.round()).abs().max()) < 1e-6
    assert torch.equal(lattice.to_points(lattice.to_integers(point), torch.float64), point)
    assert torch.equal(lattice.quantize(point), point)
    shift = torch.randint(-9, 10, (400, dim)).double() @ lattice.generator
    moved = lattice.quantize(x + shift) - shift
    # But for borders of cells, where rounding decides.
    assert int(((moved - point).abs().amax(1) > 1e-6).sum()) <= 1
    assert torch.equal(lattice.quantize(x.float()).double(), lattice.quantize(x.float().double()).float().double())


@pytest.mark.parametrize("dim", [1, 2, 5, 8, 12])
def test_the_nearest_point_is_nearest(make, dim):
    lattice = make(dim)
    x = inputs(lattice, 300)
    oracle = SphereDecoder(lattice.generator)
    found, expected = ((x - q.quantize(x)).norm(dim=1) for q in (lattice, oracle))
    # The oracle scales its volume to one to the last digit.
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-4)
    for other in ("plane", "rounding"):
        babai = LearnedLattice(dim, other)
        babai.load_state_dict(lattice.state_dict())
        assert bool(((x - babai.quantize(x)).norm(dim=1) >= found - 1e-9).all())


def test_searches_agree_on_orthogonal_bases(make):
    lattice = make(6, spread=0.0)
    x = inputs(lattice, 1000)
    expected = lattice.generator.diagonal() * torch.round(x / lattice.generator.diagonal())
    for search in SEARCHES:
        other = LearnedLattice(6, search)
        other.load_state_dict(lattice.state_dict())
        torch.testing.assert_close(other.quantize(x), expected, rtol=0, atol=1e-6)
    assert float(lattice.figures()["orthogonality_defect"]) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("dim", [2, 4, 8])
def test_moments_of_the_cells(make, dim):
    """Babai's cells are a parallelepiped and a box: no basis makes their moment less than that of rounding."""
    nearest = make(dim)
    moments = {}
    for search in SEARCHES:
        lattice = LearnedLattice(dim, search)
        lattice.load_state_dict(nearest.state_dict())
        moments[search] = lattice.nsm
    generator = nearest.generator
    assert moments["rounding"] == pytest.approx(float(generator.square().sum()) / 12 / dim, rel=0.01)
    assert moments["plane"] == pytest.approx(float(generator.diagonal().square().sum()) / 12 / dim, rel=0.01)
    assert moments["nearest"] < moments["plane"] + 2e-4 and moments["plane"] > (1 - 0.01) / 12
    sphere = math.gamma(dim / 2 + 1) ** (2 / dim) / (dim + 2) / math.pi
    assert moments["nearest"] > 0.995 * sphere


def test_the_moment_follows_the_basis(make):
    """Of boxes, whose moment is known: long ones first, then the cube."""
    lattice = make(3)
    for diagonal in ([0.7, 0.0, -0.7], [0.0, 0.0, 0.0]):
        with torch.no_grad():
            lattice.above.zero_()
            lattice.diagonal.copy_(torch.tensor(diagonal))
        sides = lattice.generator.detach().diagonal().double()
        assert lattice.nsm == pytest.approx(float(sides.square().mean()) / 12, rel=0.01)
        assert lattice.nsm == lattice.nsm
    assert float(sides.min()) == pytest.approx(float(sides.max()))


def test_the_straight_through_estimator(make, search):
    """The point to the last bit, the identity by the latents, and z B with z fixed by the parameters."""
    lattice = make(4, search)
    y = inputs(lattice, 50).reshape(25, 8).requires_grad_()
    point = lattice.quantize(y.detach())
    through = lattice.straight_through(y, point)
    assert torch.equal(through.detach(), point)
    target = torch.randn_like(point)
    (through * target).sum().backward()
    assert torch.equal(y.grad, target)
    z = lattice.to_integers(point).reshape(-1, 4).double()
    target = target.reshape(-1, 4)
    # A stencil whose error is of order step^4; entries of the basis are off by half a grain at each of its points.
    step, weights = 1e-2, {1: 8, -1: -8, 2: -1, -2: 1}
    grain = 1.5 / step * _GRAIN / 2 * float((z.abs().T @ target.abs()).sum())
    for parameter, cells in ((lattice.diagonal, [(1,)]), (lattice.above, [(0, 3), (1, 2), (2, 1)])):
        for cell in cells:
            quotient, middle = 0.0, float(parameter.detach()[cell])
            for side, weight in weights.items():
                with torch.no_grad():
                    parameter[cell] = middle + side * step
                    quotient += weight / 12 / step * float((z @ lattice.generator * target).sum())
                    parameter[cell] = middle
            assert float(parameter.grad[cell]) == pytest.approx(quotient, rel=1e-3, abs=grain)


def test_the_derivative_is_that_of_the_nearest_points_error(make):
    """Of the mean error with the integers free to change: borders between cells have the same error on both sides."""
    lattice = make(3)
    x = 0.7 * torch.randn(200_000, 3, dtype=torch.float64)
    loss = (x - lattice.straight_through(x, lattice.quantize(x))).square().sum(1).mean()
    loss.backward()
    step = 1e-4
    for parameter, cell in ((lattice.above, (0, 1)), (lattice.above, (1, 2)), (lattice.diagonal, (0,))):
        values = []
        for side in (1, -1):
            with torch.no_grad():
                parameter[cell] += side * step
                values.append(float((x - lattice.quantize(x)).square().sum(1).mean()))
                parameter[cell] -= side * step
        quotient = (values[0] - values[1]) / (2 * step)
        assert float(parameter.grad[cell]) == pytest.approx(quotient, rel=0.02, abs=0.01)
    assert float(lattice.above.grad.abs().max() + lattice.diagonal.grad.abs().max()) > 0.02


def test_the_search_follows_a_fused_optimizer(make):
    """Which changes parameters without counting their versions; and the reduced form is renewed on the way."""
    lattice = make(4)
    optimizer = torch.optim.Adam(lattice.parameters(), lr=8e-3, fused=True)
    x = inputs(lattice, 200)
    first = lattice.nsm
    for step in range(70):
        u = torch.rand(200, 4, dtype=torch.float64) @ lattice.generator
        loss = (u - lattice.straight_through(u, lattice.quantize(u))).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 33 == 32:
            expected = (x - SphereDecoder(lattice.generator).quantize(x)).norm(dim=1)
            torch.testing.assert_close((x - lattice.quantize(x)).norm(dim=1), expected, rtol=0, atol=1e-4)
    # On the way to D4 (0.0766).
    assert 0.0764 < lattice.nsm < min(first + 2e-4, 0.0810)


def test_far_inputs(make, search):
    lattice = make(8, search)
    for far in (1e5, 1e9, 1e12):
        x = far * torch.randn(50, 8, dtype=torch.float64)
        bound = float(lattice.generator.abs().sum()) + 1e-3 * far / 1e9
        assert float((x - lattice.quantize(x)).abs().max()) < bound


def test_parameters_travel(make, search):
    lattice = make(5, search)
    x = inputs(lattice, 100)
    expected = lattice.quantize(x)
    other = LearnedLattice(5, search)
    assert not torch.equal(other.quantize(x), expected)
    other.load_state_dict(lattice.state_dict())
    assert torch.equal(other.quantize(x), expected)
    for copied in (copy.deepcopy(lattice), pickle.loads(pickle.dumps(lattice))):
        assert torch.equal(copied.quantize(x), expected)
        with torch.no_grad():
            copied.above += 0.2
        assert not torch.equal(copied.quantize(x), expected) and torch.equal(lattice.quantize(x), expected)


@pytest.mark.parametrize("name", ["e8", "an"])
def test_it_may_start_from_a_known_lattice(name):
    lattice, known = LearnedLattice(8, start=name, spread=0.0), lattices.get(name, 8)
    x = inputs(lattice, 300)
    # Its entries are rounded to float32.
    found, expected = ((x - q.quantize(x)).norm(dim=1) for q in (lattice, known))
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3)
    assert lattice.nsm == pytest.approx(known.nsm, rel=0.01)


def test_the_penalty_is_zero_where_the_basis_is_orthogonal(make):
    lattice = LearnedLattice(6, "rounding", orthogonality=0.5, balance=0.5)
    assert float(lattice.auxiliary_loss().detach()) > 0
    optimizer = torch.optim.Adam(lattice.parameters(), lr=2e-2)
    for _ in range(80):
        loss = lattice.auxiliary_loss()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert float(lattice.auxiliary_loss().detach()) < 0.02
    torch.testing.assert_close(lattice.generator, torch.eye(6).double(), rtol=0, atol=0.15)
    assert lattices.get("e8").auxiliary_loss() == 0


def test_bad_arguments_are_refused():
    for arguments, sentence in (
        ({"dim": 0}, "positive integer"),
        ({"dim": 4, "search": "guess"}, "nearest, plane, rounding"),
        ({"dim": 4, "orthogonality": -1.0}, "spread >= 0"),
        ({"dim": 4, "pace": 0.0}, "pace > 0"),
        ({"dim": 4, "start": "e8"}, "dimension 8"),
        ({"dim": 8, "start": "tcq8"}, "no upper triangular"),
    ):
        with pytest.raises(ValueError, match=sentence):
            LearnedLattice(**arguments)
    with pytest.raises(ValueError, match="multiple of 4"):
        LearnedLattice(4).quantize(torch.zeros(2, 6))


@pytest.mark.parametrize("search", ["nearest", "plane", "rounding"])
@pytest.mark.parametrize("dim", [2, 8, 24])
def test_a_noisy_step_searches_few_points(dim, search, monkeypatch):
    """The basis is another one at each step; noise needs its second moment to a few percent, and no better."""
    lattice, searched = LearnedLattice(dim, search, spread=0.3), []
    nearest = lattice.nearest
    monkeypatch.setattr(lattice, "nearest", lambda x: (searched.append(len(x)), nearest(x))[1])
    rough = lattice.noise_moment()
    assert sum(searched) <= 1024
    if dim <= 8:
        assert rough == pytest.approx(lattice.nsm, rel=0.1)


@pytest.mark.parametrize("search", ["plane", "rounding"])
def test_babais_moments_need_no_search(search):
    lattice = LearnedLattice(5, search, spread=0.3)
    x = torch.rand(100_000, 5, dtype=torch.float64) @ lattice.generator
    error = (x - lattice.quantize(x)).square().mean(1)
    assert abs(float(error.mean()) - lattice.nsm) < 5 * float(error.std()) / 100_000**0.5
