"""The curves of a report: their points, failed jobs among them, their shortest names, and in what they differ."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from experiment.bound_curve import as_far_as, read_bound
from experiment.curves import ALONG, TELLING
from experiment.immaterial import tells
from experiment.report.sweeps import Job

__all__ = ["Curve", "bounds", "curves_of", "decibels", "differences"]

# What names a curve, the most telling first.
_NAMING = ["experiment", *TELLING]


@dataclass
class Curve:
    """The jobs that make a curve.

    Attributes:
        name: the shortest name that tells it from the others.
        attributes: what its points agree in: columns of the table, overrides, the sweep.
        jobs: its jobs, those with a point by rising rate, then those without.
    """

    name: str
    attributes: dict[str, str]
    jobs: list[Job] = field(default_factory=list)


def curves_of(jobs: Iterable[Job]) -> list[Curve]:
    """Groups jobs into curves: all that differ only in lambda and seed are one curve."""
    curves: dict[tuple[tuple[str, str], ...], Curve] = {}
    for job in jobs:
        attributes = {c: _text(job.row.get(c)) for c in _NAMING if job.row.get(c) is not None}
        attributes |= {k: v for k, v in job.overrides.items() if k not in attributes and _matters(k)}
        attributes["sweep"] = job.sweep
        key = tuple(sorted(attributes.items()))
        curves.setdefault(key, Curve("", attributes)).jobs.append(job)
    found = _joined(list(curves.values()))
    for curve, name in zip(found, _names([curve.attributes for curve in found]), strict=True):
        curve.name = name
        curve.jobs.sort(key=lambda job: math.inf if job.row.get("rate") is None else job.row["rate"])
    return found


def _joined(curves: list[Curve]) -> list[Curve]:
    """Failed jobs, of which less is known, on the curves with which they agree in what is known."""
    whole = [curve for curve in curves if any(job.row.get("rate") is not None for job in curve.jobs)]
    found = []
    for curve in curves:
        home = None
        if curve not in whole:
            home = next((c for c in whole if curve.attributes.items() <= c.attributes.items()), None)
        if home is None:
            found.append(curve)
        else:
            home.jobs += curve.jobs
    return found


def bounds(jobs: Iterable[Job]) -> list[tuple[str, list[tuple[float, float]]]]:
    """R(D) of each source as far as the points' rates go: name, and (rate, distortion) by rising rate.

    Sources that differ in a setting are different sources.
    """
    known: dict[tuple[str, ...], set[tuple[float, float]]] = {}
    curves: dict[tuple[str, ...], set[tuple[float, float]]] = {}
    highest: dict[tuple[str, ...], float] = {}
    for job in jobs:
        rate, distortion = job.row.get("bound_rate"), job.row.get("distortion")
        if rate is None or not distortion or distortion <= 0:
            continue
        settings = sorted(f"{k}={v}" for k, v in job.overrides.items() if k.startswith("source."))
        key = (_text(job.row.get("source")), *settings)
        known.setdefault(key, set()).add((rate, distortion))
        curves.setdefault(key, set()).update([] if job.folder is None else read_bound(job.folder))
        highest[key] = max(highest.get(key, 0.0), job.row.get("rate") or 0.0)
    lone = len(known) == 1
    return [
        (
            "R(D)" if lone else f"R(D), {', '.join(source)}",
            sorted(pairs | set(as_far_as(curves[source], pairs, highest[source])), key=lambda p: (p[0], -p[1])),
        )
        for source, pairs in known.items()
    ]


def decibels(distortion: float | None) -> float | None:
    """Distortion in dB, 10 log10 D; None where there is none, or it is 0."""
    return 10 * math.log10(distortion) if distortion is not None and distortion > 0 else None


def differences(curves: Sequence[Curve]) -> list[tuple[str, list[str]]]:
    """The settings in which curves differ, with the value of each curve ("" where it has no such setting).

    Settings are those of the composed configuration of a curve's first job; where there is none, what the table has.
    """
    found = []
    for curve in curves:
        first = curve.jobs[0]
        settings = {k: _text(v) for k, v in first.config().items() if _matters(k)} or {**curve.attributes}
        choices = {k: v for k, v in curve.attributes.items() if k in (*_NAMING, "experiment")}
        found.append({**choices, **{k: v for k, v in settings.items() if k not in choices}})
    keys = dict.fromkeys(key for settings in found for key in settings if key != "sweep")
    table = {key: [settings.get(key, "") for settings in found] for key in keys}
    rows: dict[tuple[str, ...], str] = {}
    for key, values in table.items():
        # A row that only repeats one above it says nothing more; nor does lattice.name after lattice.
        named = key.endswith(".name") and key.removesuffix(".name") in table
        if len(set(values)) > 1 and not named:
            rows.setdefault(tuple(values), key)
    return [(key, list(values)) for values, key in rows.items()]


def _matters(key: str) -> bool:
    return key not in ALONG and tells(key)


def _names(curves: Sequence[dict[str, str]]) -> list[str]:
    """The shortest names that tell all curves apart; of equally many parts, the more telling ones."""
    keys = list(dict.fromkeys(key for attributes in curves for key in attributes))
    differing = [k for k in keys if len({attributes.get(k) for attributes in curves}) > 1]
    order = [*_NAMING, "sweep", *(k for k in keys if k not in (*_NAMING, "sweep"))]
    differing.sort(key=order.index)
    if not differing:
        return [curves[0].get("lattice", curves[0]["sweep"])] if curves else []
    # Curves of several sources lie beside several bounds: which is whose is always said.
    always = [k for k in ["source"] if k in differing]
    others = [k for k in differing if k not in always]
    for count in range(min(4, len(others)) + 1):
        for chosen in itertools.combinations(others, count):
            # A folder's name or a setting alone says little of what the coder is.
            if chosen and chosen[0] not in _NAMING and others[0] in _NAMING:
                continue
            names = [_name(attributes, [*always, *chosen]) for attributes in curves]
            if len(set(names)) == len(names):
                return names
    return [_name(attributes, differing) for attributes in curves]


def _name(attributes: dict[str, str], keys: Sequence[str]) -> str:
    # Numbers and settings say nothing without their key.
    plain = {*_NAMING, "sweep"} - {"n"}
    parts = [attributes[k] if k in plain else f"{k}={attributes[k]}" for k in keys if attributes.get(k)]
    return ", ".join(parts) or attributes.get("lattice") or attributes["sweep"]


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return "" if value is None else str(value)
