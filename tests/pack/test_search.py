"""The compiled search finds the cheapest path, and the walk gives its integers back."""

import itertools

import numpy as np
import pytest

from ltc.lattices.kernels.phases import phases_of
from ltc.lattices.kernels.rated_viterbi import backward_edges, quantize_each, quantize_sequences, walk_sequences
from ltc.lattices.kernels.windowed_rated import quantize_long_sequences
from ltc.lattices.trellis_codes import CODES, encoder_tables

MIDDLE = 16


def costs(y, kind, bits, inward, weight, k):
    at = np.clip(k + MIDDLE, 0, 2 * MIDDLE - 1)
    inside = at == k + MIDDLE
    error = y - k - np.where(inside, inward[kind, at], 0)
    return weight * error * error + bits[kind, at]


def cheapest(y, kind, bits, inward, weight, after):
    """Dynamic programming over states, in plain Python."""
    best = {0: 0.0}
    for sample, c in zip(y, kind, strict=True):
        new = {}
        low = int(np.floor(sample)) - 3
        for state, z1 in itertools.product(best, (0, 1)):
            residue = 2 * z1 + (state & 1)
            k = low + (residue - low) % 4
            cost = min(costs(sample, c, bits, inward, weight, np.int64(j)) for j in (k, k + 4))
            total, target = best[state] + cost, after[state, z1]
            new[target] = min(new.get(target, np.inf), total)
        best = new
    return min(best.values())


@pytest.mark.parametrize("states", [4, 8, 32, 64])
@pytest.mark.parametrize("kind_of", [np.float32, np.float64])
def test_the_path_is_the_cheapest_and_is_walked_again(states, kind_of, rng):
    length, n, classes = 20, 73, 3
    after, residue = encoder_tables(states, *CODES[states][:2])
    bits = rng.exponential(3, size=(classes, 2 * MIDDLE)).astype(np.float32)
    inward = rng.uniform(-0.2, 0.2, size=(classes, 2 * MIDDLE)).astype(np.float32)
    # Some samples lie where the table ends, and past it.
    y, kind = (8 * rng.normal(size=n)).astype(kind_of), rng.integers(0, classes, n).astype(np.uint8)
    k = np.empty(n, np.int32)
    if states < 32:
        quantize_sequences(y, kind, bits, inward, np.float32(0.7), backward_edges(after, residue), length, k)
    else:
        found = phases_of(*CODES[states][:2])
        tables = found.nu, found.masks, found.lanes, found.order, found.ends
        quantize_long_sequences(y, kind, bits, inward, np.float32(0.7), *tables, 64, length, k)
    for start in range(0, n, length):
        part = slice(start, start + length)
        found = costs(y[part], kind[part], bits, inward, 0.7, k[part].astype(np.int64)).sum()
        # The one with a window has costs of a 341st of a bit.
        near = 1e-4 if states < 32 else 1e-3
        assert found == pytest.approx(cheapest(y[part], kind[part], bits, inward, 0.7, after), rel=near)
    parity = k & 1
    order = np.lexsort((np.arange(n), parity, kind))
    sizes = np.bincount(2 * kind + parity, minlength=2 * classes)
    starts = (np.cumsum(sizes) - sizes).reshape(-1, 2)
    walked = np.empty(n, np.int32)
    assert walk_sequences((k >> 1)[order], starts.copy(), kind, after, length, walked)
    assert (walked == k).all()
    # With one symbol of another parity the walk notices.
    starts[0, 1] += 1
    assert not walk_sequences((k >> 1)[order], starts, kind, after, length, walked) or (walked != k).any()


def test_rounding_weighs_bits(rng):
    n = 200
    bits = rng.exponential(2, size=(1, 2 * MIDDLE)).astype(np.float32)
    inward = np.zeros_like(bits)
    y, kind, k = (6 * rng.normal(size=n)).astype(np.float32), np.zeros(n, np.uint8), np.empty(n, np.int32)
    quantize_each(y, kind, bits, inward, np.float32(1), k)
    around = np.floor(y)[:, None].astype(np.int64) + np.arange(-3, 5)
    least = costs(y[:, None], kind[:, None], bits, inward, 1.0, around).min(1)
    assert np.allclose(costs(y, kind, bits, inward, 1.0, k.astype(np.int64)), least, rtol=1e-4)
