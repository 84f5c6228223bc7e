"""The picture of a sweep: RD curves beside their gaps to R(D)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from experiment.bound_curve import as_far_as, read_bound
from experiment.pictures.rd_axes import decibel, label_axes
from experiment.sweep.jobs import is_kept

__all__ = ["draw_curves"]


def draw_curves(points: Any, curve_columns: list[str], folder: Path | None = None) -> Figure:
    """Distortion over rate, and where R(D) is known the gap over rate.

    Args:
        points: pandas DataFrame of RD points.
        curve_columns: points that agree in these make a curve; it is named by those in which the curves differ.
        folder: of the sweep, whose jobs have left more of R(D) than the points say.
    """
    known = points["bound_rate"].notna().any()
    figure = Figure(figsize=(11 if known else 6, 4.6), layout="constrained")
    panels = figure.subplots(1, 2 if known else 1, squeeze=False)[0]
    present = [c for c in curve_columns if c in points]
    naming = [c for c in present if points[c].nunique() > 1] or ["lattice"]
    markers = "osD^vP*X<>h"
    for number, (key, curve) in enumerate(points.groupby(present, dropna=False, sort=False)):
        curve = curve.sort_values("rate")
        names = dict(zip(present, key, strict=True))
        style: dict[str, Any] = {
            "marker": markers[number % len(markers)],
            "markersize": 4,
            "color": f"C{number % 10}",
            "label": ", ".join(str(names[c]) for c in naming),
        }
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
