"""Cells of lattices in the plane."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection

from docs.pictures.style import INK, LINE
from ltc.lattices import Lattice
from ltc.lattices.card_plot import voronoi_cell

__all__ = ["cells", "points_within"]


def points_within(lattice: Lattice, reach: float) -> np.ndarray:
    """The points of a lattice of the plane with coordinates up to ``reach``: [count, 2]."""
    assert lattice.generator is not None
    basis = lattice.generator.numpy()
    size = int(np.ceil(2 * reach * np.abs(np.linalg.inv(basis)).sum(0).max()))
    grid = np.arange(-size, size + 1)
    points = np.stack(np.meshgrid(grid, grid), -1).reshape(-1, 2) @ basis
    return points[(np.abs(points) <= reach).all(1)]


def cells(axes: Axes, lattice: Lattice, reach: float, values: np.ndarray | None = None, **style: object) -> None:
    """Draws the Voronoi cells around the points of ``points_within``, and the points.

    Args:
        axes: where.
        lattice: of the plane.
        reach: of the points.
        values: a number for each point, which colours its cell.
        style: of the cells.
    """
    assert lattice.generator is not None
    points = points_within(lattice, reach)
    cell = voronoi_cell(lattice.generator.numpy())
    look = {"edgecolors": LINE, "linewidths": 0.9, "facecolors": "white", **style}
    if values is not None:
        look.pop("facecolors")
        look |= {"array": values, "cmap": "Blues"}
    axes.add_collection(PolyCollection(list(points[:, None] + cell), **look))
    axes.plot(*points.T, "o", color=INK, markersize=2.5)
