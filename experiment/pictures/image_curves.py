"""PSNR and MS-SSIM of image networks over the rate of real files, as the field draws them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from experiment.curves import curve_style, curves

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_image_curves"]


def draw_image_curves(points: Any) -> Figure:
    """PSNR over bits per pixel, and MS-SSIM in dB where it is known; on Kodak once more beside published curves.

    Args:
        points: pandas DataFrame of RD points of images.
    """
    import numpy as np
    from matplotlib.figure import Figure

    on_kodak = "test_set" in points and bool((points["test_set"] == "kodak").all())
    points = points.assign(similarity=-10 * np.log10(1 - points["ms_ssim"].astype(float)))
    known = ["psnr", "similarity"] if points["ms_ssim"].notna().any() else ["psnr"]
    # Ours alone first: beside what took millions of steps, curves of short trainings lie on each other.
    shown = [*known[:1], *known] if on_kodak else known
    figure = Figure(figsize=(1 + 5 * len(shown), 4.6), layout="constrained")
    panels = figure.subplots(1, len(shown), squeeze=False)[0]
    for number, (name, curve) in enumerate(curves(points, along="coded_rate")):
        for panel, quality in zip(panels, shown, strict=True):
            panel.plot(curve["coded_rate"], curve[quality], label=name, **curve_style(number))
    if on_kodak:
        _draw_published(panels[1:], points)
    for panel, quality in zip(panels, shown, strict=True):
        panel.set_xlabel("bits per pixel, of whole files")
        panel.set_ylabel("PSNR (dB)" if quality == "psnr" else "MS-SSIM (dB): -10 log10(1 - MS-SSIM)")
        panel.grid(alpha=0.3)
    title = "trained on " + ", ".join(str(s) for s in points["source"].unique())
    if "test_set" in points:
        title += "; tested on " + ", ".join(str(s) for s in points["test_set"].unique())
    figure.suptitle(title, fontsize=10)
    # Beside the panels: curves of images fill theirs from corner to corner.
    handles, labels = panels[-1].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right center", fontsize=8)
    return figure


def _draw_published(panels: Any, points: Any) -> None:
    """Published curves of PSNR, and of MS-SSIM where there is a second panel, as far as our rates go."""
    import numpy as np

    from experiment.pictures.published_curves import KODAK

    low, high = 0.7 * points["coded_rate"].min(), 1.3 * points["coded_rate"].max()
    for curve, dashes in zip(KODAK, (":", "-.", "--", (0, (5, 1))), strict=True):
        rate, psnr, similarity = np.array(curve.points).T
        at = np.unique(np.concatenate([rate, [low, high]]).clip(max(low, rate[0]), min(high, rate[-1])))
        values = (np.interp(at, rate, psnr), np.interp(at, rate, -10 * np.log10(1 - similarity)))
        for panel, value in zip(panels, values, strict=False):
            panel.plot(at, value, color="0.5", linewidth=1, linestyle=dashes, label=curve.name, zorder=1)
