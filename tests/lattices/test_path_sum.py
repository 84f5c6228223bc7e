"""Sums over all paths: the compiled sweeps are the recursion of the semiring, and their gradient its marginals."""

import math

import pytest
import torch

from ltc import lattices
from ltc.lattices import Trellis
from ltc.lattices.path_sum import _batched, _flat_edges, _log_sweep, _scaled_sweep, log_path_sum


@pytest.mark.parametrize("name", ["z", "a2", "dn", "e8", "k12", "bw16", "leech"])
@pytest.mark.parametrize("spread", [1.0, 30.0, 300.0, 3000.0])
def test_it_is_the_recursion_of_the_semiring(name, spread, generator):
    """At spreads where paths underflow, too: these go through the log domain."""
    trellis = lattices.get(name).trellis
    values = spread * torch.randn(4, trellis.dim, trellis.modulus, generator=generator, dtype=torch.float64)
    values.requires_grad_()
    sums = log_path_sum(trellis, values)
    sums.sum().backward()
    expected, marginals = _batched(trellis, values.detach())
    torch.testing.assert_close(sums, expected, rtol=1e-12, atol=1e-10)
    torch.testing.assert_close(values.grad, marginals, rtol=1e-7, atol=1e-10)
    # The marginals of a coordinate are probabilities.
    torch.testing.assert_close(values.grad.sum(-1), torch.ones(4, trellis.dim, dtype=torch.float64))


@pytest.mark.parametrize("name", ["a2", "e8", "leech"])
def test_the_fast_sweep_knows_when_it_is_exact(name, generator):
    """Whatever it calls safe agrees with the log domain; ordinary values are safe, and wild ones are not."""
    trellis = lattices.get(name).trellis
    for spread, all_safe in ((10.0, True), (200.0, None), (1e4, False)):
        values = spread * torch.randn(20, trellis.dim, trellis.modulus, generator=generator, dtype=torch.float64)
        sums, marginals, safe = _scaled_sweep(values.numpy(), *_flat_edges(trellis))
        expected, expected_marginals = _log_sweep(values.numpy(), *_flat_edges(trellis))
        assert sums[safe] == pytest.approx(expected[safe], rel=1e-12, abs=1e-10)
        assert marginals[safe] == pytest.approx(expected_marginals[safe], abs=1e-10)
        assert all_safe is None or bool(safe.all()) == all_safe


def test_excluded_residues_and_nan():
    trellis = lattices.get("dn", 4).trellis
    values = torch.zeros(4, 2, dtype=torch.float64)
    values[0, 1] = -torch.inf  # the first coordinate is even: four of the eight even-weight words are left
    assert float(log_path_sum(trellis, values).exp()) == pytest.approx(4.0)
    values[1] = -torch.inf
    assert float(log_path_sum(trellis, values)) == -torch.inf
    values[2, 0] = torch.nan
    assert bool(log_path_sum(trellis, values).isnan())


def test_log_path_sum_with_residues_excluded():
    """-inf excludes a residue; with no path left the sum is zero."""
    even = Trellis.from_checks([[1, 1, 1]], [2])
    values = torch.zeros(2, 3, 2, dtype=torch.float64)
    values[0, :, 1] = -torch.inf  # all even: one path
    values[1, :, 0] = -torch.inf  # all odd: none
    assert log_path_sum(even, values).tolist() == [0.0, -math.inf]


def test_e8_in_closed_form(generator):
    """Z = (A + B) / 2 over the even coset and the same over the odd one (docs/ideas/exact_prior.md).

    With S(r) the sum over k = r mod 4: the even coset has e = S(0), o = S(2) and gives [(e+o)^8 + (e-o)^8] / 2; of the
    odd coset those with sum = 0 mod 4 remain: eight ones make 0 mod 4, so an even number of threes.
    """
    trellis = lattices.get("e8").trellis
    s = torch.rand(100, 4, generator=generator, dtype=torch.float64) + 0.01
    total = log_path_sum(trellis, s.log()[:, None, :].expand(-1, 8, -1).contiguous())
    even = ((s[:, 0] + s[:, 2]) ** 8 + (s[:, 0] - s[:, 2]) ** 8) / 2
    odd = ((s[:, 1] + s[:, 3]) ** 8 + (s[:, 1] - s[:, 3]) ** 8) / 2
    torch.testing.assert_close(total.exp(), even + odd)


def test_a_product_with_one_factor_more_multiplies_the_sum(get_lattice, generator):
    e8, d4 = get_lattice("e8").trellis, get_lattice("dn4").trellis
    product = Trellis.concatenate([e8, d4])
    values = torch.randn(5, 12, 4, generator=generator, dtype=torch.float64)
    # A residue mod 2 is two residues mod 4.
    by_two = torch.stack([values[:, 8:, [0, 2]].logsumexp(-1), values[:, 8:, [1, 3]].logsumexp(-1)], -1)
    expected = log_path_sum(e8, values[:, :8].contiguous()) + log_path_sum(d4, by_two)
    torch.testing.assert_close(log_path_sum(product, values), expected)
