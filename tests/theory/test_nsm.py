"""Second moments: known lattices within the standard error, the sphere bound below them, and the entropy."""

import math
import subprocess
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ltc.theory import entropy_of_points, estimate_nsm, space_filling_gap, sphere_bound

seed = st.integers(0, 2**31)


def nearest_checkerboard(x: torch.Tensor) -> torch.Tensor:
    """The nearest point of D_n: integers of even sum. If rounding misses, the worst coordinate goes the other way."""
    k = x.round()
    error = x - k
    worst = error.abs().argmax(-1, keepdim=True)
    flip = torch.where(error.gather(-1, worst) >= 0, 1.0, -1.0).to(x)
    odd = (k.sum(-1, keepdim=True) % 2).abs()
    return k.scatter_add(-1, worst, flip * odd)


@settings(deadline=None, max_examples=15)
@given(seed, st.integers(1, 24), st.floats(0.1, 10.0))
def test_cubic_lattice_of_any_scale_is_one_twelfth(seed: int, dim: int, scale: float) -> None:
    g = torch.Generator().manual_seed(seed)
    nsm, error = estimate_nsm(lambda x: (x / scale).round() * scale, scale * torch.eye(dim), dim, 20_000, g)
    assert abs(nsm - 1 / 12) < 5 * error
    # The variance of e^2 for e uniform of unit width is 1/180.
    assert error == pytest.approx(math.sqrt(1 / 180 / dim / 20_000), rel=0.1)


def test_d4_from_its_basis_and_from_a_sampler() -> None:
    basis = torch.tensor([[1, 1, 0, 0], [1, -1, 0, 0], [0, 1, -1, 0], [0, 0, 1, -1]], dtype=torch.float64)
    g = torch.Generator().manual_seed(0)
    nsm, error = estimate_nsm(nearest_checkerboard, basis, 4, 600_000, g)  # several chunks
    assert abs(nsm - 0.076603) < 4 * error < 5e-4
    unit = 2**-0.25  # D4 has volume 2; 2 * unit * Z^4 is a sublattice, so a cube of that side is a period

    def cube(count: int, generator: torch.Generator) -> torch.Tensor:
        return 2 * unit * torch.rand(count, 4, generator=generator, dtype=torch.float64)

    nsm, error = estimate_nsm(lambda x: nearest_checkerboard(x / unit) * unit, cube, 4, 200_000, g)
    assert abs(nsm - 0.076603) < 4 * error


def test_same_seed_same_estimate() -> None:
    def run() -> tuple[float, float]:
        return estimate_nsm(torch.round, torch.eye(2), 2, 1000, torch.Generator().manual_seed(7))

    assert run() == run()


PUBLISHED = {
    1: 1 / 12,
    2: 0.080188,
    3: 0.078543,
    4: 0.076603,
    8: 0.071682,
    12: 0.070096,
    16: 0.068298,
    24: 0.065771,
}


@pytest.mark.parametrize(("dim", "nsm"), PUBLISHED.items())
def test_sphere_bound_is_below_every_lattice(dim: int, nsm: float) -> None:
    assert sphere_bound(dim) <= nsm * (1 + 1e-12)
    assert 0 < space_filling_gap(sphere_bound(dim)) <= space_filling_gap(nsm) + 1e-12


@given(st.integers(1, 10_000))
def test_sphere_bound_falls_to_shannons_limit(dim: int) -> None:
    assert 1 / (2 * math.pi * math.e) < sphere_bound(dim + 1) < sphere_bound(dim)


def test_space_filling_gap_of_the_limit_is_zero() -> None:
    assert space_filling_gap(1 / (2 * math.pi * math.e)) == pytest.approx(0, abs=1e-12)


@settings(deadline=None, max_examples=20)
@given(seed, st.integers(1, 4), st.integers(2, 6))
def test_entropy_of_uniform_points(seed: int, dim: int, sides: int) -> None:
    g = torch.Generator().manual_seed(seed)
    points = torch.randint(-sides, 0, (20_000, dim), generator=g).float()
    estimate = entropy_of_points(points)
    exact = dim * math.log2(sides)
    assert estimate.plug_in <= exact + 1e-12
    bias = (estimate.distinct - 1) / (2 * len(points) * math.log(2))
    assert estimate.miller_madow == pytest.approx(estimate.plug_in + bias)
    assert estimate.miller_madow == pytest.approx(exact, abs=2e-3 + 0.3 * bias)
    shuffled = points[torch.randperm(len(points), generator=g)] + 3
    assert entropy_of_points(shuffled) == pytest.approx(estimate)


def test_entropy_of_one_point_is_zero() -> None:
    assert entropy_of_points(torch.zeros(10, 3)) == (0.0, 0.0, 1)


def test_bad_arguments_are_refused() -> None:
    g = torch.Generator().manual_seed(0)
    with pytest.raises(ValueError, match="nsm"):
        space_filling_gap(0.0)
    with pytest.raises(ValueError, match="dim"):
        sphere_bound(0)
    with pytest.raises(ValueError, match="samples"):
        estimate_nsm(torch.round, torch.eye(2), 2, 1, g)
    with pytest.raises(ValueError, match="basis"):
        estimate_nsm(torch.round, torch.eye(3), 2, 10, g)
    with pytest.raises(ValueError, match="singular"):
        estimate_nsm(torch.round, torch.ones(2, 2), 2, 10, g)
    with pytest.raises(ValueError, match="points"):
        entropy_of_points(torch.zeros(5))
    with pytest.raises(ValueError, match="integers"):
        entropy_of_points(torch.full((5, 2), 0.5))


def test_the_package_stands_alone() -> None:
    """Nothing heavy, and no other part of the project, comes along with the import."""
    heavy = ["matplotlib", "pandas", "scipy", "lightning", "hydra", "ltc.lattices", "ltc.models"]
    code = f"import sys, ltc.theory; print([m for m in {heavy!r} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert found.strip() == "[]"
