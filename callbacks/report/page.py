"""The page itself: figures as JSON, put with style and scripts into the template."""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

from callbacks.report.curves import Curve, bounds, curves_of, decibels, differences
from callbacks.report.facts import sweep_facts
from callbacks.report.history import read_history, thinned
from callbacks.report.pictures import cells, decoded
from callbacks.report.sweeps import Job, read_sweeps
from ltc.files import whole_file

__all__ = ["content", "render", "write_report"]

_SCRIPTS = ["format.js", "scale.js", "chart.js", "table.js", "pictures.js", "training.js", "page.js"]
# What a browser draws with ease, and a mail takes: numbers of all training curves.
_NUMBERS = 60_000


def write_report(folders: Sequence[Path], output: Path) -> None:
    """Writes one self-contained page about sweeps, laid over each other.

    Args:
        folders: folders of sweeps, or of single runs.
        output: the page.

    Raises:
        ValueError: if a folder holds no sweep, or its files cannot be read.
        OSError: if the page cannot be written.
    """
    page = render(content(read_sweeps(folders)))
    with whole_file(output) as temporary:
        temporary.write_text(page, encoding="utf-8")


def render(figures: dict[str, Any]) -> str:
    """The page with the figures in it.

    Names come from folders and files: whatever they hold, they stay text. In the JSON ``<`` is written as its code,
    so that nothing there ends the script; the page's script makes text nodes, and never HTML, of it.
    """
    here = files(__package__)
    data = json.dumps(figures, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        data = data.replace(character, f"\\u{ord(character):04x}")
    return Template((here / "page.html").read_text(encoding="utf-8")).substitute(
        title=html.escape(figures["title"]),
        style=(here / "style.css").read_text(encoding="utf-8"),
        script="\n".join((here / name).read_text(encoding="utf-8") for name in _SCRIPTS),
        data=data,
    )


def content(jobs: Sequence[Job]) -> dict[str, Any]:
    """What the page shows: numbers and texts only."""
    curves = curves_of(jobs)
    owner = {id(job): number for number, curve in enumerate(curves) for job in curve.jobs}
    sweeps = list(dict.fromkeys(job.sweep for job in jobs))
    columns: dict[str, None] = dict.fromkeys(key for job in jobs for key in job.row)
    return {
        "title": ", ".join(sweeps),
        "sweeps": [{"name": s, "facts": sweep_facts(job for job in jobs if job.sweep == s)} for s in sweeps],
        "curves": [{"name": curve.name, "theory": _theory(curve)} for curve in curves],
        "bounds": [
            {"name": name, "points": [[rate, distortion, decibels(distortion)] for rate, distortion in pairs]}
            for name, pairs in bounds(jobs)
        ],
        "columns": list(columns),
        "points": [
            {
                "curve": owner[id(job)],
                "sweep": sweeps.index(job.sweep),
                "job": job.name,
                "decibels": decibels(job.row.get("distortion")),
                "row": [job.row.get(key) for key in columns],
            }
            for job in jobs
        ],
        "differences": differences(curves),
        "history": _history(jobs),
        "cells": cells(jobs),
        "decoded": decoded(jobs),
    }


def _theory(curve: Curve) -> float | None:
    """The gap that theory predicts for the curve's lattice, if it is one for all its points."""
    gaps = {job.row.get("theory_gap") for job in curve.jobs if job.row.get("rate") is not None}
    return gaps.pop() if len(gaps) == 1 else None


def _history(jobs: Sequence[Job]) -> list[dict[str, Any]]:
    """Training curves by quantity: of each job its number and its (step, value)."""
    logs = [read_history(job.folder) for job in jobs]
    count = sum(len(log) for log in logs)
    length = max(20, min(300, _NUMBERS // max(2 * count, 1)))
    names = dict.fromkeys(name for log in logs for name in log)
    return [
        {
            "name": name,
            "series": [
                {"point": number, "values": [[_short(x), _short(y)] for x, y in thinned(log[name], length)]}
                for number, log in enumerate(logs)
                if name in log
            ],
        }
        for name in names
    ]


def _short(value: float) -> float:
    """Six digits: more than a screen shows."""
    return float(f"{value:.6g}")
