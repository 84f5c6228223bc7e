"""Which point stands for a place of the plane: the nearest one, and the one with the least error plus mu times bits."""

from __future__ import annotations

import numpy as np
import torch

from docs.pictures.plane import cells, points_within
from docs.pictures.style import ACCENT, INK, LINE, figure, save, window
from ltc import lattices
from ltc.entropy import GaussianMixture, exact_prior

__all__ = ["draw"]

_REACH, _SIDE = 2.6, 500


def draw() -> None:
    """Writes search.png."""
    made = figure(9, 3.4)
    a2 = lattices.get("a2")
    prior = exact_prior(a2, 2, family=lambda dim: GaussianMixture(dim, components=1, scale=0.6))
    grid = torch.linspace(-_REACH, _REACH, _SIDE)
    places = torch.stack(torch.meshgrid(grid, grid, indexing="xy"), -1).reshape(-1, 2)
    for axes, mu in zip(made.subplots(1, 3), (0.0, 0.06, 0.15), strict=True):
        found = prior.rd_optimal_point(places, mu) if mu else a2.quantize(places)
        bits = prior(found).detach()
        shown = bits.reshape(_SIDE, _SIDE).numpy()
        axes.imshow(
            shown, extent=(-_REACH, _REACH, -_REACH, _REACH), origin="lower", cmap="Blues_r", vmin=0, vmax=14, alpha=0.8
        )
        label = np.unique(found.numpy().round(4), axis=0, return_inverse=True)[1].reshape(_SIDE, _SIDE)
        border = (np.diff(label, axis=0, prepend=label[:1]) != 0) | (np.diff(label, axis=1, prepend=label[:, :1]) != 0)
        axes.contour(grid, grid, border.astype(float), levels=[0.5], colors=INK, linewidths=0.7)
        if mu:
            cells(axes, a2, 4.0, facecolors="none", linewidths=0.5, linestyles="--")
        axes.plot(*points_within(a2, 4.0).T, "o", color=INK, markersize=2.5)
        axes.plot(0, 0, "o", color=ACCENT, markersize=5)
        window(axes, _REACH)
        axes.set_title("nearest points" if not mu else f"a bit is worth {mu}", fontsize=10)
    for spine in (spine for axes in made.axes for spine in axes.spines.values()):
        spine.set_color(LINE)
    save(made, "search")
