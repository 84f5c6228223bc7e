"""ECVQ: Lloyd descends, fresh data stay above R(D), one dimension is the best scalar quantizer, two are better."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ltc.models import Coding
from ltc.models.ecvq import ECVQ
from ltc.theory import GaussianRD, WaterfillingRD


def measure(ecvq: ECVQ, x: torch.Tensor) -> tuple[float, float, float]:
    """Rate and distortion on samples, and the standard error of rate + lambda * distortion."""
    y, bits = ecvq(x)
    rate, distortion = bits.double() / ecvq.symbols, (x - y).double().square().mean(1)
    cost = rate + float(ecvq.lmbda) * distortion
    return float(rate.mean()), float(distortion.mean()), float(cost.std()) / math.sqrt(len(x))


def fitted(samples: torch.Tensor, lmbda: float, size: int = 1024, **settings) -> ECVQ:
    ecvq = ECVQ(size, samples.shape[1])
    ecvq.fit(samples, lmbda, **settings)
    return ecvq


def strata(count: int, places: torch.Tensor | float) -> torch.Tensor:
    """One number of N(0, 1) in each of ``count`` intervals of equal probability, [count, 1]."""
    u = (torch.arange(count, dtype=torch.float64) + places) / count
    return torch.special.ndtri(u.clamp(1e-12, 1 - 1e-12))[:, None].float()


@settings(max_examples=15)
@given(st.integers(0, 2**31), st.integers(1, 8), st.floats(0.3, 30.0), st.integers(1, 60))
def test_the_cost_falls_and_is_that_of_the_codebook(seed: int, dim: int, lmbda: float, size: int) -> None:
    x = torch.randn(3000, dim, generator=torch.Generator().manual_seed(seed)) ** 3
    ecvq = ECVQ(size, dim)
    costs = ecvq.fit(x, lmbda, max_iterations=30)
    allowed = 1e-5 * costs[0]  # single precision
    assert all(b <= a + allowed for a, b in itertools.pairwise(costs))
    rate, distortion, _ = measure(ecvq, x)
    assert rate + lmbda * distortion <= costs[-1] + allowed
    assert 1 <= ecvq.used <= size and float(ecvq.probabilities.sum()) == pytest.approx(1, abs=1e-5)
    assert bool((ecvq.probabilities.diff() <= 0).all())


@pytest.mark.parametrize(("dim", "lmbda"), [(1, 0.8), (1, 6.0), (2, 1.5), (3, 4.0), (4, 2.0), (8, 1.5)])
def test_fresh_data_are_never_below_the_rate_distortion_function(dim: int, lmbda: float) -> None:
    """Though what was fitted may be: with few samples, it is."""
    ecvq = fitted(torch.randn(20_000, dim), lmbda)
    rate, distortion, error = measure(ecvq, torch.randn(50_000, dim))
    # The line of slope lambda that touches R(D), so that the standard error is that of the cost.
    touch = min(1.0, 1 / (2 * math.log(2) * lmbda))
    assert rate + lmbda * distortion > GaussianRD().rate(touch) + lmbda * touch - 4 * error


def test_few_samples_in_many_dimensions_are_learned_by_heart() -> None:
    x = torch.randn(1000, 8)
    ecvq = ECVQ(1024, 8)
    costs = ecvq.fit(x, 4.0)
    rate, distortion, _ = measure(ecvq, torch.randn(20_000, 8))
    assert costs[-1] < 1.95 < 0.5 * math.log2(8 * math.log(2)) + 0.5 / math.log(2) + 0.05 < rate + 4 * distortion


def best_scalar_quantizer(lmbda: float) -> tuple[float, float]:
    """Rate and distortion of the best entropy-coded scalar quantizer of N(0, 1), by descent on its thresholds.

    No Lloyd and no samples: thresholds are free, probabilities and centroids are integrals of the density. Symmetric
    quantizers with a cell around 0 and with a threshold there, of up to 21 cells.
    """
    optimize, stats = pytest.importorskip("scipy.optimize"), pytest.importorskip("scipy.stats")

    def curve(logs: np.ndarray, middle: bool) -> tuple[float, float]:
        """From the logarithms of the steps between thresholds; in the positive half, where tails keep precision."""
        steps = np.exp(logs)
        thresholds = np.minimum(np.cumsum(steps) - (steps[0] / 2 if middle else 0), 25)
        edges = np.concatenate([[0.0] if not middle else [], thresholds, [np.inf]])
        p = np.maximum(-np.diff(stats.norm.sf(edges)), 1e-300)
        energy = 2 * float((np.diff(stats.norm.pdf(edges)) ** 2 / p).sum())  # the cell in the middle has centroid 0
        entropy = -2 * float((p * np.log2(p)).sum())
        if middle:
            inside = 1 - 2 * stats.norm.sf(edges[0])
            entropy -= inside * math.log2(inside)
        return entropy, 1 - energy

    found = []
    for middle in (True, False):
        start = np.full(10, math.log(math.sqrt(12 / (2 * math.log(2) * lmbda))))
        for factor in (1.0, 1.5):

            def cost(logs: np.ndarray, middle: bool = middle) -> float:
                rate, distortion = curve(logs, middle)
                return rate + lmbda * distortion

            result = optimize.minimize(cost, start + math.log(factor), method="L-BFGS-B", bounds=[(-4, 3)] * 10)
            found.append((result.fun, curve(result.x, middle)))
    return min(found)[1]


@pytest.mark.parametrize("lmbda", [1.2, 2.0, 4.0, 8.0, 30.0])
def test_one_dimension_is_the_best_scalar_quantizer(lmbda: float) -> None:
    best_rate, best_distortion = best_scalar_quantizer(lmbda)
    # The samples of the fit are the quantiles; fresh ones have a random place in each interval.
    ecvq = fitted(strata(200_000, 0.5), lmbda, size=64)
    rate, distortion, _ = measure(ecvq, strata(200_000, torch.rand(200_000, dtype=torch.float64)))
    assert rate + lmbda * distortion == pytest.approx(best_rate + lmbda * best_distortion, abs=0.001)
    gap, best_gap = rate - GaussianRD().rate(distortion), best_rate - GaussianRD().rate(best_distortion)
    assert gap == pytest.approx(best_gap, abs=0.005)


def test_gaps_of_scalar_quantizers() -> None:
    """A quarter of a bit at high rate (Gish & Pierce), and less the lower the rate is."""
    x = strata(200_000, 0.5)
    gaps = []
    for lmbda in (30.0, 2.0, 1.2):
        rate, distortion, _ = measure(fitted(x, lmbda, size=64), x)
        gaps.append(rate - GaussianRD().rate(distortion))
    assert gaps[0] == pytest.approx(0.5 * math.log2(math.pi * math.e / 6), abs=0.002)
    assert gaps[0] > gaps[1] + 0.02 > gaps[2] + 0.1


def test_two_dimensions_gain_what_hexagons_gain() -> None:
    scalar, vector = fitted(torch.randn(200_000, 1), 8.0), fitted(torch.randn(200_000, 2), 8.0)
    x = torch.randn(200_000, 2)
    x = (x - x.mean(0)) / x.std(0)  # of the moments of N(0, 1): less noise
    gaps = []
    for ecvq, data in ((scalar, x.reshape(-1, 1)), (vector, x)):
        rate, distortion, _ = measure(ecvq, data)
        gaps.append(rate - GaussianRD().rate(distortion))
    assert gaps[0] == pytest.approx(0.2546, abs=0.006) and gaps[1] == pytest.approx(0.2269, abs=0.006)


def test_each_block_gets_its_best_code_vector() -> None:
    ecvq = fitted(torch.randn(5000, 3) + 40, 3.0)
    x = torch.randn(1000, 3) + 40
    y, bits = ecvq(x)
    used = ecvq.used
    codebook, every = ecvq.codebook[:used].double(), -ecvq.probabilities[:used].double().log2()
    costs = every / 3 + 3.0 * (x.double()[:, None] - codebook).square().mean(-1)
    chosen = bits.double() / 3 + 3.0 * (x - y).double().square().mean(1)
    torch.testing.assert_close(chosen, costs.min(1).values, atol=1e-5, rtol=0)
    assert isinstance(ecvq(x), Coding)
    rows = {tuple(row) for row in ecvq.codebook[:used].tolist()}
    assert {tuple(row) for row in y.tolist()} <= rows
    assert bool((ecvq.codebook[used:] == 0).all()) and bool((ecvq.probabilities[used:] == 0).all())


def test_symbols_that_are_vectors() -> None:
    """Rates are per symbol, distortions per component, here two in a symbol and two symbols in a block."""
    covariance = np.array([[1.0, 0.9], [0.9, 1.0]])
    factor = torch.linalg.cholesky(torch.from_numpy(covariance)).float()
    train, fresh = (torch.randn(count, 2, 2) @ factor.T for count in (50_000, 50_000))
    ecvq = ECVQ(2048, 4, symbols=2)
    ecvq.fit(train.flatten(1), 8.0)
    rate, distortion, error = measure(ecvq, fresh.flatten(1))
    gap = rate - WaterfillingRD(covariance).rate(distortion)
    assert -4 * error < gap < 2 * 0.2269 + 4 * error  # of D4 two components would have 0.39
    with pytest.raises(ValueError, match="symbols"):
        ECVQ(1, 4, symbols=0)


def test_one_code_vector_is_the_mean_and_costs_nothing() -> None:
    x = torch.randn(1000, 3) + 5
    ecvq = fitted(x, 2.0, size=1)
    torch.testing.assert_close(ecvq.codebook[0], x.mean(0))
    y, bits = ecvq(x[:7])
    assert y.shape == (7, 3) and bool((bits == 0).all())


def test_vectors_that_no_sample_takes_are_removed() -> None:
    start = torch.tensor([[0.0], [1.0], [100.0]])
    ecvq = fitted(torch.rand(1000, 1), 50.0, size=8, start=start, max_iterations=1)
    assert ecvq.used == 2
    # Coarse enough, the two are not worth their bit either; with equal halves it would take long to see which one goes.
    assert fitted(torch.rand(1000, 1).square(), 1.0, size=8, start=start).used == 1


def test_a_discrete_source_is_its_own_codebook() -> None:
    x = torch.tensor([[0.0, 0.0], [0.0, 4.0], [4.0, 4.0], [4.0, 4.0]]).repeat(50, 1)
    ecvq = fitted(x, 10.0, size=16)
    y, bits = ecvq(x)
    torch.testing.assert_close(y, x)
    torch.testing.assert_close(bits[:4], torch.tensor([2.0, 2.0, 1.0, 1.0]))


def test_the_start_is_the_most_frequent_lattice_points() -> None:
    x = torch.randn(5000, 2)
    everything, few = ECVQ(4096, 2).lattice_start(x, 8.0), ECVQ(10, 2).lattice_start(x, 8.0)
    assert len(few) == 10 and torch.equal(everything[:10], few) and len(everything) > 20
    distances = torch.cdist(everything.double(), everything.double()) + 1e9 * torch.eye(len(everything))
    # A2 of the density that distortion 1 / (2 lambda ln 2) needs: its shortest vectors are sqrt(2 / sqrt(3)).
    scale = math.sqrt(1 / (16 * math.log(2)) / 0.0801875)
    assert float(distances.min()) == pytest.approx(scale * math.sqrt(2 / math.sqrt(3)), rel=1e-3)


def test_a_state_brings_a_codebook_along() -> None:
    ecvq, other = fitted(torch.randn(2000, 2), 3.0, size=32), ECVQ(32, 2)
    x = torch.randn(10, 2)
    with pytest.raises(RuntimeError, match="fit"):
        other(x)
    other.load_state_dict(ecvq.state_dict())
    assert torch.equal(other(x).reconstruction, ecvq(x).reconstruction) and torch.equal(other(x).bits, ecvq(x).bits)
    assert "used=" in repr(other)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_equals_cpu() -> None:
    x = torch.randn(20_000, 3)
    ecvq = fitted(x, 3.0, max_iterations=5)
    other = ECVQ(1024, 3).cuda()
    other.fit(x, 3.0, max_iterations=5)
    assert measure(other, x.cuda())[:2] == pytest.approx(measure(ecvq, x)[:2], abs=1e-3)


@pytest.mark.parametrize(
    ("samples", "keywords", "why"),
    [
        (torch.zeros(5), {}, "samples"),
        (torch.zeros(5, 3), {}, "samples"),
        (torch.zeros(0, 2), {}, "samples"),
        (torch.zeros(5, 2), {"lmbda": 0.0}, "lmbda"),
        (torch.zeros(5, 2), {"lmbda": math.inf}, "lmbda"),
        (torch.zeros(5, 2), {"start": torch.zeros(9, 2)}, "start"),
        (torch.zeros(5, 2), {"start": torch.zeros(3, 1)}, "start"),
        (torch.zeros(5, 2), {"tolerance": -1.0}, "tolerance"),
        (torch.zeros(5, 2), {"max_iterations": 0}, "max_iterations"),
    ],
)
def test_bad_arguments_are_refused(samples: torch.Tensor, keywords: dict, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        ECVQ(8, 2).fit(samples, **{"lmbda": 1.0} | keywords)


def test_bad_sizes_are_refused() -> None:
    for arguments in ((0, 1), (1, 0)):
        with pytest.raises(ValueError, match="at least 1"):
            ECVQ(*arguments)
