"""Laws of the search under a conditional prior: it finds the cheapest points, and the nearest where bits are free."""

import numpy as np
import pytest
import torch

from ltc import lattices
from ltc.coding.conditional_search import ConditionalSearch
from ltc.entropy.conditional import conditional_prior
from ltc.lattices import TrellisLattice

SCALES = np.array([0.11, 0.3, 1.0, 4.0, 20.0])


def lattice(name: str, dim: int | None = None) -> TrellisLattice:
    found = lattices.get(name, dim)
    assert isinstance(found, TrellisLattice)
    return found


NAMES = [("z", 1), ("a2", None), ("e8", None), ("bw16", None), ("leech", None), ("tcq4", 40), ("tcq64", 40)]


def latents(dim: int, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    levels = torch.randint(len(SCALES), (count, dim))
    return torch.randn(count, dim, dtype=torch.float64) * torch.from_numpy(SCALES)[levels], levels


@pytest.mark.parametrize(("name", "dim"), NAMES)
def test_points_are_those_of_the_lattice(name, dim):
    code = lattice(name, dim)
    y, levels = latents(code.dim, 50)
    k = ConditionalSearch(code, SCALES)(y, levels, torch.full_like(y, 3.0))
    assert code.trellis.contains(k).all()


@pytest.mark.parametrize(("name", "dim"), NAMES)
def test_free_bits_give_nearest_points(name, dim):
    code = lattice(name, dim)
    y, levels = latents(code.dim, 50)
    k = ConditionalSearch(code, SCALES)(y, levels, torch.full_like(y, 1e6))
    found, nearest = code.to_points(k, torch.float64), code.quantize(y)
    assert torch.allclose((y - found).square().sum(-1), (y - nearest).square().sum(-1), atol=1e-4)


@pytest.mark.parametrize(("name", "dim"), NAMES)
@pytest.mark.parametrize("weight", [0.3, 3.0, 30.0])
def test_no_point_nearby_is_cheaper(name, dim, weight):
    """By the prior's own log probabilities: not the nearest point, and not that of a latent a little away."""
    code = lattice(name, dim)
    prior, y_levels = conditional_prior(code), latents(code.dim, 100)
    y, levels = y_levels
    scales = torch.from_numpy(SCALES)[levels]

    def cost(points: torch.Tensor) -> torch.Tensor:
        bits = -prior.log_prob(points, scales).sum(-1) / np.log(2)
        return weight * (y - points).square().sum(-1) + bits

    found = code.to_points(ConditionalSearch(code, SCALES)(y, levels, torch.full_like(y, weight)), torch.float64)
    least = cost(found)
    for _ in range(20):
        near = y * torch.rand(len(y), 1) + torch.randn_like(y) * scales * torch.rand(len(y), 1)
        assert (least <= cost(code.quantize(near)) + 1e-3).all()
    assert (least <= cost(code.quantize(y)) + 1e-3).all()


def test_among_all_integers():
    """Z has no trellis to speak of: every integer can be tried."""
    code = lattice("z", 1)
    y, levels = latents(1, 3000)
    weights = 10 ** (3 * torch.rand_like(y) - 1)
    k = ConditionalSearch(code, SCALES)(y, levels, weights)
    tried = torch.arange(-80, 81, dtype=torch.float64).expand(len(y), -1)
    log_p = conditional_prior(code).log_prob(
        tried[..., None], torch.from_numpy(SCALES)[levels][:, None].expand(-1, 161, 1)
    )
    bits = (-log_p[..., 0] / np.log(2)).clamp(max=32)
    costs = weights * (y - tried).square() + bits
    chosen = costs.gather(1, k + 80)
    assert torch.allclose(chosen[:, 0], costs.amin(1), rtol=1e-3, atol=1e-3)


def test_outliers_are_kept():
    """What no table has is not cut off at its end."""
    code = lattice("tcq8", 16)
    y = torch.full((1, 16), 500.3)
    k = ConditionalSearch(code, SCALES)(y, torch.zeros(1, 16, dtype=torch.long), torch.ones_like(y))
    assert (code.to_points(k) - y).abs().max() < 2


def test_shapes_are_checked():
    search = ConditionalSearch(lattice("e8"), SCALES)
    with pytest.raises(ValueError, match=r"\[count, 8\]"):
        search(torch.zeros(2, 7), torch.zeros(2, 7, dtype=torch.long), torch.ones(2, 7))
