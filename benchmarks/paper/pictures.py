"""The pictures of the results page: RD curves of a source with its bound, and quantizers' cells side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure

from benchmarks.paper.bounds import Bound
from experiment.pictures.cells import draw_cells_on
from experiment.pictures.rd_axes import decibel, label_axes
from ltc.codec import load_coder
from ltc.files import whole_file

__all__ = ["draw_cells_beside", "draw_section"]

_MARKERS = "osD^vP*X<>h"


def draw_section(
    path: Path, title: str, systems: dict[str, list[dict[str, Any]]], bound: Bound, one_shot: Any = None
) -> None:
    """Distortion over rate, and the distance to the bound over rate.

    Args:
        path: the picture.
        title: the source.
        systems: RD points of each system, by rate, with ``bound_gap``.
        bound: the curve below.
        one_shot: an entropy-distortion function, drawn too; None for none.
    """
    figure = Figure(figsize=(11, 4.8), layout="constrained")
    curves, gaps = figure.subplots(1, 2)
    for number, (name, points) in enumerate(systems.items()):
        style: dict[str, Any] = {"marker": _MARKERS[number % 11], "markersize": 4, "color": f"C{number % 10}"}
        rates = [p["rate"] for p in points]
        curves.plot(rates, decibel(np.array([p["distortion"] for p in points])), label=name, **style)
        gaps.plot(rates, [p["bound_gap"] for p in points], **style)
    everything = [p for points in systems.values() for p in points]
    # The bound where points are: a bracket by Blahut-Arimoto takes seconds, and these are known.
    grid, least = np.array(sorted((p["distortion"], p["bound_rate"]) for p in everything)).T
    known = np.isfinite(least)
    curves.plot(least[known], decibel(grid[known]), "k-" if bound.is_rd else "k--", label=bound.label)
    if one_shot is not None:
        below = np.geomspace(grid[0], min(grid[-1], 0.999 * one_shot.max_distortion), 25)
        curves.plot(
            [one_shot.rate(float(d)) for d in below], decibel(below), "k:", label="one-shot entropy-distortion function"
        )
    label_axes(curves)
    curves.set_title(title)
    gaps.set_xlabel("rate (bits per symbol)")
    gaps.set_ylabel("rate less R(D) (bits per symbol)" if bound.is_rd else "rate less the upper bound on R(D) (bits)")
    gaps.axhline(0, color="black", linewidth=0.8)
    gaps.grid(alpha=0.3)
    figure.legend(loc="outside lower center", ncols=4, fontsize=8)
    with whole_file(path) as temporary:
        figure.savefig(temporary, dpi=120)


def draw_cells_beside(path: Path, jobs: Sequence[tuple[str, Path, torch.Tensor]]) -> None:
    """The cells of several coders of pairs.

    Args:
        path: the picture.
        jobs: (heading, a run's folder with its coder.pt, samples [count, 2] of its source).
    """
    columns = math.ceil(len(jobs) / 2)
    figure = Figure(figsize=(5.2 * columns, 10.4), layout="constrained")
    for axes, (heading, folder, samples) in zip(figure.subplots(2, columns).flat, jobs, strict=True):
        draw_cells_on(axes, load_coder(folder).coder, samples)
        axes.set_title(heading)
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2, fontsize=9)
    with whole_file(path) as temporary:
        figure.savefig(temporary, dpi=110)
