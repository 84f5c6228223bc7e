"""The sawbridge's entropy-distortion function: below every partition, equal at the best, and of these very paths."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from datamodules import Sawbridge
from ltc.theory import SawbridgeEntropyDistortion

BOUND = SawbridgeEntropyDistortion()


@given(st.lists(st.floats(1e-3, 1.0), min_size=1, max_size=12))
def test_no_partition_is_below(lengths: list[float]) -> None:
    p = [length / sum(lengths) for length in lengths]
    entropy = -sum(x * math.log2(x) for x in p)
    assert BOUND.rate(sum(x * x for x in p) / 6) <= entropy + 1e-9


@given(st.integers(1, 200), st.floats(0.0, 1.0))
def test_equal_intervals_and_a_smaller_one_reach_it(count: int, part: float) -> None:
    total = count + part
    p = [1 / total] * count + ([part / total] if part else [])
    entropy = -sum(x * math.log2(x) for x in p if x > 0)
    assert BOUND.rate(sum(x * x for x in p) / 6) == pytest.approx(entropy, abs=1e-5)


@given(st.floats(1.0, 5000.0))
def test_the_cost_is_the_least_of_the_curve(slope: float) -> None:
    curve = [BOUND.rate(1 / (6 * n)) + slope / (6 * n) for n in range(1, 1200)]
    assert BOUND.cost(slope) == pytest.approx(min(curve), abs=1e-9)
    between = [BOUND.rate(1 / (6 * (n + 0.37))) + slope / (6 * (n + 0.37)) for n in range(1, 300)]
    assert min(between) >= BOUND.cost(slope) - 1e-9


@pytest.mark.parametrize("cells", [1, 2, 5, 16])
def test_it_is_what_equal_cells_of_real_paths_have(cells: int) -> None:
    source = Sawbridge(points=512)
    x = source.sample(40_000, torch.Generator().manual_seed(int(torch.randint(2**31, ())))).double()
    # The jump is where a path is behind the line: after U.
    jump = (x > torch.linspace(0, 1, 512) - 0.5).double().mean(1)
    cell = (jump * cells).floor().clamp(max=cells - 1).long()
    means = torch.stack([x[cell == c].mean(0) for c in range(cells)])
    distortion = float((x - means[cell]).square().mean())
    assert distortion == pytest.approx(1 / (6 * cells), rel=0.03)
    assert BOUND.rate(1 / (6 * cells)) == pytest.approx(math.log2(cells))


def test_there_is_no_entropy_at_no_distortion() -> None:
    with pytest.raises(ValueError, match="D > 0"):
        BOUND.rate(0.0)
    assert BOUND.rate(0.5) == 0.0
