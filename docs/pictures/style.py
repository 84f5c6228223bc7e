"""How the pictures look, and where they go."""

from __future__ import annotations

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

__all__ = ["ACCENT", "FILL", "INK", "LINE", "figure", "plain", "save", "window"]

INK, FILL, LINE, ACCENT = "#1b4965", "#bee3f8", "#7a8b99", "#d1495b"

_FOLDER = Path(__file__).resolve().parent.parent / "ideas"


def figure(width: float = 9.0, height: float = 4.0) -> Figure:
    """A figure without a window system or state."""
    made = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(made)
    return made


def plain(axes: Axes) -> None:
    """A light grid, and lines at the left and the bottom only."""
    axes.grid(color=LINE, alpha=0.25, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def window(axes: Axes, reach: float) -> None:
    """A square piece of the plane around the origin, without ticks."""
    axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", xticks=[], yticks=[])


def save(made: Figure, name: str) -> None:
    """Writes ``ideas/NAME.png``."""
    made.savefig(_FOLDER / f"{name}.png", dpi=110, metadata={"Software": None})
