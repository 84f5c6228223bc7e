"""Blahut-Arimoto: the certificate holds for every input, converged or not; textbook cases; separable = dense."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ltc.theory import blahut_arimoto, blahut_arimoto_separable

seed = st.integers(0, 2**31)
slope = st.floats(0.01, 100.0)


def random_problem(seed: int, rows: int = 7, columns: int = 9) -> tuple[torch.Tensor, torch.Tensor]:
    g = torch.Generator().manual_seed(seed)
    pmf = torch.rand(rows, dtype=torch.float64, generator=g) ** 3
    return pmf / pmf.sum(), torch.rand(rows, columns, dtype=torch.float64, generator=g)


def rate_of(pmf: torch.Tensor, channel: torch.Tensor) -> float:
    joint = pmf[:, None] * channel
    return float(torch.xlogy(joint, channel / joint.sum(0)).sum()) / math.log(2)


@settings(deadline=None, max_examples=40)
@given(st.floats(0.01, 0.5), st.floats(0.02, 0.98))
def test_binary_source_under_hamming_distortion(p: float, f: float) -> None:
    def entropy(q: float) -> float:
        return -q * math.log2(q) - (1 - q) * math.log2(1 - q)

    d = f * p
    pmf, hamming = torch.tensor([p, 1 - p], dtype=torch.float64), 1 - torch.eye(2, dtype=torch.float64)
    result = blahut_arimoto(pmf, hamming, math.log2((1 - d) / d), tolerance=1e-6)
    assert result.upper - result.lower <= 1e-6
    exact = entropy(p) - entropy(result.distortion) if result.distortion < p else 0.0
    assert result.lower - 1e-9 <= exact <= result.upper + 1e-9
    assert result.tangent(d) == pytest.approx(entropy(p) - entropy(d), abs=1e-5)


@settings(deadline=None, max_examples=40)
@given(seed, slope, slope, st.integers(1, 30))
def test_no_channel_crosses_a_tangent_and_the_reported_point_is_achieved(
    seed: int, slope: float, other: float, iterations: int
) -> None:
    pmf, d = random_problem(seed)
    result = blahut_arimoto(pmf, d, slope, max_iterations=iterations, tolerance=1e-12)
    assert result.lower <= result.upper == result.rate
    # The reproduction pmf alone rebuilds the channel, with the reported rate and distortion.
    weights = result.reproduction_pmf * torch.exp2(-slope * (d - d.amin(1, keepdim=True)))
    channel = weights / weights.sum(1, keepdim=True)
    assert rate_of(pmf, channel) == pytest.approx(result.rate, abs=1e-8)
    assert float((pmf[:, None] * channel * d).sum()) == pytest.approx(result.distortion, abs=1e-10)
    # Any achievable point, of any slope and after any number of steps, lies above the tangent.
    point = blahut_arimoto(pmf, d, other, max_iterations=200, tolerance=1e-12)
    assert point.rate >= result.tangent(point.distortion) - 1e-9


@settings(deadline=None, max_examples=30)
@given(seed, slope)
def test_plain_blahut_arimoto_agrees(seed: int, slope: float) -> None:
    pmf, d = random_problem(seed)
    result = blahut_arimoto(pmf, d, slope, tolerance=1e-5)
    assert result.upper - result.lower <= 1e-5
    kernel = torch.exp2(-slope * d)
    q = torch.full((9,), 1 / 9, dtype=torch.float64)
    for _ in range(300):
        q = q * ((pmf / (kernel @ q)) @ kernel)
    lagrangian = -float(pmf @ (kernel @ q).log2())  # never below the minimum of R + slope * D
    assert lagrangian >= result.lower + slope * result.distortion - 1e-9
    assert lagrangian <= result.upper + slope * result.distortion + 0.02


@settings(deadline=None, max_examples=20)
@given(seed, slope)
def test_separable_equals_dense_on_a_product_grid(seed: int, slope: float) -> None:
    g = torch.Generator().manual_seed(seed)
    pmf = torch.rand(4, 5, dtype=torch.float64, generator=g)
    pmf[1, 2] = 0
    pmf /= pmf.sum()
    first, second = torch.rand(4, 6, generator=g).double(), torch.rand(5, 3, generator=g).double()
    dense = (first[:, None, :, None] + second[None, :, None, :]).reshape(20, 18)
    a = blahut_arimoto(pmf.flatten(), dense, slope, tolerance=1e-5)
    b = blahut_arimoto_separable(pmf, (first, second), slope, tolerance=1e-5)
    assert b.upper - b.lower <= 1e-5
    # Where the curve has a corner, D may differ along the line; the Lagrangian may not.
    assert a.rate + slope * a.distortion == pytest.approx(b.rate + slope * b.distortion, abs=1.1e-5)
    assert b.reproduction_pmf.shape == (6, 3)
    assert a.rate >= b.tangent(a.distortion) - 1e-9 and b.rate >= a.tangent(b.distortion) - 1e-9


@pytest.mark.parametrize("slope", [1e-12, 1e6, 1e12])
def test_extreme_slopes_stay_finite(slope: float) -> None:
    x = torch.linspace(-50, 50, 201, dtype=torch.float64)
    pmf = torch.softmax(-x.square() / 2, 0)
    result = blahut_arimoto(pmf, (x[:, None] - x[None, :]).square(), slope)
    assert math.isfinite(result.rate) and result.upper - result.lower <= 1e-4
    entropy = -float(torch.xlogy(pmf, pmf).sum()) / math.log(2)
    assert result.rate == pytest.approx(entropy if slope > 1 else 0.0, abs=1e-3)


def test_offsets_of_the_distortion_and_a_warm_start_change_nothing_but_the_work() -> None:
    pmf, d = random_problem(3)
    cold = blahut_arimoto(pmf, d, 5.0, tolerance=1e-5)
    shifted = blahut_arimoto(pmf, d + torch.arange(7.0)[:, None], 5.0, tolerance=1e-5)
    assert shifted.rate == pytest.approx(cold.rate, abs=1e-9)
    assert shifted.distortion == pytest.approx(cold.distortion + float(pmf @ torch.arange(7.0).double()))
    warm = blahut_arimoto(pmf, d, 5.0, tolerance=1e-5, initial=cold.reproduction_pmf)
    assert warm.iterations < cold.iterations
    assert warm.rate + 5 * warm.distortion == pytest.approx(cold.rate + 5 * cold.distortion, abs=1e-5)


def test_running_out_of_iterations_is_reported_not_raised() -> None:
    pmf, d = random_problem(4)
    result = blahut_arimoto(pmf, d, 20.0, max_iterations=2, tolerance=1e-9)
    assert result.iterations == 2 and result.upper - result.lower > 1e-9


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_equals_cpu() -> None:
    pmf, d = random_problem(5)
    assert blahut_arimoto(pmf, d, 5.0, device="cuda").rate == pytest.approx(blahut_arimoto(pmf, d, 5.0).rate)


half, square = torch.tensor([0.5, 0.5]), torch.zeros(2, 2)


@pytest.mark.parametrize(
    ("arguments", "keywords", "why"),
    [
        ((torch.tensor([0.5, 0.6]), square, 1.0), {}, "source_pmf"),
        ((torch.tensor([1.5, -0.5]), square, 1.0), {}, "source_pmf"),
        ((torch.full((2, 2), 0.25), square, 1.0), {}, "source_pmf"),
        ((half, torch.zeros(3, 2), 1.0), {}, "distortion_matrix"),
        ((half, torch.full((2, 2), math.inf), 1.0), {}, "distortion_matrix"),
        ((half, square, 0.0), {}, "slope"),
        ((half, square, math.inf), {}, "slope"),
        ((half, square, 1.0), {"tolerance": 0.0}, "tolerance"),
        ((half, square, 1.0), {"max_iterations": 0}, "max_iterations"),
        ((half, square, 1.0), {"initial": torch.ones(3) / 3}, "initial"),
        ((half, square, 1.0), {"initial": torch.ones(2)}, "initial"),
    ],
)
def test_bad_arguments_are_refused(arguments: tuple, keywords: dict, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        blahut_arimoto(*arguments, **keywords)


def test_bad_separable_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="source_pmf"):
        blahut_arimoto_separable(half, (square, square), 1.0)
    with pytest.raises(ValueError, match=r"axis_distortions\[1\]"):
        blahut_arimoto_separable(torch.full((2, 2), 0.25), (square, torch.zeros(3, 2)), 1.0)
