"""The picture of an RD point: distortion in dB over rate, with R(D) and the lattice's line."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from experiment.bound_curve import write_bound
from experiment.pictures.rd_axes import decibel, label_axes
from experiment.result import Result
from ltc.files import whole_file

__all__ = ["bound_around", "draw_point", "write_picture"]


def write_picture(result: Result) -> None:
    """``rd_point.png`` in the job's folder, and to loggers that take pictures."""
    path = result.folder / "rd_point.png"
    bound = bound_around(result.point, result.function)
    if bound is not None:
        write_bound(result.folder, str(result.point["source"]), *bound)
    with whole_file(path) as temporary:
        draw_point(result.point, bound).savefig(temporary, dpi=150)
    result.log_picture("rd/picture", path)


def bound_around(point: dict[str, Any], function: Any) -> tuple[np.ndarray, np.ndarray] | None:
    """(rates, distortions) of R(D) from a third to three times a point's distortion; None where it is unknown."""
    if function is None:
        return None
    # A numeric R(D) takes seconds for each point, and is smooth.
    spread = np.geomspace(1 / 3, 3, 41 if function.exact else 5)
    curve = np.array([d for d in point["distortion"] * spread if d < function.max_distortion])
    return np.array([function.rate(float(d)) for d in curve]), curve


def draw_point(point: dict[str, Any], bound: tuple[np.ndarray, np.ndarray] | None) -> Figure:
    """One RD point, with R(D) where it is known and R(D) + the high-rate gap of the lattice."""
    figure = Figure(figsize=(6, 4.2), layout="constrained")
    axes = figure.subplots()
    if bound is not None:
        rates, curve = bound
        axes.plot(rates, decibel(curve), color="black", label="R(D)")
        if point["theory_gap"] is not None:
            axes.plot(
                rates + point["theory_gap"],
                decibel(curve),
                color="tab:blue",
                linestyle="--",
                label=f"R(D) + {point['theory_gap']:.4f} bit, theory's gap of {point['lattice']} at high rate",
            )
    label = f"{point['lattice']}, lambda = {point['lambda']:g}"
    if point["gap"] is not None and math.isfinite(point["gap"]):
        label += f": gap {point['gap']:.4f} bit"
    axes.plot(point["rate"], decibel(point["distortion"]), "o", color="tab:red", label=label)
    axes.set_title(f"{point['source']}, n = {point['n']}")
    label_axes(axes)
    # Distortion falls with rate, so the upper right is free.
    axes.legend(loc="upper right", fontsize=8)
    axes.margins(y=0.25)
    return figure
