"""The compiled kernels find what the torch references find, for every lattice that has one, and for trellis codes."""

import concurrent.futures
import itertools
import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from ltc import lattices
from ltc.lattices.kernels import parallel
from ltc.lattices.kernels.viterbi import ViterbiSearch

WITH_KERNEL = [("a2", 2), ("dn", 2), ("dn", 4), ("dn", 5), ("dn_dual", 2), ("dn_dual", 4), ("e8", 8), ("bw16", 16)]
WITH_KERNEL += [("leech", 24)]
DTYPES = [torch.float32, torch.float64]


@pytest.fixture(params=WITH_KERNEL, ids=lambda p: f"{p[0]}{p[1]}")
def kernel_lattice(request):
    return lattices.get(*request.param)


@pytest.fixture
def two_threads():
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(threads)


def squared_distances(x, points):
    return (x.double() - points.double()).square().sum(-1)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("scale", [0.3, 3.0, 1e4])
def test_kernel_is_as_near_as_the_reference(kernel_lattice, dtype, scale, generator):
    assert kernel_lattice._kernel is not None
    for count in (0, 1, 15, 16, 17, 1000):
        x = torch.randn(count, kernel_lattice.dim, generator=generator, dtype=dtype) * scale
        before = x.clone()
        found, reference = kernel_lattice.quantize(x), kernel_lattice.nearest(x)
        assert found.dtype == dtype and found.shape == x.shape
        assert torch.equal(x, before)
        # A tie within rounding may be broken either way.
        rounding = 1e-6 + 100 * torch.finfo(dtype).eps * scale * (1 + scale / 1e3)
        same = (found - reference).abs().amax(-1) < 1e-3 if count else torch.ones(0, dtype=torch.bool)
        # Half a percent of the vectors at scale 1e4 in float32, where a coordinate is 0.01 steps apart from the next.
        assert same.double().mean() > 0.97 or count < 1000
        apart = (squared_distances(x, found) - squared_distances(x, reference))[~same].abs()
        assert (apart < rounding).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["leech", "tcq8"])
def test_cheapest_residues_are_those_of_the_reference(name, dtype, generator):
    """For any costs, not only distances; ties have probability zero."""
    lattice = lattices.get(name)
    for count in (0, 1, 17, 500):
        costs = torch.rand(count, lattice.dim, lattice.trellis.modulus, generator=generator, dtype=dtype)
        found, reference = lattice.cheapest(costs), lattice.cheapest_in_torch(costs)
        total, least = (costs.double().gather(2, k[..., None]).sum((1, 2)) for k in (found, reference))
        assert bool(lattice.trellis.contains(found).all())
        assert torch.allclose(total, least, rtol=20 * torch.finfo(dtype).eps)
        assert count < 500 or bool((found == reference).double().mean() > 0.99)


@pytest.mark.parametrize("dtype", DTYPES)
def test_kernel_output_belongs_to_the_lattice(kernel_lattice, dtype, generator):
    x = torch.randn(300, kernel_lattice.dim, generator=generator, dtype=dtype) * 5
    k = kernel_lattice.to_integers(kernel_lattice.quantize(x))
    assert kernel_lattice.trellis.contains(k).all()


def test_exact_ties_give_an_equally_near_point(kernel_lattice, random_points):
    # Midpoints of pairs of lattice points are ties more often than not.
    x = random_points(kernel_lattice, 300) / 2
    found, reference = kernel_lattice.quantize(x), kernel_lattice.nearest(x)
    torch.testing.assert_close(squared_distances(x, found), squared_distances(x, reference))


def test_layout_and_shape_of_the_input(kernel_lattice, generator):
    n = kernel_lattice.dim
    x = torch.randn(2 * n, 34, generator=generator).T
    assert not x.is_contiguous()
    torch.testing.assert_close(kernel_lattice.quantize(x), kernel_lattice.quantize(x.contiguous()), rtol=0, atol=0)
    padded = torch.randn(40, n + 3, generator=generator)
    view = padded[5:, 1 : n + 1]
    expected = kernel_lattice.nearest(view)
    torch.testing.assert_close(kernel_lattice.quantize(view), expected, rtol=0, atol=1e-5)
    assert kernel_lattice.quantize(torch.zeros(2, 3, 2 * n)).shape == (2, 3, 2 * n)


