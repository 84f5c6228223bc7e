"""Laws of nested codes: q^n leaders, each the shortest of its coset, and a codeword for every input."""

import itertools

import pytest
import torch

from ltc import lattices
from ltc.coding import decode_points, encode_points, point_model
from ltc.entropy import NestedPrior

LATTICES = [("z", 1), ("z", 2), ("a2", 2), ("dn", 4), ("an", 3), ("an_dual", 3)]


@pytest.mark.parametrize(("name", "dim"), LATTICES)
@pytest.mark.parametrize("q", [2, 3, 4])
def test_there_are_as_many_leaders_as_cosets(name, dim, q):
    lattice = lattices.get(name, dim)
    code = NestedPrior(lattice, lattice.dim, q)
    k = torch.tensor(list(itertools.product(range(q), repeat=dim)))
    leaders = code.to_points(k)
    assert len(torch.unique((leaders * 1e3).round(), dim=0)) == q**dim
    assert torch.equal(code.to_integers(leaders), k)
    # log2 of their number is the rate.
    torch.testing.assert_close(code(leaders), torch.full((q**dim,), float(torch.tensor(q**dim).log2())))


@pytest.mark.parametrize(("name", "dim"), [*LATTICES, ("e8", 8), ("leech", 24)])
def test_a_leader_is_the_shortest_of_its_coset(name, dim, generator):
    lattice = lattices.get(name, dim)
    code = NestedPrior(lattice, dim, 3)
    points = lattice.quantize(6 * torch.randn(200, dim, generator=generator, dtype=torch.float64))
    leaders = code.leaders(points)
    shift = (points - leaders) / 3
    torch.testing.assert_close(lattice.quantize(shift), shift, atol=1e-5, rtol=0)
    others = leaders[:, None] - 3 * lattice.quantize(2 * torch.randn(1, 50, dim, generator=generator).double())
    assert bool((leaders.square().sum(-1)[:, None] <= others.square().sum(-1) + 1e-3).all())
    # All points of a coset have the same leader, ties included.
    moved = points + 3 * lattice.quantize(5 * torch.randn(200, dim, generator=generator, dtype=torch.float64))
    torch.testing.assert_close(code.leaders(moved), leaders, atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", ["z", "a2", "e8", "leech"])
def test_every_input_gets_a_codeword_and_overload_is_counted(name, generator):
    lattice = lattices.get(name)
    code = NestedPrior(lattice, lattice.dim, 4).eval()
    y = torch.randn(500, lattice.dim, generator=generator)
    small, large = 0.05 * y, 30.0 * y
    assert torch.equal(code.admit(small, lattice.quantize(small)), lattice.quantize(small))
    assert code.figures()["overload"] == 0.0
    found = code.admit(large, lattice.quantize(large))
    torch.testing.assert_close(code.leaders(found), found, atol=1e-4, rtol=0)
    # Towards the input: never worse than the origin.
    assert bool(((large - found).square().sum(-1) <= large.square().sum(-1) + 1e-3).all())
    assert 0.3 < code.figures()["overload"] <= 0.5


@pytest.mark.parametrize("name", ["z", "a2", "e8", "an"])
def test_its_bitstream_has_the_fixed_rate(name, generator):
    lattice = lattices.get(name)
    code = NestedPrior(lattice, 2 * lattice.dim, 4).eval()
    y = torch.randn(2000, 2 * lattice.dim, generator=generator)
    points = code.admit(y, lattice.quantize(y))
    model = point_model(code)
    stream = encode_points(model, code.to_integers(points).numpy())
    assert len(stream) * 8 == pytest.approx(2 * points.numel(), rel=1e-3, abs=64)
    back = code.to_points(torch.from_numpy(decode_points(model, 2000, stream)))
    torch.testing.assert_close(back, points, atol=1e-4, rtol=0)


def test_ratios_and_codes_that_cannot_be_nested_are_refused():
    with pytest.raises(ValueError, match="at least 2"):
        NestedPrior(lattices.get("e8"), 8, 1)
    with pytest.raises(ValueError, match="generator"):
        NestedPrior(lattices.get("tcq8"), 256, 4)
