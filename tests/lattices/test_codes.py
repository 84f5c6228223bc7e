"""Laws of the binary codes that lattices are made of."""

import itertools
from math import comb

import numpy as np
import pytest

from ltc.lattices.codes import codewords, golay, hamming_pair, reed_muller
from ltc.lattices.congruence import Span


def weights(generator):
    """The number of words of each weight that occurs."""
    words = codewords(generator)
    assert len(np.unique(words, axis=0)) == 2 ** len(generator)  # the rows are independent
    weight, count = np.unique(words.sum(1), return_counts=True)
    return dict(zip(weight.tolist(), count.tolist(), strict=True))


def is_self_dual(generator):
    return 2 * len(generator) == generator.shape[1] and not (generator @ generator.T % 2).any()


def test_golay():
    assert golay().shape == (12, 24) and set(np.unique(golay())) == {0, 1}
    assert weights(golay()) == {0: 1, 8: 759, 12: 2576, 16: 759, 24: 1}
    assert is_self_dual(golay())


def test_golay_is_in_turyns_form():
    """A word is (a + x | b + x | a + b + x): its three sections add up to a word of the second Hamming code."""
    a_code, x_code = ({tuple(w) for w in codewords(g)} for g in hamming_pair())
    for word in codewords(golay()):
        first, second, third = word.reshape(3, 8)
        x = (first + second + third) % 2
        assert tuple(x) in x_code
        assert tuple((first + x) % 2) in a_code and tuple((second + x) % 2) in a_code


def test_hamming_pair():
    pair = hamming_pair()
    for generator in pair:
        assert generator.shape == (4, 8)
        assert weights(generator) == {0: 1, 4: 14, 8: 1} and is_self_dual(generator)
    one, two = ({tuple(w) for w in codewords(g)} for g in pair)
    assert one & two == {(0,) * 8, (1,) * 8}


def test_reed_muller_of_order_one():
    assert reed_muller(1, 4).shape == (5, 16)
    assert weights(reed_muller(1, 4)) == {0: 1, 8: 30, 16: 1}


@pytest.mark.parametrize(("order", "m"), [(r, m) for m in (2, 3, 4) for r in range(m + 1)])
def test_reed_muller(order, m):
    """Dimension, least distance 2^(m - r), and the dual of RM(r, m) is RM(m - r - 1, m)."""
    generator = reed_muller(order, m)
    assert generator.shape == (sum(comb(m, d) for d in range(order + 1)), 2**m)
    assert min(w for w in weights(generator) if w) == 2 ** (m - order)
    if order < m:
        dual = reed_muller(m - order - 1, m)
        assert len(generator) + len(dual) == 2**m and not (generator @ dual.T % 2).any()


@pytest.mark.parametrize(("modulus", "length"), [(2, 4), (3, 3), (4, 3), (6, 2), (8, 2), (5, 1)])
def test_span_holds_the_integer_combinations_and_nothing_else(modulus, length, rng):
    """Against all combinations of the vectors, at each step; a copy does not grow along."""
    everything = np.array(list(itertools.product(range(modulus), repeat=length)))
    span, inside = Span(modulus, length), {(0,) * length}
    for _ in range(4):
        before, frozen = set(inside), span.copy()
        vector = rng.integers(-modulus, 2 * modulus, size=length)
        vector[rng.random(length) < 0.4] = 0
        span.insert(vector)
        inside = {tuple((np.array(w) + c * vector) % modulus) for w in inside for c in range(modulus)}
        for s, expected in ((span, inside), (frozen, before)):
            assert {tuple(w) for w in everything[s.contains(everything)]} == expected
