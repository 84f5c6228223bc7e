"""Laws of the evaluation's figures: numpy's moments, however the blocks are shared out."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ltc.training import RateDistortionMoments

FIGURES = ["rate", "distortion", "rate_error", "distortion_error", "covariance", "sample_rate", "blocks"]


def expected_figures(rate, distortion):
    """From numpy: means, and the covariance matrix of the means."""
    covariance = np.cov(rate, distortion, ddof=1) / len(rate) if len(rate) > 1 else np.zeros((2, 2))
    errors = np.sqrt(np.diagonal(covariance))
    return [rate.mean(), distortion.mean(), errors[0], errors[1], covariance[0, 1], rate.mean(), len(rate)]


def compute(*parts):
    metric = RateDistortionMoments()
    for rate, distortion in parts:
        metric.update(torch.as_tensor(rate), torch.as_tensor(distortion))
    figures = metric.compute()
    assert set(figures) == set(FIGURES)
    return [float(figures[name]) for name in FIGURES]


values = st.floats(-100, 100, allow_nan=False, width=32)


@given(st.lists(st.tuples(values, values), min_size=1, max_size=40), st.data())
def test_figures_are_numpys_however_the_blocks_are_split(pairs, data):
    table = np.array(pairs)
    cuts = data.draw(st.lists(st.integers(0, len(table)), max_size=5).map(sorted))
    parts = [(part[:, 0], part[:, 1]) for part in np.split(table, cuts)]  # some may be empty
    expected = expected_figures(table[:, 0], table[:, 1])
    # An error is a root of a difference: of equal values it is zero up to the root of a rounding error.
    assert compute(*parts) == pytest.approx(expected, rel=1e-6, abs=2e-6)


def test_many_blocks_in_single_precision(rng):
    """Sums are kept in float64: a million blocks of float32 lose nothing."""
    rate = rng.normal(1000.0, 0.01, size=1_000_000).astype(np.float32)
    distortion = (0.5 * rate + rng.normal(size=1_000_000)).astype(np.float32)
    found = compute(*zip(np.split(rate, 100), np.split(distortion, 100), strict=True))
    expected = expected_figures(rate.astype(np.float64), distortion.astype(np.float64))
    assert found == pytest.approx(expected, rel=1e-4)


def test_the_metric_stays_in_double_precision():
    metric = RateDistortionMoments()
    metric.float().half()
    metric.update(torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0]))
    assert metric.total.dtype == metric.products.dtype == metric.blocks.dtype == torch.float64


def test_reset_forgets():
    metric = RateDistortionMoments()
    metric.update(torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0]))
    metric.compute()
    metric.reset()
    metric.update(torch.tensor([5.0]), torch.tensor([6.0]))
    assert [float(v) for v in metric.compute().values()] == [5.0, 6.0, 0.0, 0.0, 0.0, 5.0, 1.0]


def shares():
    """Blocks of two processes: many and few of them."""
    return np.split(np.random.default_rng(7).normal(size=(100, 2)), [93])


def process(rank, world, folder):
    torch.distributed.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=world)
    share = shares()[rank]
    torch.save(torch.tensor(compute((share[:, 0], share[:, 1])), dtype=torch.float64), f"{folder}/{rank}.pt")
    torch.distributed.destroy_process_group()


def test_processes_with_different_numbers_of_blocks_are_one(tmp_path):
    torch.multiprocessing.spawn(process, (2, str(tmp_path)), nprocs=2)
    whole = np.concatenate(shares())
    expected = expected_figures(whole[:, 0], whole[:, 1])
    for rank in range(2):
        assert torch.load(tmp_path / f"{rank}.pt").tolist() == pytest.approx(expected, rel=1e-9)


def test_a_known_energy_makes_both_more_precise(rng):
    """Zero rate, the energy as distortion: known exactly. A part explained by the energy: regressed out."""
    energy = rng.exponential(1.0, 5000)
    metric = RateDistortionMoments(energy=1.0)
    metric.update(torch.zeros(5000), torch.tensor(energy), torch.tensor(energy))
    found = metric.compute()
    assert float(found["rate"]) == 0
    assert float(found["distortion"]) == pytest.approx(1.0, abs=1e-9)
    assert float(found["distortion_error"]) < 1e-6
    noise = rng.normal(size=5000)
    plain, controlled = RateDistortionMoments(), RateDistortionMoments(energy=1.0)
    for metric in (plain, controlled):
        metric.update(torch.tensor(2 * energy + noise), torch.tensor(energy), torch.tensor(energy))
    assert float(controlled.compute()["rate_error"]) == pytest.approx(1 / 5000**0.5, rel=0.1)
    assert float(plain.compute()["rate_error"]) == pytest.approx(5**0.5 / 5000**0.5, rel=0.1)
    assert abs(float(controlled.compute()["rate"]) - 2.0) < 5 / 5000**0.5
    # The plain mean is there as well.
    assert float(controlled.compute()["sample_rate"]) == pytest.approx(float(plain.compute()["rate"]), rel=1e-12)
