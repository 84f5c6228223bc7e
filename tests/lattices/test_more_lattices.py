"""What tells A_n*, E6*, E7, E7* and K12 from any mistake in them, beside the laws of every lattice."""

import itertools
import math

import numpy as np
import pytest
import torch

from ltc import lattices
from ltc.lattices.catalogue.an_dual import permutohedron_nsm
from ltc.lattices.congruence_lattice import CongruenceLattice, eisenstein_parities
from ltc.lattices.sphere import SphereDecoder

# Squared minimum at unit volume, and the number of shortest vectors (SPLAG, chapter 4).
SHORTEST = {
    "e6_dual": (4 / 3 * 3 ** (1 / 6), 54),
    "e7": (2 * 2 ** (-1 / 7), 126),
    "e7_dual": (3 / 2 * 2 ** (1 / 7), 56),
    "k12": (4 * 27 ** (-1 / 6), 756),
}


def squared_distance(a, b):
    return (a - b).square().sum(-1)


@pytest.mark.parametrize("name", SHORTEST)
def test_shortest_vectors(name, short_vectors):
    least, count = SHORTEST[name]
    generator = lattices.get(name).generator
    assert len(short_vectors(generator, least * (1 - 1e-9))) == 1
    assert len(short_vectors(generator, least * (1 + 1e-9))) - 1 == count


def gram(name, dim=None):
    basis = lattices.get(name, dim).generator
    return basis @ basis.T


@pytest.mark.parametrize(("name", "scale"), [("e7", 2 ** (1 / 7)), ("k12", 27 ** (1 / 6))])
def test_integral_lattices_are_integral(name, scale):
    """E7 and K12 at their usual scale have even norms and integral inner products."""
    products = gram(name) * scale
    torch.testing.assert_close(products, products.round(), rtol=0, atol=1e-9)
    assert not (products.diagonal().round() % 2).any()


@pytest.mark.parametrize(("one", "other", "dim"), [("e7", "e7_dual", None), ("an", "an_dual", 3), ("an", "an_dual", 6)])
def test_duals(one, other, dim, short_vectors):
    """The dual of one has as many vectors of each norm as the other."""
    dual = torch.linalg.inv(lattices.get(one, dim).generator).T
    found, expected = (
        short_vectors(basis, 4.0).square().sum(1).sort().values for basis in (lattices.get(other, dim).generator, dual)
    )
    assert len(found) > 20
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("dim", [1, 2, 3, 4, 7, 10])
def test_dual_of_the_simplex(dim, generator):
    """Nearest points are nearest; the generator is triangular of volume 1; 2n + 2 shortest vectors for n > 2."""
    lattice = lattices.get("an_dual", dim)
    basis = lattice.generator
    assert torch.equal(basis, basis.triu()) and float(basis.diagonal().prod()) == pytest.approx(1)
    x = 5 * torch.randn(500, dim, generator=generator, dtype=torch.float64)
    expected = SphereDecoder(basis).quantize(x)
    torch.testing.assert_close(squared_distance(x, lattice.quantize(x)), squared_distance(x, expected))


def test_dual_of_the_simplex_in_known_cases(short_vectors):
    assert permutohedron_nsm(1) == pytest.approx(1 / 12)
    assert permutohedron_nsm(2) == pytest.approx(lattices.get("a2").nsm)
    assert permutohedron_nsm(3) == pytest.approx(lattices.get("dn_dual", 3).nsm)
    # SPLAG, table 2.3 and figure 2.9.
    for dim, nsm in {4: 0.077559, 5: 0.076922, 6: 0.076490, 7: 0.076187}.items():
        assert permutohedron_nsm(dim) == pytest.approx(nsm, abs=6e-7)
    norms = [
        short_vectors(lattices.get(n, 3).generator, 6.0).square().sum(1).sort().values for n in ("an_dual", "dn_dual")
    ]
    torch.testing.assert_close(*norms)


def test_e6_dual_is_the_dual_of_e6(short_vectors):
    """E6: equal remainders instead of remainders of sum 0 (the dual code); the same trellis class makes it."""
    equal = np.array([[1, 0, -1, 0, 0, 0], [0, 0, 1, 0, -1, 0]])
    checks = np.vstack([eisenstein_parities(3), equal])
    e6 = CongruenceLattice("e6", checks, [2] * 3 + [3] * 2, aspect=[1.0, math.sqrt(3)] * 3)
    assert len(short_vectors(e6.generator, 2 * 3 ** (-1 / 6) * (1 + 1e-9))) - 1 == 72
    dual = torch.linalg.inv(e6.generator).T
    found, expected = (
        short_vectors(basis, 3.0).square().sum(1).sort().values for basis in (lattices.get("e6_dual").generator, dual)
    )
    torch.testing.assert_close(found, expected)


def test_k12_by_its_definition(generator):
    """Points are six Eisenstein integers, equal modulo sqrt(-3), with sum 0 modulo 3, and all of those are points."""
    k12 = lattices.get("k12")
    theta = complex(0, math.sqrt(3))

    def divides(divisor, x):
        """Whether x / divisor is an Eisenstein integer (a + b sqrt(-3)) / 2."""
        quotient = x / divisor
        a, b = 2 * quotient.real, 2 * quotient.imag / math.sqrt(3)
        whole = ((a - a.round()).abs() < 1e-6) & ((b - b.round()).abs() < 1e-6)
        return whole & ((a.round() - b.round()) % 2 == 0)

    k = torch.randint(-3, 4, (20_000, 12), generator=generator)
    k[::2] = k[::2] @ torch.from_numpy(k12.trellis.basis())
    # Points with one pair of coordinates moved: near misses.
    k[::4, :2] += torch.randint(-1, 2, (5_000, 2), generator=generator)
    x = torch.complex(k[:, ::2].double(), k[:, 1::2].double() * math.sqrt(3)) / 2
    equal = torch.stack([divides(theta, x[:, i] - x[:, 0]) for i in range(6)]).all(0)
    member = divides(1, x).all(1) & equal & divides(3, x.sum(1))
    assert bool(member.any()) and not bool(member.all())
    assert torch.equal(k12.trellis.contains(k), member)


@pytest.mark.parametrize("name", ["e7", "e7_dual"])
def test_trellis_and_cosets_are_the_same_set(name, generator):
    """E7 and E7* are searched by codewords; their priors walk the trellis."""
    lattice = lattices.get(name)
    patterns = torch.tensor(list(itertools.product((0, 1), repeat=7)))
    words = patterns[lattice.trellis.contains(patterns)]
    assert len(words) == {"e7": 8, "e7_dual": 16}[name]
    x = 3 * torch.randn(2000, 7, generator=generator, dtype=torch.float64)
    on_trellis = lattice.nearest_on_trellis(x)
    torch.testing.assert_close(squared_distance(x, lattice.quantize(x)), squared_distance(x, on_trellis))
