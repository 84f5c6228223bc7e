"""Laws of trellises: the sets of paths they stand for, and their recursions in three semirings."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from ltc import lattices
from ltc.lattices import Trellis
from ltc.lattices.codes import codewords, golay, reed_muller
from ltc.lattices.path_sum import log_path_sum


def log_sum(t):
    return t.logsumexp(-1)


# docs/ideas/trellis.md: the largest number of states, and all edges where the table has them.
SIZES = {
    ("z", 3): (1, None),
    ("a2", 2): (2, None),
    ("dn", 8): (2, None),
    ("dn_dual", 5): (2, None),
    ("e8", 8): (4, 56),
    ("bw16", 16): (32, 680),
    ("leech", 24): (2048, 28_624),
}


@pytest.mark.parametrize(("name", "dim"), SIZES)
def test_size(name, dim):
    trellis = lattices.get(name, dim).trellis
    states, edges = SIZES[name, dim]
    assert trellis.dim == dim and max(trellis.state_counts) == states
    assert trellis.edge_count == sum(len(s) for s in trellis.sections)
    assert edges is None or trellis.edge_count == edges


def test_one_point_per_unit_volume(trellis_lattice):
    """The volume per point, in the lattice's own steps, is 1."""
    volume = trellis_lattice.trellis.volume() * float(trellis_lattice.steps.prod())
    assert volume == pytest.approx(1, rel=1e-12)


def test_basis(trellis_lattice):
    """The rows are points, and no point is missing: the volumes agree. The form is upper triangular."""
    basis = trellis_lattice.trellis.basis()
    assert basis.dtype == np.int64 and np.array_equal(basis, np.triu(basis))
    assert float(np.prod(np.diagonal(basis).astype(float))) == pytest.approx(trellis_lattice.trellis.volume(), rel=1e-9)
    assert bool(trellis_lattice.trellis.contains(torch.from_numpy(basis)).all())
    above, diagonal = np.abs(np.triu(basis, 1)), np.diagonal(basis)
    assert (2 * above <= diagonal).all()  # reduced: entries above a pivot are at most half of it


def test_the_generator_is_the_basis_in_steps(trellis_lattice):
    z = trellis_lattice.generator / trellis_lattice.steps @ np.linalg.inv(trellis_lattice.trellis.basis())
    torch.testing.assert_close(z, z.round(), rtol=0, atol=1e-9)
    assert float(torch.linalg.det(z).abs()) == pytest.approx(1)


# Membership by the definitions, independent of trellises and generators.
GOLAY = {tuple(w) for w in codewords(golay()).tolist()}
RM14 = {tuple(w) for w in codewords(reed_muller(1, 4)).tolist()}


