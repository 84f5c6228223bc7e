"""The picture of a sweep: RD curves beside their gaps to R(D)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from experiment.bound_curve import as_far_as, read_bound
from experiment.curves import curve_style, curves
from experiment.pictures.rd_axes import decibel, label_axes
from experiment.sweep.jobs import is_kept

__all__ = ["draw_curves"]


def draw_curves(points: Any, folder: Path | None = None) -> Figure:
    """Distortion over rate, and where R(D) is known the gap over rate.

    Args:
        points: pandas DataFrame of RD points.
        folder: of the sweep, whose jobs have left more of R(D) than the points say.
    """
    known = points["bound_rate"].notna().any()
    figure = Figure(figsize=(11 if known else 6, 4.6), layout="constrained")
    panels = figure.subplots(1, 2 if known else 1, squeeze=False)[0]
    for number, (name, curve) in enumerate(curves(points)):
        style = curve_style(number) | {"label": name}
        panels[0].plot(curve["rate"], decibel(curve["distortion"].to_numpy(float)), **style)
        if known and curve["gap"].notna().any():
            panels[1].plot(curve["rate"], curve["gap"], **style)
            if curve["theory_gap"].notna().any():
                panels[1].axhline(curve["theory_gap"].iloc[0], color=style["color"], linestyle=":", linewidth=1)
    images = "psnr" in points and bool(points["psnr"].notna().all())
    label_axes(panels[0], "bits per pixel, of whole files" if images else "rate (bits per symbol)")
    if known:
        jobs = [] if folder is None else [file.parent for file in folder.rglob("rd_bound.json")]
        left = [pair for job in jobs if not is_kept(job) for pair in read_bound(job)]
        sources = list(points[points["bound_rate"].notna()].groupby("source"))
        for _, source in sources:
            pairs = list(zip(source["bound_rate"].astype(float), source["distortion"].astype(float), strict=True))
            # Several sources have bounds of their own, and files of jobs do not say which parameters they had.
            beyond = as_far_as(left, pairs, float(source["rate"].max())) if len(sources) == 1 else []
            rates, distortions = np.array(sorted({*pairs, *beyond})).T
            panels[0].plot(rates, decibel(distortions), "k-", label="R(D)")
        panels[1].set_xlabel("rate (bits per symbol)")
        panels[1].set_ylabel("gap to R(D) (bits per symbol); dotted: theory")
        panels[1].set_ylim(bottom=0, top=1.1 * float(np.nanmax([points["gap"].max(), points["theory_gap"].max()])))
        panels[1].grid(alpha=0.3)
    panels[0].set_title(", ".join(str(s) for s in points["source"].unique()))
    panels[0].legend(loc="upper right", fontsize=8)
    return figure
