"""Laws of trellis codes: the encoder's parity equation, the search against all paths, the granular gain."""

import itertools

import numpy as np
import pytest
import torch

from ltc import lattices
from ltc.lattices.catalogue.tcq import TrellisCode
from ltc.lattices.trellis_codes import CODES, encoder_tables


def sequences(most, states):
    """As many as take the time that 2,048 states take."""
    return max(16, most * 2048 // max(states, 2048))


@pytest.mark.parametrize("states", CODES)
def test_the_labels_obey_the_parity_equation(states, rng):
    """The sum of h0 * z0 and h1 * z1 over the last memory + 1 labels is even (Ungerboeck 1982)."""
    h0, h1, *_ = CODES[states]
    memory = states.bit_length() - 1
    next_state, residue = encoder_tables(states, h0, h1)
    state, labels = 0, []
    for bit in rng.integers(0, 2, 200):
        labels.append(residue[state, bit])
        state = next_state[state, bit]
    z0, z1 = np.array(labels) % 2, np.array(labels) // 2
    for t in range(memory, len(labels)):
        total = sum((h0 >> i & 1) * z0[t - i] + (h1 >> i & 1) * z1[t - i] for i in range(memory + 1))
        assert total % 2 == 0


@pytest.mark.parametrize("states", CODES)
def test_every_state_has_two_ways_in_and_two_out(states):
    next_state, residue = encoder_tables(states, *CODES[states][:2])
    assert (np.bincount(next_state.ravel(), minlength=states) == 2).all()
    # Out of a state, k of one parity only.
    assert (residue[:, 0] % 2 == residue[:, 1] % 2).all()
    assert (residue[:, 0] != residue[:, 1]).all()


@pytest.mark.parametrize("states", [4, 8])
def test_the_nearest_sequence_is_the_best_of_all_paths(states, generator):
    code = TrellisCode(states, 6, *CODES[states])
    x = 3 * torch.randn(20, 6, generator=generator, dtype=torch.float64)
    paths = []
    for bits in itertools.product((0, 1), repeat=6):
        state, labels = 0, []
        for bit in bits:
            labels.append(code.residue[state, bit])
            state = code.next_state[state, bit]
        paths.append(labels)
    residues = torch.tensor(np.array(paths)).double()  # [paths, n]
    k = residues + 4 * torch.round((2 * x[:, None] - residues) / 4)
    best = (x[:, None] - k / 2).square().sum(-1).min(1).values
    torch.testing.assert_close((x - code.quantize(x)).square().sum(-1), best)
    torch.testing.assert_close((x - code.nearest(x)).square().sum(-1), best)


@pytest.mark.parametrize("name", ["tcq4", "tcq16", "tcq64"])
def test_what_it_finds_are_paths(name, generator):
    code = lattices.get(name, 40)
    points = code.quantize(5 * torch.randn(30, 40, generator=generator))
    k = code.to_integers(points)
    assert torch.equal(code.to_points(k), points)
    assert bool(code.trellis.contains(k).all())
    assert not bool(code.trellis.contains(k + torch.nn.functional.one_hot(torch.tensor(20), 40)).any())


@pytest.mark.parametrize("states", CODES)
def test_its_second_moment_is_the_measured_one(states, generator):
    """At one point per unit volume; the start in state 0 and the free end change the mean by about 1/n."""
    code, count = lattices.get(f"tcq{states}", 2048), sequences(300, states)
    x = 16 * torch.rand(count, 2048, generator=generator)
    error = (x - code.quantize(x)).square()[:, 200:-200].mean(1)
    assert abs(float(error.mean()) - CODES[states][2]) < 4 * float(error.std()) / count**0.5 + 2e-5


@pytest.mark.parametrize("dim", [1, 2, 5])
def test_moving_by_a_period_moves_the_point(dim, generator):
    """All residues mod 4 stay the same."""
    code = lattices.get("tcq8", dim)
    x = torch.randn(50, dim, generator=generator, dtype=torch.float64)
    move = 2.0 * torch.randint(-5, 6, (50, dim), generator=generator)
    torch.testing.assert_close(code.quantize(x + move), code.quantize(x) + move)


@pytest.mark.parametrize("states", CODES)
def test_theory_knows_the_length(states, generator):
    """The mean over whole sequences, with their costly start and their cheap end."""
    code, count = lattices.get(f"tcq{states}", 512), sequences(600, states)
    x = 16 * torch.rand(count, 512, generator=generator)
    error = (x - code.quantize(x)).square().mean(1)
    # The ends' own standard error is 0.007, of long codes 0.02.
    own = 0.02 if states <= 2048 else 0.05
    assert abs(float(error.mean()) - code.nsm) < 4 * float(error.std()) / count**0.5 + own / 512
    assert lattices.get(f"tcq{states}", 1).nsm == pytest.approx(1 / 12)
    lengths = [lattices.get(f"tcq{states}", dim).nsm for dim in (256, 1024, 4096)]
    assert lengths == sorted(lengths, reverse=True) and lengths[-1] > CODES[states][2]