def in_leech(k):
    m = k[0] % 2
    if any((x - m) % 2 for x in k):
        return False
    return tuple((x - m) // 2 % 2 for x in k) in GOLAY and (sum(k) - 4 * m) % 8 == 0


DEFINITIONS = {
    ("z", 3): lambda k: True,
    ("a2", 2): lambda k: (k[0] - k[1]) % 2 == 0,
    ("dn", 5): lambda k: sum(k) % 2 == 0,
    ("dn_dual", 4): lambda k: len({x % 2 for x in k}) == 1,
    ("e8", 8): lambda k: len({x % 2 for x in k}) == 1 and sum(k) % 4 == 0,
    ("bw16", 16): lambda k: tuple(x % 2 for x in k) in RM14 and sum(k) % 4 == 0,
    ("leech", 24): in_leech,
}


@pytest.mark.parametrize(("name", "dim"), DEFINITIONS)
@given(data=st.data())
def test_contains_is_the_definition_and_the_generators_span(name, dim, data):
    """For points, and for points changed a little: `contains`, integer coordinates, and the textbook agree."""
    lattice = lattices.get(name, dim)
    basis = lattice.trellis.basis()
    z = data.draw(st.lists(st.integers(-4, 4), min_size=dim, max_size=dim))
    k = np.array(z) @ basis
    for place, change in data.draw(st.dictionaries(st.integers(0, dim - 1), st.integers(-4, 4), max_size=3)).items():
        k[place] += change
    coordinates = torch.from_numpy(k).double() * lattice.steps @ torch.linalg.inv(lattice.generator)
    spanned = bool((coordinates - coordinates.round()).abs().max() < 1e-6)
    assert bool(lattice.trellis.contains(torch.from_numpy(k))) == spanned == DEFINITIONS[name, dim](k.tolist())


def test_definitions_admit_points_and_no_others(rng):
    """The test above meets both answers."""
    for (name, dim), member in DEFINITIONS.items():
        basis = lattices.get(name, dim).trellis.basis()
        points = rng.integers(-3, 4, size=(50, dim)) @ basis
        assert all(member(k) for k in points.tolist())
        if name != "z":
            points[:, -1] += 1
            assert not any(member(k) for k in points.tolist())


def theta_series(trellis, weights, bound):
    """The number of points with sum_i weights[i] k_i^2 = N, for N = 0 .. bound: a third semiring, polynomials."""
    q = trellis.modulus
    table = np.zeros((1, bound + 1), dtype=np.int64)
    table[0, 0] = 1
    for section, count, weight in zip(trellis.sections, trellis.state_counts[1:], weights, strict=True):
        grown = np.zeros((count, bound + 1), dtype=np.int64)
        largest = math.isqrt(bound // weight)
        for k in range(-largest, largest + 1):
            edges = section.residue == k % q
            shift = weight * k * k
            np.add.at(grown[:, shift:], section.target[edges], table[section.source[edges], : bound + 1 - shift])
        table = grown
    assert len(table) == 1
    return {norm: int(count) for norm, count in enumerate(table[0]) if count}


# Conway & Sloane, SPLAG, chapter 4. In units of k: for E8 |k|^2 is four times the usual norm, for Leech eight times.
THETA = {
    ("z", 3): ([1, 1, 1], {0: 1, 1: 6, 2: 12, 3: 8, 4: 6, 5: 24, 6: 24}),
    ("a2", 2): ([1, 3], {0: 1, 4: 6, 12: 6, 16: 6, 28: 12, 36: 6}),
    ("dn", 4): ([1] * 4, {0: 1, 2: 24, 4: 24, 6: 96, 8: 24, 10: 144}),
    ("dn_dual", 4): ([1] * 4, {0: 1, 4: 24, 8: 24, 12: 96, 16: 24, 20: 144}),
    ("e8", 8): ([1] * 8, {0: 1, 8: 240, 16: 2160, 24: 6720, 32: 17_520}),
    ("bw16", 16): ([1] * 16, {0: 1, 8: 4320, 12: 61_440, 16: 522_720}),
    ("leech", 24): ([1] * 24, {0: 1, 32: 196_560, 48: 16_773_120, 64: 398_034_000}),
}


@pytest.mark.parametrize(("name", "dim"), THETA)
def test_theta_series(name, dim):
    """How many points there are at each distance: it tells these lattices from any mistake in their checks."""
    weights, expected = THETA[name, dim]
    assert theta_series(lattices.get(name, dim).trellis, weights, max(expected)) == expected


def quantization_costs(lattice, x):
    """The least squared error of each coordinate for each residue, and the integer that has it: [batch, n, q]."""
    q = lattice.trellis.modulus
    residues = torch.arange(q)
    y = (x / lattice.steps)[..., None]
    k = residues + q * torch.round((y - residues) / q)
    return ((y - k) * lattice.steps[:, None]).square(), k


def test_the_cheapest_path_is_the_nearest_point(trellis_lattice, generator):
    count = 20 if trellis_lattice.dim == 24 else 500
    x = 3 * torch.randn(count, trellis_lattice.dim, generator=generator, dtype=torch.float64)
    costs, integers = quantization_costs(trellis_lattice, x)
    path = trellis_lattice.trellis.viterbi(costs)
    assert path.dtype == torch.int64 and bool(trellis_lattice.trellis.contains(path).all())
    points = integers.gather(-1, path[..., None])[..., 0] * trellis_lattice.steps
    expected = (x - trellis_lattice.quantize(x)).square().sum(-1)
    torch.testing.assert_close((x - points).square().sum(-1), expected, rtol=1e-9, atol=1e-9)
    # And the least cost by the recursion is the cost of that path.
    least = trellis_lattice.trellis.forward(costs, lambda t: t.amin(-1), worst=torch.inf)[-1].amin(-1)
    torch.testing.assert_close(least, expected, rtol=1e-9, atol=1e-9)


def test_batches_of_any_shape(get_lattice, generator):
    trellis = get_lattice("dn4").trellis
    costs = torch.rand(2, 3, 4, trellis.modulus, generator=generator)
    path = trellis.viterbi(costs)
    assert path.shape == (2, 3, 4)
    assert torch.equal(path.reshape(6, 4), trellis.viterbi(costs.reshape(6, 4, -1)))
    assert trellis.viterbi(costs[:0]).shape == (0, 3, 4)
    assert trellis.forward(costs, log_sum, -torch.inf)[-1].shape == (2, 3, 1)


@st.composite
def congruences(draw):
    """Checks [c, n] and moduli of a small trellis."""
    n = draw(st.integers(1, 5))
    moduli = draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
    assume(math.lcm(*moduli) ** n <= 1024)
    rows = [draw(st.lists(st.integers(-4, 4), min_size=n, max_size=n)) for _ in moduli]
    return np.array(rows), moduli


def solutions(checks, moduli):
    """All vectors of residues mod q that pass, one by one: [paths, n]."""
    q, n = math.lcm(*moduli), checks.shape[1]
    everything = np.array(list(itertools.product(range(q), repeat=n)))
    return everything[((everything @ checks.T) % np.array(moduli) == 0).all(1)]


@given(congruences())
def test_paths_are_the_solutions(problem):
    checks, moduli = problem
    trellis = Trellis.from_checks(checks, moduli)
    found, q = solutions(checks, moduli), math.lcm(*moduli)
    assert trellis.modulus == q and trellis.state_counts[0] == trellis.state_counts[-1] == 1
    everything = np.array(list(itertools.product(range(q), repeat=checks.shape[1])))
    inside = everything[trellis.contains(torch.from_numpy(everything)).numpy()]
    assert np.array_equal(inside, found)
    assert trellis.volume() == pytest.approx(q ** checks.shape[1] / len(found))


@given(congruences())
def test_the_trellis_is_minimal(problem):
    """After i coordinates there are as many states as beginnings that differ in how they can go on."""
    checks, moduli = problem
    trellis = Trellis.from_checks(checks, moduli)
    found = [tuple(k) for k in solutions(checks, moduli).tolist()]
    for i, states in enumerate(trellis.state_counts):
        futures = {}
        for k in found:
            futures.setdefault(k[:i], set()).add(k[i:])
        assert states == len({frozenset(f) for f in futures.values()})


@given(congruences(), st.integers(0, 2**32 - 1))
def test_forward_and_backward_sums_are_sums_over_all_paths(problem, number):
    checks, moduli = problem
    trellis = Trellis.from_checks(checks, moduli)
    paths, n = torch.from_numpy(solutions(checks, moduli)), trellis.dim
    values = 5 * torch.randn(3, n, trellis.modulus, generator=torch.Generator().manual_seed(number)).double()
    weight = values[:, torch.arange(n), paths].sum(-1)  # [3, paths]
    alphas = trellis.forward(values, log_sum, -torch.inf)
    betas = trellis.backward(values, log_sum, -torch.inf)
    assert [a.shape[-1] for a in alphas] == [b.shape[-1] for b in betas] == trellis.state_counts
    for i in range(n + 1):  # the two meet at any coordinate
        torch.testing.assert_close((alphas[i] + betas[i]).logsumexp(-1), weight.logsumexp(-1))
    torch.testing.assert_close(alphas[-1][:, 0], weight.logsumexp(-1))
    best = trellis.forward(values, lambda t: t.amin(-1), torch.inf)[-1][:, 0]
    torch.testing.assert_close(best, weight.amin(-1))
    chosen = trellis.viterbi(values)
    torch.testing.assert_close(values.gather(-1, chosen[..., None]).sum((-1, -2)), weight.amin(-1))


@given(congruences(), st.integers(0, 2**32 - 1))
def test_log_path_sum_and_its_gradient(problem, number):
    """Against enumeration: the derivative by a residue's value is the probability of that residue."""
    checks, moduli = problem
    trellis = Trellis.from_checks(checks, moduli)
    paths, n = torch.from_numpy(solutions(checks, moduli)), trellis.dim
    values = 3 * torch.randn(2, n, trellis.modulus, generator=torch.Generator().manual_seed(number)).double()
    one, other = values.clone().requires_grad_(), values.clone().requires_grad_()
    expected = other[:, torch.arange(n), paths].sum(-1).logsumexp(-1)
    found = log_path_sum(trellis, one)
    torch.testing.assert_close(found, expected)
    price = torch.tensor([1.0, -2.0]).double()
    (found * price).sum().backward()
    (expected * price).sum().backward()
    torch.testing.assert_close(one.grad, other.grad)


def test_the_sums_of_every_lattice(trellis_lattice, generator):
    """Forward, backward and the compiled sum agree on large trellises too, and with values far apart."""
    trellis = trellis_lattice.trellis
    for scale in (1.0, 300.0):
        values = scale * torch.randn(2, trellis.dim, trellis.modulus, generator=generator, dtype=torch.float64)
        forward = trellis.forward(values, log_sum, -torch.inf)[-1][:, 0]
        backward = trellis.backward(values, log_sum, -torch.inf)[0][:, 0]
        torch.testing.assert_close(forward, backward, rtol=1e-10, atol=1e-10)
        torch.testing.assert_close(log_path_sum(trellis, values), forward, rtol=1e-10, atol=1e-10)
        shifted = trellis.forward(values + 1.5, log_sum, -torch.inf)[-1][:, 0]
        torch.testing.assert_close(shifted, forward + 1.5 * trellis.dim, rtol=1e-10, atol=1e-10)


def test_a_product_of_trellises_is_the_product_of_their_sets(get_lattice, generator):
    """Also where the moduli differ: e8 has 4, dn 2, z 1, leech 8 and a2 2."""
    for keys in (["e8", "dn4"], ["z1", "a2", "e8"], ["dn3", "dn3"], ["dn_dual3", "z3"]):
        parts = [get_lattice(key).trellis for key in keys]
        product = Trellis.concatenate(parts)
        assert product.dim == sum(t.dim for t in parts) and product.modulus == math.lcm(*(t.modulus for t in parts))
        assert product.volume() == pytest.approx(math.prod(t.volume() for t in parts))
        k = torch.randint(-5, 6, (2000, product.dim), generator=generator)
        # Half of them are points of the product; of the rest some are points of a factor.
        basis = torch.block_diag(*(torch.from_numpy(t.basis()) for t in parts)).long()
        k[::2] = k[::2] @ basis
        pieces = k.split([t.dim for t in parts], dim=1)
        expected = torch.stack([t.contains(piece) for t, piece in zip(parts, pieces, strict=True)]).all(0)
        assert torch.equal(product.contains(k), expected)
        assert bool(expected[::2].all())
        assert product.modulus == 1 or not bool(expected.all())


def test_a_pickled_trellis_works(get_lattice):
    """DDP and DataLoader workers send lattices to other processes."""
    import pickle

    e8 = get_lattice("e8")
    e8.trellis.viterbi(torch.zeros(1, 8, 4))
    again = pickle.loads(pickle.dumps(e8))
    x = torch.randn(5, 8)
    assert torch.equal(again.quantize(x), e8.quantize(x)) and again.trellis.state_counts == e8.trellis.state_counts
