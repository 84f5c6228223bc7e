"""The two pictures of the page on the limit: gap against speed, and gap against rate."""

from __future__ import annotations

from pathlib import Path

from docs.pictures.style import ACCENT, INK, LINE, figure, plain

__all__ = ["draw_rates", "draw_speeds"]

# What a point is: its colour, whether it is filled, and the legend.
_KINDS = {
    "file": (INK, INK, "ltc.pack: rounding and trellis codes, whole files"),
    "search": (LINE, "white", "lattices, the search alone"),
    "rival": (ACCENT, ACCENT, "NNCodec, whole files"),
}


def draw_speeds(points: list[tuple[str, float, float, str]], path: Path) -> None:
    """Writes the picture of (name, million numbers a second, gap in bits, kind)."""
    made = figure(8.0, 5.6)
    axes = made.add_subplot()
    for kind, (colour, face, label) in _KINDS.items():
        some = [p for p in points if p[3] == kind]
        if some:
            at = [p[1] for p in some], [p[2] for p in some]
            axes.plot(*at, "o", color=colour, markerfacecolor=face, label=label, zorder=3)
    files = sorted((p for p in points if p[3] == "file" and p[0] != "z"), key=lambda p: p[2])
    axes.plot([p[1] for p in files], [p[2] for p in files], color=INK, linewidth=0.8, alpha=0.5)
    for name, speed, gap, kind in points:
        shown = name.removeprefix("tcq") if kind == "file" and name not in ("tcq4", "z") else name
        # Below the codes' line there is room, and above all else.
        below = kind == "file" and name != "z"
        axes.annotate(
            f"{int(shown):,}" if shown.isdigit() else shown,
            (speed, gap),
            xytext=(7, -2 if below else 2),
            textcoords="offset points",
            ha="left",
            va="top" if below else "bottom",
            fontsize=9,
            color=_KINDS[kind][0],
        )
    axes.set_xscale("log")
    axes.set_yscale("log")
    ticks = [0.01, 0.02, 0.05, 0.1, 0.2]
    axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.set(xlabel="million numbers encoded per second", ylabel="bits above R(D) at 2 bits, N(0, 1)")
    speeds = [p[1] for p in points]
    axes.set(xlim=(min(speeds) / 2.5, max(speeds) * 2.5), ylim=(0.01, 0.32))
    axes.legend(frameon=False, loc="upper left", fontsize=9)
    plain(axes)
    made.savefig(path, dpi=110, metadata={"Software": None})


def draw_rates(curves: dict[str, list[tuple[float, float]]], path: Path) -> None:
    """Writes the picture of the gap, in bits, over the rate, for each name."""
    made = figure(8.0, 4.4)
    axes = made.add_subplot()
    looks = {"z": (LINE, "-", "rounding"), "Leech": (LINE, "--", "Leech"), "NNCodec": (ACCENT, "-", "NNCodec")}
    for name, points in curves.items():
        colour, line, label = looks.get(name, (INK, "--" if name == "tcq256" else "-", name))
        points = sorted(points)
        axes.plot(*zip(*points, strict=True), marker="o", markersize=4, color=colour, linestyle=line)
        axes.annotate(label, points[-1], xytext=(7, 0), textcoords="offset points", va="center", color=colour)
    axes.set(xlabel="rate, bits a number", ylabel="bits above R(D), N(0, 1)", xlim=(0, 3.6), ylim=(0, None))
    plain(axes)
    made.savefig(path, dpi=110, metadata={"Software": None})