def test_numbers_that_are_none_do_no_harm(kernel_lattice):
    x = torch.zeros(40, kernel_lattice.dim)
    x[3], x[7, 0], x[11, -1] = torch.nan, torch.inf, -torch.inf
    found = kernel_lattice.quantize(x)
    others = torch.ones(40, dtype=torch.bool)
    others[[3, 7, 11]] = False
    torch.testing.assert_close(squared_distances(x, found)[others], torch.zeros(37, dtype=torch.float64))


def test_thread_count_does_not_matter(kernel_lattice, generator, two_threads):
    x = torch.randn((1 << 19) // kernel_lattice.dim + 5, kernel_lattice.dim, generator=generator) * 2
    several = kernel_lattice.quantize(x)
    torch.set_num_threads(1)
    assert torch.equal(several, kernel_lattice.quantize(x))


def test_callers_in_several_threads(generator, two_threads):
    leech = lattices.get("leech")
    inputs = [torch.randn(3000, 24, generator=generator) * 2 for _ in range(6)]
    alone = [leech.quantize(x) for x in inputs]
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        together = list(pool.map(leech.quantize, inputs))
    assert all(torch.equal(a, b) for a, b in zip(alone, together, strict=True))


def test_a_failing_piece_is_reported(two_threads):
    def kernel(start, stop):
        raise RuntimeError(f"piece {start}")

    with pytest.raises(RuntimeError, match="piece"):
        parallel.run_pieces(kernel, 64, 16)


# In a process of its own: torch's OpenMP threads, once started, would hang in a forked child (ours do not).
FORKING = """
import os, sys, torch
from ltc import lattices
torch.set_num_threads(2)
x = torch.randn(40_000, 8)
expected = lattices.get("e8").quantize(x)
child = os.fork()
if child == 0:
    os._exit(0 if (lattices.get("e8").quantize(x).numpy() == expected.numpy()).all() else 1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_child_has_threads_of_its_own():
    subprocess.run([sys.executable, "-c", FORKING], check=True, timeout=120)


def test_import_compiles_nothing():
    program = (
        "import ltc.lattices as l; l.names(); [l.get(n) for n in ('leech', 'bw16', 'e8')];"
        "from ltc.lattices.kernels import barnes_wall, cosets, leech, viterbi;"
        "modules = (barnes_wall, cosets, leech, viterbi);"
        "found = [f for m in modules for f in vars(m).values() if hasattr(f, 'signatures')];"
        "assert len(found) > 4 and not any(f.signatures for f in found)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)


# Trellis codes: Ungerboeck's, as canonical systematic feedback encoders (parity polynomials in octal).


def trellis_code(h0, h1):
    """next_state and residue [S, 2] of the encoder with z0 the state's low bit and residue 2 z1 + z0."""
    bits = h0.bit_length() - 1
    states, z1 = np.arange(2**bits)[:, None], np.arange(2)[None, :]
    z0 = states & 1
    following = (states >> 1) ^ (z0 * (h0 >> 1)) ^ (z1 * (h1 >> 1))
    return following, 2 * z1 + z0


CODES = {4: (0o5, 0o2), 8: (0o13, 0o4), 64: (0o103, 0o24), 256: (0o515, 0o362)}


def residue_costs(y):
    """Squared errors of the nearest integers in the four residue classes: [..., 4]."""
    shifted = y[..., None] - torch.arange(4).to(y)
    return (shifted - 4 * torch.round(shifted / 4)).square()


def plain_viterbi(following, residue, costs):
    """The residues of the cheapest path from state 0, one sequence at a time, in float64."""
    states = len(following)
    paths = np.empty(costs.shape[:2], np.int64)
    for b, sequence in enumerate(costs):
        total = np.full(states, np.inf)
        total[0] = 0
        history = []
        for cost in sequence:
            new, choice = np.full(states, np.inf), np.zeros((states, 2), np.int64)
            for s, z in itertools.product(range(states), range(2)):
                reached = total[s] + cost[residue[s, z]]
                if reached < new[following[s, z]]:
                    new[following[s, z]], choice[following[s, z]] = reached, (s, residue[s, z])
            total = new
            history.append(choice)
        at = total.argmin()
        for t in reversed(range(len(sequence))):
            at, paths[b, t] = history[t][at]
    return paths


@pytest.mark.parametrize("n", [1, 2, 7])
def test_viterbi_against_all_paths(n, generator):
    following, residue = trellis_code(*CODES[4])
    y = torch.randn(21, n, generator=generator, dtype=torch.float64) * 3
    costs = residue_costs(y).numpy()
    walks = np.array(list(itertools.product((0, 1), repeat=n)))
    totals, labels = np.zeros((len(y), len(walks))), np.zeros_like(walks)
    at = np.zeros(len(walks), np.int64)
    for t in range(n):
        labels[:, t] = residue[at, walks[:, t]]
        totals += costs[:, t, labels[:, t]]
        at = following[at, walks[:, t]]
    k = ViterbiSearch(following, residue).integers(y)
    np.testing.assert_array_equal(k.numpy() % 4, labels[totals.argmin(1)])
    np.testing.assert_allclose((k - y).square().sum(1), totals.min(1))


@pytest.mark.parametrize(("states", "n"), [(8, 100), (64, 37)])
def test_viterbi_against_plain_numpy(states, n, generator):
    following, residue = trellis_code(*CODES[states])
    search = ViterbiSearch(following, residue)
    y = torch.randn(19, n, generator=generator, dtype=torch.float64) * 4
    expected = plain_viterbi(following, residue, residue_costs(y).numpy())
    k = search.integers(y)
    np.testing.assert_array_equal(k.numpy() % 4, expected)
    torch.testing.assert_close((k - y).square(), residue_costs(y).gather(2, k[..., None] % 4)[..., 0])
    # Any additive costs, and some residues not allowed at all.
    costs = torch.rand(18, n, 4, generator=generator, dtype=torch.float64) * 10
    costs[:, n // 2, 1:3] = torch.inf
    np.testing.assert_array_equal(search.residues(costs), plain_viterbi(following, residue, costs.numpy()))


@pytest.mark.parametrize("states", list(CODES))
@pytest.mark.parametrize("n", [1, 31, 32, 33, 1100])
def test_viterbi_in_float32(states, n, generator):
    search = ViterbiSearch(*trellis_code(*CODES[states]))
    y = torch.randn(17, n, generator=generator) * 50
    k, precise = search.integers(y), search.integers(y.double())
    error, least = ((k.double() - y).square().mean(1), (precise.double() - y).square().mean(1))
    torch.testing.assert_close(error, least, rtol=0, atol=1e-5)
    torch.testing.assert_close(search(y), k.float(), rtol=0, atol=0)
    torch.testing.assert_close(search.residues(residue_costs(y)), k % 4)


def test_viterbi_with_a_step(generator):
    following, residue = trellis_code(*CODES[8])
    y = torch.randn(5, 64, generator=generator, dtype=torch.float64) * 4
    unit, half = ViterbiSearch(following, residue), ViterbiSearch(following, residue, step=0.5)
    torch.testing.assert_close(half(y / 2), unit(y) / 2)
    assert torch.equal(half.integers(y / 2), unit.integers(y))


def test_viterbi_thread_count_does_not_matter(generator, two_threads):
    search = ViterbiSearch(*trellis_code(*CODES[64]))
    y = torch.randn(300, 500, generator=generator) * 4
    costs = residue_costs(y)
    several = torch.stack([search(y), search.integers(y), search.residues(costs)])
    torch.set_num_threads(1)
    assert torch.equal(several, torch.stack([search(y), search.integers(y), search.residues(costs)]))


def test_viterbi_of_nothing():
    search = ViterbiSearch(*trellis_code(*CODES[8]))
    assert search(torch.zeros(0, 5)).shape == (0, 5)
    assert search.integers(torch.zeros(3, 0)).shape == (3, 0)
    assert search.residues(torch.zeros(0, 5, 4)).shape == (0, 5)


def test_viterbi_refuses_a_state_without_two_predecessors():
    with pytest.raises(ValueError, match="two predecessors"):
        ViterbiSearch([[0, 1], [0, 0]], [[0, 2], [1, 3]])
