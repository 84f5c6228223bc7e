"""The axes of every RD picture: distortion in dB over rate. Light to import, as whatever ends a sweep."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

__all__ = ["decibel", "label_axes"]


def decibel(distortion: float | np.ndarray) -> np.ndarray:
    """Distortion in dB, 10 log10 D."""
    return 10 * np.log10(distortion)


def label_axes(axes: Axes, rate: str = "rate (bits per symbol)") -> None:
    """The axes of every RD picture; ``rate`` names the first one."""
    axes.set_xlabel(rate)
    axes.set_ylabel("distortion (dB)")
    axes.grid(alpha=0.3)
