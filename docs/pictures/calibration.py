"""What E8 costs on N(0, 1) as the scale of the latents changes: prior and decoder fitted anew at each scale."""

from __future__ import annotations

import numpy as np
import torch

from docs.pictures.style import ACCENT, INK, LINE, figure, plain, save
from ltc import lattices
from ltc.entropy import GaussianMixture, exact_prior
from ltc.theory import GaussianRD

__all__ = ["draw"]

_BLOCKS, _STEPS = 20_000, 120
_SCALES = np.geomspace(0.15, 4.0, 36)


def draw() -> None:
    """Writes calibration.png."""
    x = torch.randn(_BLOCKS, 8)
    rates, distortions = np.array([_fit(x, float(scale)) for scale in _SCALES]).T
    made = figure(9, 3.7)
    for axes, lmbda, title in zip(
        made.subplots(1, 2), (1.0, 4.0), ("λ = 1: the best cells are very large", "λ = 4"), strict=True
    ):
        cost = rates + lmbda * distortions
        theory = np.sqrt(lattices.get("e8").nsm / (0.7213 / lmbda))
        best = int(cost.argmin())
        axes.plot(_SCALES, cost, color=INK, label="E8, nearest points")
        axes.plot(_SCALES[best], cost[best], "o", color=ACCENT, label=f"the best scale, {_SCALES[best]:.2f}")
        axes.axvline(theory, linestyle=":", color=LINE, label="the best scale at high rate")
        axes.axhline(_bound(lmbda), linestyle="--", color=ACCENT, linewidth=1, label="what R(D) allows")
        axes.set(xscale="log", xlabel="scale of the latents", ylabel="R + λ D", title=title)
        axes.set_xticks([0.2, 0.5, 1, 2, 4], ["0.2", "0.5", "1", "2", "4"])
        axes.set_ylim(_bound(lmbda) - 0.03, _bound(lmbda) + 0.95)
        axes.minorticks_off()
        plain(axes)
        axes.legend(fontsize=8, edgecolor="none", framealpha=1, loc="upper right" if lmbda == 1 else "upper center")
    save(made, "calibration")


def _fit(x: torch.Tensor, scale: float) -> tuple[float, float]:
    """Rate in bits per number and mean squared error at one scale."""
    points = lattices.get("e8").quantize(scale * x)
    prior = exact_prior(lattices.get("e8"), 8, family=lambda dim: GaussianMixture(dim, components=2, scale=scale))
    optimizer = torch.optim.Adam(prior.parameters(), lr=0.05)
    for _ in range(_STEPS):
        optimizer.zero_grad()
        prior(points[:2000]).mean().backward()
        optimizer.step()
    with torch.no_grad():
        decoder = (x * points).sum() / points.square().sum().clamp(min=1e-9)
        return float(prior(points).mean()) / 8, float((decoder * points - x).square().mean())


def _bound(lmbda: float) -> float:
    distortion = min(1.0, 1 / (2 * np.log(2) * lmbda))
    return GaussianRD().rate(distortion) + lmbda * distortion
