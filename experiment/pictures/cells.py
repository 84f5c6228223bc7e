"""A picture of the quantizer's cells in the source's plane, where a block has two components."""

from __future__ import annotations

from typing import Any

import torch
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from experiment.result import Result
from ltc.files import whole_file

__all__ = ["draw_cells", "draw_cells_on", "write_cells"]

_GRID = 500


def write_cells(result: Result) -> None:
    """``cells.png`` in the job's folder, of a coder whose blocks have two components; nothing for others."""
    source, n = result.data.source, result.module.n
    if source.dim * n != 2:
        return
    samples = source.sample(4000 * n, torch.Generator().manual_seed(1)).reshape(-1, 2)
    path = result.folder / "cells.png"
    with whole_file(path) as temporary:
        draw_cells(result.module.coder, samples.to(result.module.device)).savefig(temporary, dpi=150)
    result.log_picture("rd/cells", path)


def draw_cells(coder: Any, samples: torch.Tensor) -> Figure:
    """Cell boundaries and reconstruction points of a coder of pairs, over samples [count, 2] of its source."""
    figure = Figure(figsize=(6, 6), layout="constrained")
    axes = figure.subplots()
    draw_cells_on(axes, coder, samples)
    axes.set_title("cells of the quantizer in the source's plane")
    figure.legend(loc="outside lower center", ncols=2, fontsize=8)
    return figure


@torch.no_grad()
def draw_cells_on(axes: Axes, coder: Any, samples: torch.Tensor) -> None:
    """`draw_cells` on axes that exist, without title and legend."""
    low, high = samples.quantile(0.002, dim=0), samples.quantile(0.998, dim=0)
    x1, x2 = (torch.linspace(float(a), float(b), _GRID, device=samples.device) for a, b in zip(low, high, strict=True))
    plane = torch.cartesian_prod(x1, x2)
    coder.eval()
    points = torch.cat([coder.reconstruct(part) for part in plane.split(50_000)])
    # Cells are told apart by their reconstruction points.
    _, cell = torch.unique((points * 1e4).round(), dim=0, return_inverse=True)
    cell = cell.reshape(_GRID, _GRID).cpu()
    used = torch.unique((coder.reconstruct(samples) * 1e4).round(), dim=0).cpu() / 1e4

    cloud = samples[:2000].cpu()
    axes.plot(cloud[:, 0], cloud[:, 1], ".", color="tab:blue", alpha=0.25, markersize=2, label="samples")
    axes.add_collection(LineCollection(_boundaries(cell, x1.cpu(), x2.cpu()), colors="0.35", linewidths=0.7))
    axes.plot(used[:, 0], used[:, 1], "o", color="tab:red", markersize=3, label="reconstruction points")
    axes.set_xlim(float(low[0]), float(high[0]))
    axes.set_ylim(float(low[1]), float(high[1]))
    axes.set_xlabel("first component")
    axes.set_ylabel("second component")
    axes.set_aspect("equal")


def _boundaries(cell: torch.Tensor, x1: torch.Tensor, x2: torch.Tensor) -> list:
    """Segments between neighbouring grid points of different cells."""
    d1, d2 = float(x1[1] - x1[0]) / 2, float(x2[1] - x2[0]) / 2
    lines = []
    for i, j in (cell[1:] != cell[:-1]).nonzero().tolist():
        x, y = float(x1[i]) + d1, float(x2[j])
        lines.append([(x, y - d2), (x, y + d2)])
    for i, j in (cell[:, 1:] != cell[:, :-1]).nonzero().tolist():
        x, y = float(x1[i]), float(x2[j]) + d2
        lines.append([(x - d1, y), (x + d1, y)])
    return lines
