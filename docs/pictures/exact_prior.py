"""Masses of A2's points under the exact prior, and what the masses of published rates sum to."""

from __future__ import annotations

import numpy as np
import torch

from docs.pictures.plane import cells, points_within
from docs.pictures.style import ACCENT, INK, LINE, figure, plain, save, window
from ltc import lattices
from ltc.entropy import GaussianMixture, exact_prior, voronoi_points

__all__ = ["draw"]

_DRAWS = 20_000


def draw() -> None:
    """Writes exact_prior.png."""
    made = figure(9, 3.8)
    left, right = made.subplots(1, 2, width_ratios=[1, 1.25])
    a2 = lattices.get("a2")
    points = torch.from_numpy(points_within(a2, 4.5))
    masses = _prior(1.0).log_prob(points).exp().detach().numpy()
    cells(left, a2, 4.5, values=masses)
    window(left, 2.9)
    for point, mass in zip(points.numpy(), masses, strict=True):
        if (abs(point) < 2.4).all():
            left.annotate(
                f"{mass:.3f}".removeprefix("0"),
                point,
                (0, 4),
                textcoords="offset points",
                ha="center",
                fontsize=7,
                color="white" if mass > 0.1 else "black",
            )
    left.set_title("P(k) for scale 1: the masses sum to 1", fontsize=10)
    scales = np.geomspace(0.08, 1.0, 25)
    inside = voronoi_points(a2, _DRAWS, 2).double()
    right.plot(
        scales, [_factorized(s, points, inside) for s in scales], color=ACCENT, label="coordinates averaged apart"
    )
    right.plot(
        scales, [_joint(s, points, inside) for s in scales], "--", color=LINE, label="joint average, 20,000 points"
    )
    exact = [float(_prior(s).log_prob(points).exp().sum().detach()) for s in scales]
    right.plot(scales, exact, color=INK, label="the exact prior")
    right.set(xscale="log", xlabel="scale of the latents", ylabel="sum of all masses", ylim=(0.9, 1.45))
    right.set_xticks([0.1, 0.2, 0.5, 1.0], ["0.1", "0.2", "0.5", "1"])
    right.minorticks_off()
    plain(right)
    right.legend(frameon=False, fontsize=8)
    save(made, "exact_prior")


def _prior(scale: float) -> torch.nn.Module:
    return exact_prior(lattices.get("a2"), 2, family=lambda dim: GaussianMixture(dim, components=1, scale=scale))


def _density(scale: float, points: torch.Tensor, inside: torch.Tensor) -> torch.Tensor:
    """N(0, scale^2) of each coordinate, around each point: [points, draws, 2]."""
    return torch.distributions.Normal(0, scale).log_prob(points[:, None] + inside).exp()


def _factorized(scale: float, points: torch.Tensor, inside: torch.Tensor) -> float:
    return float(_density(scale, points, inside).mean(1).prod(-1).sum())


def _joint(scale: float, points: torch.Tensor, inside: torch.Tensor) -> float:
    return float(_density(scale, points, inside).prod(-1).mean(1).sum())
