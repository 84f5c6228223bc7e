"""Laws of the search with a window: with all decisions kept it is the full search; with few, its path is one still."""

import itertools
import subprocess
import sys

import numpy as np
import pytest
import torch

from ltc.lattices.kernels.phases import phases_of
from ltc.lattices.kernels.viterbi import ViterbiSearch
from ltc.lattices.kernels.windowed_viterbi import WindowedViterbiSearch
from ltc.lattices.trellis_codes import CODES, encoder_tables

STATES = [32, 64, 512]


def code_of(states):
    return CODES[states][:2]


def costs_of(y):
    """Squared errors of the nearest integers in the four residue classes: [..., 4]."""
    shifted = y[..., None] - torch.arange(4).to(y)
    return (shifted - 4 * torch.round(shifted / 4)).square()


def is_path(states, residues):
    """Whether each row of residues [batch, n] is a path from state 0."""
    after, residue = encoder_tables(states, *code_of(states))
    for row in np.asarray(residues):
        state = 0
        for r in row:
            if (residue[state] == r).sum() != 1:
                return False
            state = after[state, r >> 1]
    return True


@pytest.mark.parametrize("states", STATES)
@pytest.mark.parametrize("n", [1, 2, 9, 33, 700])
def test_with_all_decisions_kept_it_finds_what_the_full_search_finds(states, n, generator):
    """But for costs rounded to a thousandth of a squared step."""
    y = 20 * torch.randn(3, n, generator=generator, dtype=torch.float64)
    full, windowed = ViterbiSearch(*encoder_tables(states, *code_of(states))), WindowedViterbiSearch(*code_of(states))
    k, best = windowed.integers(y), full.integers(y)
    assert is_path(states, k % 4)
    more = (k - y).square().sum(1) - (best - y).square().sum(1)
    assert bool((more > -1e-9).all()) and bool((more < 1e-4 * n + 1e-3).all())
    # Nothing is nearer with the same residues.
    assert bool(((k - y).abs() <= 2).all())


@pytest.mark.parametrize("states", STATES)
def test_any_costs(states, generator):
    costs = 7 * torch.rand(4, 300, 4, generator=generator, dtype=torch.float64)
    # A residue that is not allowed, of each parity.
    costs[1, ::3, 1] = torch.inf
    costs[2, ::5, 0] = torch.inf
    full, windowed = ViterbiSearch(*encoder_tables(states, *code_of(states))), WindowedViterbiSearch(*code_of(states))
    found, best = windowed.residues(costs), full.residues(costs)
    assert is_path(states, found)
    total, least = (costs.gather(2, k[..., None]).sum((1, 2)) for k in (found, best))
    assert bool(torch.isfinite(total).all())
    assert bool((total >= least - 1e-9).all()) and bool((total < least * 1.001).all())
    # In another unit the path is the same.
    assert torch.equal(windowed.residues(1e6 * costs), found)
    # One cost as large as that changes nothing elsewhere.
    costs[0, 150] += 1e9
    assert torch.equal(windowed.residues(costs)[0], found[0])


@pytest.mark.parametrize("rows", [4, 16, 64, 256])
@pytest.mark.parametrize("states", STATES)
def test_whatever_the_window_it_is_a_path(states, rows, generator):
    """Short windows decide too early, and then their search begins again from where it is."""
    y = 5 * torch.randn(2, 900, generator=generator)
    k = WindowedViterbiSearch(*code_of(states), rows=rows).integers(y)
    assert is_path(states, k % 4)


def test_a_longer_window_loses_less(generator):
    y = 4 * torch.rand(4, 8000, generator=generator)
    error = {}
    for rows in (32, 128, 512, 8000):
        k = WindowedViterbiSearch(*code_of(64), rows=rows).integers(y)
        error[rows] = float((k - y).square().mean())
    assert error[32] > error[128] > error[512] - 1e-6
    # In bits per sample, half a squared error's logarithm: what a page may lose to the window.
    assert 0.5 * np.log2(error[512] / error[8000]) < 2e-4


def test_numbers_that_are_none_harm_their_sequence_alone(generator):
    search = WindowedViterbiSearch(*code_of(64), rows=64)
    y = 5 * torch.randn(4, 500, generator=generator)
    k = search.integers(y)
    y[1, 7], y[1, 300], y[3, 100] = torch.nan, torch.inf, -torch.inf
    spoiled = search.integers(y)
    assert torch.equal(spoiled[[0, 2]], k[[0, 2]])
    costs = costs_of(y)
    assert is_path(64, search.residues(costs))


def test_points_are_steps_times_integers(generator):
    y = 5 * torch.randn(3, 400, generator=generator)
    unit, half = WindowedViterbiSearch(*code_of(512)), WindowedViterbiSearch(*code_of(512), step=0.5)
    k = unit.integers(y)
    assert torch.equal(half(y / 2), k.float() / 2) and torch.equal(half.integers(y / 2), k)
    assert half(torch.zeros(0, 5)).shape == (0, 5) and unit.residues(torch.zeros(2, 0, 4)).shape == (2, 0)


@pytest.mark.parametrize("states", [32, 128, 4096])
def test_states_in_place_are_those_of_the_encoder(states, rng):
    """The labels that the masks give, of any bits, obey the code's parity equation."""
    h0, h1 = (0o11005, 0o6002) if states == 4096 else code_of(states)
    found = phases_of(h0, h1)
    state, labels = 0, []
    for t, new in enumerate(rng.integers(0, 2, 150).tolist()):
        phase = t % found.nu
        old = state >> phase & 1
        odd = [int(state & int(mask)).bit_count() & 1 for mask in found.masks[phase]]
        labels.append((odd[0], odd[1] ^ old ^ new))
        state = state & ~(1 << phase) | new << phase
    for t in range(found.nu, len(labels)):
        pairs = itertools.product(range(found.nu + 1), ((1, h1), (0, h0)))
        assert sum((h >> i & 1) * labels[t - i][which] for i, (which, h) in pairs) % 2 == 0


def test_codes_that_there_are_not():
    with pytest.raises(ValueError, match="32 states or more"):
        WindowedViterbiSearch(0o13, 0o4)
    with pytest.raises(ValueError, match="parity polynomials"):
        WindowedViterbiSearch(0o45, 0o45)
    with pytest.raises(ValueError, match="multiple of 4"):
        WindowedViterbiSearch(0o45, 0o10, rows=6)


GROWS = """
import resource, torch
from ltc.lattices.kernels.windowed_viterbi import WindowedViterbiSearch
search = WindowedViterbiSearch(0o4405, 0o3002)
def peak(n):
    search(torch.zeros(1, n))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
few, many = peak(1 << 12), peak(1 << 19)
# A bit a state and sample would be 134 MB, and the sequence itself, its points and residues are 5 MB.
assert many - few < 40_000, (few, many)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="kilobytes are Linux's unit")
def test_memory_does_not_grow_with_the_sequence():
    subprocess.run([sys.executable, "-c", GROWS], check=True, timeout=200)
