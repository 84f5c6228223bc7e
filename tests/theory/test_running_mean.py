"""The running mean is that of all numbers at once, however they are cut into chunks."""

from __future__ import annotations

import math

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given

from ltc.theory import RunningMean


@given(st.lists(st.integers(0, 40), min_size=1, max_size=8), st.integers(0, 2**32 - 1), st.floats(-1e6, 1e6))
def test_it_is_that_of_all_numbers_at_once(sizes, seed, offset):
    numbers = torch.randn(sum(sizes), generator=torch.Generator().manual_seed(seed), dtype=torch.float64) + offset
    running = RunningMean()
    for chunk in numbers.split(sizes):
        running.add(chunk)
    assert running.count == len(numbers)
    if len(numbers):
        assert running.mean == pytest.approx(float(numbers.mean()), abs=1e-9)
    if len(numbers) > 1:
        assert running.error == pytest.approx(float(numbers.std() / len(numbers) ** 0.5), rel=1e-6)
    else:
        assert running.error == math.inf
