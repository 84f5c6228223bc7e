"""Pictures of RD points: distortion in dB over rate, with R(D) and the lattice's line."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
from matplotlib.figure import Figure

from callbacks.bound_curve import write_bound
from callbacks.rd_axes import decibel, label_axes
from callbacks.rd_point import RDPointWriter
from ltc.files import whole_file

__all__ = ["RDPicture"]


class RDPicture(pl.Callback):
    """Draws ``rd_point.png`` after the test, and hands it to loggers that take pictures.

    Args:
        folder: where to write.
    """

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder)

    def on_test_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        writer = next((c for c in trainer.callbacks if isinstance(c, RDPointWriter)), None)  # type: ignore[attr-defined]
        if writer is None or not writer.point or not trainer.is_global_zero:
            return
        path = self.folder / "rd_point.png"
        bound = bound_around(writer.point, writer.function)
        figure = draw_point(writer.point, bound)
        if bound is not None:
            write_bound(self.folder, str(writer.point["source"]), *bound)
        with whole_file(path) as temporary:
            figure.savefig(temporary, dpi=150)
        for logger in trainer.loggers:
            if hasattr(logger, "log_image"):
                logger.log_image("rd/picture", [str(path)])


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
