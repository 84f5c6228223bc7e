"""The trellis of E8, with the path of one point, and a section of the trellis code of eight states."""

from __future__ import annotations

import torch
from matplotlib.axes import Axes

from docs.pictures.style import ACCENT, INK, LINE, figure, save
from ltc import lattices
from ltc.lattices import Trellis, TrellisLattice

__all__ = ["draw"]


def draw() -> None:
    """Writes trellis.png."""
    made = figure(10, 3.4)
    left, right = made.subplots(1, 2, width_ratios=[2.2, 1])
    e8 = lattices.get("e8")
    assert isinstance(e8, TrellisLattice)
    point = e8.to_integers(e8.quantize(torch.randn(1, 8)))[0]
    _edges(left, e8.trellis, range(8), [int(k) for k in point])
    coordinates = ", ".join(str(int(k)) for k in point)
    left.set_title(f"E8: {e8.trellis.edge_count} edges; in red the point k = ({coordinates})", fontsize=10)
    left.set_xlabel("coordinate")
    code = lattices.get("tcq8", 12)
    assert isinstance(code, TrellisLattice)
    _edges(right, code.trellis, range(6, 8), None)
    right.set_title("tcq8: two sections of an endless one", fontsize=10)
    right.set_xlabel("sample")
    save(made, "trellis")


def _edges(axes: Axes, trellis: Trellis, sections: range, path: list[int] | None) -> None:
    state = 0
    for i in sections:
        section = trellis.sections[i]
        for source, target, residue in zip(section.source, section.target, section.residue, strict=True):
            odd = residue % 2
            axes.plot([i, i + 1], [-source, -target], ":" if odd else "-", color=LINE, linewidth=1.1, zorder=1)
        if path is not None:
            residue = path[i] % trellis.modulus
            target = next(
                t
                for s, t, r in zip(section.source, section.target, section.residue, strict=True)
                if s == state and r == residue
            )
            axes.plot([i, i + 1], [-state, -target], color=ACCENT, linewidth=2.5, zorder=2)
            state = int(target)
    for i in range(sections.start, sections.stop + 1):
        count = trellis.state_counts[i]
        axes.plot([i] * count, [-s for s in range(count)], "o", color=INK, markersize=5, zorder=3)
    axes.set(yticks=[], xticks=[i + 0.5 for i in sections], xticklabels=[str(i + 1) for i in sections])
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
