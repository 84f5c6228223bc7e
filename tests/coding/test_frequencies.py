"""Laws of integer counts: whatever the weights are, a table that a range coder can use, close to the probabilities."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ltc.coding.frequencies import ESCAPE, TOTAL, counts, ordered_sum

# From the least normal numbers to the largest whose sum is finite; and zeros.
weight = st.one_of(st.just(0.0), st.floats(1e-300, 1e300), st.floats(-300, 300).map(lambda e: 10.0**e))
row = st.lists(weight, min_size=1, max_size=60).filter(any)


def whole(table):
    """The counts of a table, which stores them less one, as integers."""
    assert table.dtype == np.float32
    return table.astype(np.int64) + 1


@given(row)
def test_counts_are_a_code(weights):
    found = counts(np.array([weights]))
    assert found.shape == (1, len(weights) + 1)
    assert (found >= 0).all() and (found == np.floor(found)).all()
    assert whole(found).sum() == TOTAL
    # What constriction adds up, in its order, has no rounding either.
    assert np.cumsum(found[0], dtype=np.float32)[-1] == TOTAL - found.shape[1]


@given(row)
def test_counts_are_those_of_the_format(weights):
    """docs/format.md in Python's floats, one operation after another."""
    free = TOTAL - (len(weights) + 1)
    total = 0.0
    for p in weights:
        total += p
    expected = [1 + int(p / total * (1.0 - ESCAPE) * free) for p in weights] + [1 + int(ESCAPE * free)]
    expected[weights.index(max(weights))] += TOTAL - sum(expected)
    assert whole(counts(np.array([weights])))[0].tolist() == expected


@given(st.lists(row, min_size=1, max_size=8))
def test_rows_have_nothing_to_do_with_each_other(rows):
    longest = max(map(len, rows))
    filled = np.array([r + [0.0] * (longest - len(r)) for r in rows])
    found = counts(filled)
    for one, all_of_it in zip(filled, found, strict=True):
        np.testing.assert_array_equal(counts(one[None])[0], all_of_it)
    # However the memory is laid out, and each time.
    np.testing.assert_array_equal(counts(np.asfortranarray(filled)), found)
    np.testing.assert_array_equal(counts(filled.copy()), found)


@given(row)
def test_the_escape_has_its_probability_and_zeros_have_the_least(weights):
    found = whole(counts(np.array([weights])))[0]
    assert found[-1] == 1 + int(ESCAPE * (TOTAL - len(found)))
    assert (found[:-1][np.array(weights) == 0] == 1).all()


@pytest.mark.parametrize("symbols", [1, 2, 17, 300, 4000])
def test_counts_are_close_to_the_probabilities(symbols, rng):
    """A count is off by a few units; the divergence, which is what a bitstream loses, is far below a bit's 1000th."""
    weights = np.exp(3 * rng.normal(size=(20, symbols)))
    p = weights / weights.sum(1, keepdims=True)
    q = whole(counts(weights)) / TOTAL
    room = (symbols + 1) / TOTAL + 2 * ESCAPE
    assert (np.abs(p - q[:, :-1]) <= p * room + (symbols + 1) / TOTAL).all()
    divergence = (p * np.log2(p / q[:, :-1])).sum(1)
    assert (divergence >= 0).all()
    assert (divergence <= 2e-5 + 2 * symbols / TOTAL * np.log2(TOTAL)).all()


@given(st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=40))
def test_the_ordered_sum_is_pythons(values):
    total = 0.0
    for value in values:
        total += value
    found = ordered_sum(np.array(values)[:, None].repeat(2, 1))
    assert found.tolist() == [total, total]
