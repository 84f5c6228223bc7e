"""Errors of a narrow source inside the cell of A2: they follow the source, or, with dither, fill the cell."""

from __future__ import annotations

import torch

from docs.pictures.style import ACCENT, FILL, INK, figure, save, window
from ltc import lattices
from ltc.entropy import voronoi_points
from ltc.lattices.card_plot import voronoi_cell

__all__ = ["draw"]


def draw() -> None:
    """Writes dither.png."""
    made = figure(8, 3.7)
    a2 = lattices.get("a2")
    y = torch.tensor([0.5, 0.1]) + 0.12 * torch.randn(3000, 2)
    u = voronoi_points(a2, len(y), 2)
    without = y - a2.quantize(y)
    dithered = y - u - a2.quantize(y - u)
    corners = voronoi_cell(a2.generator.numpy())
    titles = ["without dither: errors follow the source", "with dither: uniform over the cell"]
    for axes, errors, title in zip(made.subplots(1, 2), (without, dithered), titles, strict=True):
        axes.fill(*corners.T, facecolor=FILL, edgecolor=INK, linewidth=1.8)
        axes.plot(*errors.T.numpy(), ".", color=ACCENT, markersize=2, alpha=0.5)
        window(axes, 0.75)
        axes.set_title(title, fontsize=10)
    save(made, "dither")
