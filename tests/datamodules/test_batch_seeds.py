"""No two batches have one seed."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from datamodules.seeding import BATCHES, Split, batch_seed

places = st.tuples(st.sampled_from(Split), st.integers(0, BATCHES - 1))


@given(seed=st.integers(0, 2**64), one=places, other=places)
def test_one_seed_one_batch(seed, one, other):
    assert (batch_seed(seed, *one) == batch_seed(seed, *other)) == (one == other)


@given(seed=st.integers(0, 2**64), place=places)
def test_seeds_are_32_bits_and_splits_are_apart(seed, place):
    value = batch_seed(seed, *place)
    assert 0 <= value < 2**32 and value >> 30 == place[0]


def test_other_seeds_give_other_batches():
    one, other = ({batch_seed(seed, Split.TRAIN, index) for index in range(1000)} for seed in (0, 1))
    assert len(one & other) < 5


def test_torch_ignores_the_upper_half_of_a_seed():
    """The reason why seeds are numbered, not hashed. If this fails one day, the module may be simplified."""
    first, second = (torch.rand(4, generator=torch.Generator().manual_seed(s)) for s in (1, 1 + 2**32))
    assert torch.equal(first, second)


def test_a_negative_seed_is_refused():
    with pytest.raises(ValueError, match="seed must not be negative, got -1"):
        batch_seed(-1, Split.TRAIN, 0)
