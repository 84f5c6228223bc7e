"""Cells of Z^2 and A2, and the gap of every lattice over its dimension."""

from __future__ import annotations

import math

import numpy as np

from docs.pictures.plane import cells
from docs.pictures.style import ACCENT, FILL, INK, figure, plain, save, window
from ltc import lattices
from ltc.lattices.card_plot import voronoi_cell
from ltc.theory import space_filling_gap, sphere_bound

__all__ = ["draw"]

_NAMES = [
    ("z", 1, "Z"),
    ("a2", None, "A2"),
    ("an_dual", 3, "A3*"),
    ("dn", 4, "D4"),
    ("dn_dual", 5, "D5*"),
    ("e6_dual", None, "E6*"),
    ("e7_dual", None, "E7*"),
    ("e8", None, "E8"),
    ("k12", None, "K12"),
    ("bw16", None, "Λ16"),
    ("leech", None, "Λ24"),
]


def draw() -> None:
    """Writes lattice.png."""
    made = figure(10, 3.7)
    left, middle, right = made.subplots(1, 3, width_ratios=[1, 1, 1.5])
    for axes, name, dim, title in ((left, "z", 2, "Z²: squares"), (middle, "a2", None, "A2: hexagons")):
        lattice = lattices.get(name, dim)
        cells(axes, lattice, 3.5)
        corners = voronoi_cell(lattice.generator.numpy())
        axes.fill(*corners.T, facecolor=FILL, edgecolor=INK, linewidth=1.8, zorder=0.5)
        circle = math.sqrt(1 / math.pi) * np.exp(1j * np.linspace(0, 2 * math.pi, 200))
        axes.plot(circle.real, circle.imag, "--", color=ACCENT, linewidth=1.2)
        window(axes, 2.2)
        axes.set_title(f"{title}, G = {lattice.nsm:.4f}", fontsize=10)
    dims = np.arange(1, 27)
    right.plot(
        dims, [space_filling_gap(sphere_bound(int(n))) for n in dims], "--", color=ACCENT, label="balls (a bound)"
    )
    found = [lattices.get(name, dim) for name, dim, _ in _NAMES]
    gaps = [space_filling_gap(lattice.nsm) for lattice in found]
    right.plot([lattice.dim for lattice in found], gaps, "o-", color=INK, linewidth=1, markersize=4, label="lattices")
    for lattice, gap, (_, _, label) in zip(found, gaps, _NAMES, strict=True):
        right.annotate(label, (lattice.dim, gap), (3, 4), textcoords="offset points", fontsize=8)
    plain(right)
    right.set(xlabel="dimension n", ylabel="gap to R(D) at high rate, bits", ylim=(0, 0.29), xlim=(0, 26.5))
    right.legend(frameon=False, fontsize=8)
    save(made, "lattice")
