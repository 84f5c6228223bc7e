"""The points of a sweep by system (NTC, LTC, block LTC, trellis codes), and BD-rates between systems."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from benchmarks.bd_rate import bd_rate as bjontegaard_rate
from experiment.sweep.results import job_results

__all__ = ["bd_rate", "by_system", "read_sweep", "system_of"]

_KINDS = {
    "ltc": "LTC",
    "bltc": "block LTC",
    "refine": "block LTC",
    "one_shot": "one-shot LTC",
    "dither": "dithered LTC",
    "eclq": "trellis code",
}

# Rates so low that a logarithm of them says nothing.
_SILENT = 0.05


def read_sweep(folder: Path) -> list[dict[str, Any]]:
    """The points of a sweep that have figures, each with its ``system``."""
    return [
        {**result.row, "system": system_of(result.folder)}
        for result in job_results(folder)
        if result.folder is not None and result.row.get("rate") is not None
    ]


def system_of(job: Path) -> str:
    """What a job's experiment is called in the paper."""
    overrides = yaml.safe_load((job / ".hydra" / "overrides.yaml").read_text())
    chosen = {key: value for key, _, value in (str(o).partition("=") for o in overrides)}
    if "experiment" not in chosen:
        return f"LTC, {chosen['lattice']}"
    experiment = chosen["experiment"]
    if "_" not in experiment:
        return experiment.upper()
    found = [kind for kind in _KINDS if experiment.startswith(f"{kind}_")]
    return f"{_KINDS[found[0]]}, {experiment.removeprefix(f'{found[0]}_')}" if found else experiment


def by_system(points: Sequence[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """The points of each system, by rate; NTC first, others in the order of the sweep."""
    systems: dict[str, list[dict[str, Any]]] = {}
    for point in points:
        systems.setdefault(point["system"], []).append(point)
    ordered = sorted(systems, key=lambda name: name != "NTC")
    return {name: sorted(systems[name], key=lambda p: p["rate"]) for name in ordered}


def bd_rate(anchor: Sequence[dict[str, Any]], test: Sequence[dict[str, Any]]) -> float:
    """BD-rate in percent of the points of two systems, those with a rate above 0.05 bit; NaN where there is none."""
    curves = []
    for points in (anchor, test):
        heard = sorted((p for p in points if p["rate"] > _SILENT), key=lambda p: p["rate"])
        curves += [[p["rate"] for p in heard], [-10 * math.log10(p["distortion"]) for p in heard]]
    return bjontegaard_rate(*curves)
