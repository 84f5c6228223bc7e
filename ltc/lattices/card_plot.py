"""A picture of a lattice: the Voronoi cells around the origin in the plane, else its theta series."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ltc.lattices.lattice import Lattice
from ltc.lattices.theta import shortest_norm, theta_series

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot", "voronoi_cell"]

_INK, _FILL, _LINE = "#1b4965", "#bee3f8", "#7a8b99"

# Half the width of the plane's window, at unit volume.
_WINDOW = 2.6

# Shells of a theta series: up to this multiple of the least norm, less where there would be too many points to count.
_REACH = (6.0, 5.0, 4.0, 3.0, 2.0, 1.0)


def plot(lattice: Lattice, path: str | Path) -> None:
    """Write the picture to ``path``, in the format of its suffix."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    # Not pyplot: no window system, no state.
    figure = Figure(figsize=(6.4, 4.8), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    if lattice.dim == 2 and lattice.generator is not None:
        figure.set_size_inches(5.4, 5.6)
        _plot_cells(lattice, axes)
    else:
        _plot_shells(lattice, axes)
    figure.savefig(path, dpi=160)


def voronoi_cell(generator: np.ndarray) -> np.ndarray:
    """The corners of the origin's Voronoi cell of a lattice in the plane.

    Args:
        generator: [2, 2], rows are basis vectors.

    Returns:
        [4 or 6, 2], counterclockwise.

    Examples:
        >>> voronoi_cell(np.eye(2)).round(6).tolist()
        [[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]]
    """
    from ltc.lattices.sphere import lll

    # Of a reduced basis, the cell's faces belong to combinations with coefficients -1, 0, 1.
    z = np.array([(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if (i, j) != (0, 0)])
    vectors = z @ lll(generator)
    half = (vectors**2).sum(1) / 2
    corners = []
    for i in range(len(vectors)):
        for j in range(i):
            pair = vectors[[i, j]]
            if abs(np.linalg.det(pair)) > 1e-9:
                corner = np.linalg.solve(pair, half[[i, j]])
                if (vectors @ corner <= half + 1e-9).all():
                    corners.append(corner)
    unique = np.unique(np.round(corners, 9), axis=0)
    return unique[np.argsort(np.arctan2(unique[:, 1], unique[:, 0]))]


def _plot_cells(lattice: Lattice, axes: Axes) -> None:
    from matplotlib.collections import PolyCollection

    assert lattice.generator is not None
    basis = lattice.generator.numpy()
    cell = voronoi_cell(basis)
    reach = int(np.ceil(2 * _WINDOW * np.abs(np.linalg.inv(basis)).sum(0).max()))
    grid = np.arange(-reach, reach + 1)
    points = np.stack(np.meshgrid(grid, grid), -1).reshape(-1, 2) @ basis
    points = points[(np.abs(points) <= _WINDOW + 1).all(1)]
    axes.add_collection(
        PolyCollection(list(points[:, None] + cell), facecolors="white", edgecolors=_LINE, linewidths=1)
    )
    axes.add_collection(PolyCollection([cell], facecolors=_FILL, edgecolors=_INK, linewidths=2))
    axes.plot(*points.T, "o", color=_INK, markersize=4)
    axes.set(xlim=(-_WINDOW, _WINDOW), ylim=(-_WINDOW, _WINDOW), aspect="equal")
    axes.set(xlabel="$x_1$ (in units where a cell has area 1)", ylabel="$x_2$ (same units)")
    axes.set_title(f"{lattice.name}: points and Voronoi cells")


def _plot_shells(lattice: Lattice, axes: Axes) -> None:
    from matplotlib.ticker import MaxNLocator

    norms, counts = _shells(lattice)
    # From just above 0: the axis may be logarithmic.
    axes.vlines(norms[1:], 1e-3, counts[1:], colors=_INK, linewidth=max(0.6, min(6.0, 150 / len(norms))))
    if counts.max() > 50:
        axes.set_yscale("log")
        axes.set_ylim(0.5, counts.max() * 4)
    else:
        axes.set_ylim(0, counts.max() * 1.15)
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlim(0, norms[-1] * 1.04)
    if len(norms) <= 12:
        for norm, count in zip(norms[1:], counts[1:], strict=True):
            axes.annotate(
                _label(count), (norm, count), (0, 3), textcoords="offset points", ha="center", va="bottom", fontsize=8
            )
    axes.grid(axis="y", color=_LINE, alpha=0.3, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set(xlabel="squared distance from the origin (in units where a cell has volume 1)", ylabel="number of points")
    what = f"dimension {lattice.dim}" if lattice.generator is not None else f"sequences of {lattice.dim} samples"
    axes.set_title(f"{lattice.name}, {what}: points by distance")


def _label(count: int) -> str:
    """Exact while it is short."""
    if count < 1_000_000:
        return f"{count:,}"
    power = math.floor(math.log10(count))
    return rf"${count / 10**power:.2f}\cdot10^{{{power}}}$"


def _shells(lattice: Lattice) -> tuple[np.ndarray, np.ndarray]:
    """The theta series as far as it can be counted; of a trellis code up to the squared norm 3."""
    if lattice.generator is None:
        return theta_series(lattice, 3.0)
    least = shortest_norm(lattice)
    for reach in _REACH:
        try:
            return theta_series(lattice, reach * least * (1 + 1e-9))
        except ValueError:
            continue
    raise ValueError(f"{lattice.name} has too many points to count in {lattice.dim} dimensions.")
