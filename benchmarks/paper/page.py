"""The text of ``docs/results.md``: for each source the table of its systems, and what they are compared with."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.ecvq import ECVQPoint
from benchmarks.paper.bounds import Bound
from benchmarks.paper.published import PUBLISHED
from benchmarks.paper.sections import Section
from benchmarks.paper.systems import bd_rate
from ltc.theory import GaussianRD, SampleUpperBound

__all__ = [
    "CELLS",
    "IMAGES",
    "PRIORS",
    "ecvq_lines",
    "image_lines",
    "made_by",
    "path_lines",
    "prior_lines",
    "published_lines",
    "section_lines",
    "total_minutes",
]

PRIORS, CELLS, IMAGES = "Priors for latents that depend on each other", "What the transforms learn: cells", "Images"
"""Headings of the sections beside those of the sources."""

Systems = dict[str, list[dict[str, Any]]]


def section_lines(
    section: Section,
    systems: Systems,
    bound: Bound,
    one_shot: Any,
    picture: Path,
    seconds: float,
    commits: Sequence[str],
) -> list[str]:
    """A source's section: picture, BD-rates, points."""
    source = next(iter(systems.values()))[0]["source"]
    commands = ", ".join(f"`python run.py -m --config-name {name} size=cpu`" for name in section.sweeps)
    if section.lattices:
        commands += f" and, from its coders, {', '.join(section.lattices)} as the sweep's file says,"
    made = made_by(commands, commits, seconds)
    lines = [f"## {section.title}", "", section.note, evaluated_on(systems), made, ""]
    if bound.vacuous_from is not None and source != "sawbridge":
        least = min(p["distortion"] for points in systems.values() for p in points)
        lines += [shannon_says(bound.vacuous_from, least), ""]
    lines += [f"![{section.title}: distortion over rate]({picture.parent.name}/{picture.name})", ""]
    lines += _summary(systems, bound)
    lines += ["", *_points(systems, bound, one_shot), ""]
    return lines


def evaluated_on(systems: Systems) -> str:
    """How many symbols each system was evaluated on: whole blocks only, so that systems differ.

    Example:
        >>> evaluated_on({"NTC": [{"eval_symbols": 2000}], "block LTC": [{"eval_symbols": 1792}]})
        'Evaluated on 2,000 symbols (NTC), 1,792 (block LTC), in whole blocks.'
    """
    names: dict[int, list[str]] = {}
    for name, points in systems.items():
        for count in sorted({int(p["eval_symbols"]) for p in points}, reverse=True):
            names.setdefault(count, []).append(name)
    if len(names) == 1:
        return f"Evaluated on {next(iter(names)):,} symbols."
    first, *others = [(f"{count:,}", ", ".join(found)) for count, found in sorted(names.items(), reverse=True)]
    listed = [f"{first[0]} symbols ({first[1]})", *(f"{count} ({found})" for count, found in others)]
    return f"Evaluated on {', '.join(listed)}, in whole blocks."


def shannon_says(vacuous_from: float, least: float) -> str:
    """What is known of Shannon's lower bound where only the covariance of a source is known.

    Args:
        vacuous_from: the distortion from which the bound of a Gaussian of that covariance is zero.
        least: the least distortion of the section's points.
    """
    why = "even a Gaussian of the same covariance, which has the most entropy, makes it zero"
    if vacuous_from <= least:
        return f"Shannon's lower bound says nothing here: {why} at all of these distortions."
    return (
        f"Shannon's lower bound says nothing for distortions of {vacuous_from:.3g} and more: {why} there. Below that "
        "it depends on the density, which is unknown."
    )


def _summary(systems: Systems, bound: Bound) -> list[str]:
    """A row for each system: BD-rates against NTC and against Z with the same recipe, and the distance to the bound.

    Where R(D) is unknown the distance is that to an upper bound, and a column has the lattice's part of it.
    """
    gap = "gap to R(D), bits" if bound.is_rd else f"above the upper bound on R(D) (± {_error(bound):.1g}), bits"
    integers = next((name for name in systems if name.endswith(", z")), None)
    anchors = [name for name in ("NTC", integers) if name in systems]
    head = ["system", *(f"BD-rate against {name}" for name in anchors), f"{gap}, at each lambda"]
    if not bound.is_rd:
        head.append("of it the lattice's, at most")
    lines = [_cells(head), _cells(["---"] * len(head))]
    for name, points in systems.items():
        rates = [math.nan if name == anchor else bd_rate(systems[anchor], points) for anchor in anchors]
        row = [name, *("" if math.isnan(rate) else f"{rate:+.1f} %" for rate in rates)]
        row.append(", ".join(f"{p['bound_gap']:.3f}" if math.isfinite(p["bound_gap"]) else "-" for p in points))
        if not bound.is_rd:
            gaps = [p.get("theory_gap") for p in points]
            row.append(", ".join("-" if gap is None else f"{gap:.3f}" for gap in gaps))
        lines.append(_cells(row))
    rates = []
    for name in anchors:
        known = [p for p in systems[name] if math.isfinite(p["bound_rate"])]
        rates.append(bd_rate(known, [{**p, "rate": p["bound_rate"]} for p in known]))
    most = ["R(D) itself" if bound.is_rd else "the bound itself", *(f"{rate:+.1f} %" for rate in rates)]
    lines.append(_cells(most + [""] * (len(head) - len(most))))
    return lines


def _error(bound: Bound) -> float:
    """The standard error of a bound from samples, in bits."""
    return bound.function.error if isinstance(bound.function, SampleUpperBound) else 0.0


def _cells(row: Sequence[str]) -> str:
    return f"| {' | '.join(row)} |"


def _points(systems: Systems, bound: Bound, one_shot: Any) -> list[str]:
    below = "R(D)" if bound.is_rd else "bound"
    extra = "" if one_shot is None else " one-shot bound |"
    lines = [
        f"| system | lambda | rate ± s.e. | rate in a file | distortion ± s.e. | {below} |{extra} rate + lambda D "
        "| training, s |",
        "| --- | --- | --- | --- | --- | --- |" + (" --- |" if extra else "") + " --- | --- |",
    ]
    for name, points in systems.items():
        for p in points:
            coded = "" if p.get("coded_rate") is None or math.isnan(p["coded_rate"]) else f"{p['coded_rate']:.4f}"
            allowed = f"{p['bound_rate']:.4f}" if math.isfinite(p["bound_rate"]) else "-"
            once = "" if one_shot is None else f" {one_shot.rate(p['distortion']):.4f} |"
            lines.append(
                f"| {name} | {p['lambda']:g} | {p['rate']:.4f} ± {p['rate_error']:.1g} | {coded} | "
                f"{p['distortion']:.4g} ± {p['distortion_error']:.1g} | {allowed} |"
                f"{once} {p['rate'] + p['lambda'] * p['distortion']:.4f} | {p['train_seconds']:.0f} |"
            )
    return lines


def published_lines(points: Sequence[dict[str, Any]]) -> list[str]:
    """The published figures of N(0, 1) beside ours: cost at the same lambda."""
    lines = [
        "### Beside the published figures",
        "",
        "Lei, Hassani and Saeedi Bidokhti (ICLR 2025), linear transforms with a flow prior. Both are judged by "
        "rate + lambda D at the lambda of the published point.",
        "",
        "| lattice | lambda | published rate, distortion | cost | our rate, distortion | our cost | less by |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for known in PUBLISHED:
        ours = next(
            (p for p in points if p["system"] == f"LTC, {known.lattice}" and float(p["lambda"]) == known.lmbda), None
        )
        if ours is None:
            continue
        cost = known.rate + known.lmbda * known.distortion
        our_cost = ours["rate"] + known.lmbda * ours["distortion"]
        lines.append(
            f"| {known.lattice} | {known.lmbda:g} | {known.rate:.4f}, {known.distortion:.5f} | {cost:.4f} | "
            f"{ours['rate']:.4f}, {ours['distortion']:.5f} | {our_cost:.4f} | {cost - our_cost:+.4f} |"
        )
    return [*lines, ""]


def path_lines(points: Sequence[dict[str, Any]], made: str) -> list[str]:
    """What a trellis code costs at low rate, beyond the limit of N(0, 1), where its points are those of one path.

    Args:
        points: of the sweep ``gaussian_path``.
        made: by what they were made.
    """
    lines = [
        "### At low rate, along a path",
        "",
        "A trellis code where points of their own end at sending nothing: each lambda starts from the coder of the one "
        "before (`path=[...]`), linear transforms, 256 states. Above the limit: rate + lambda D, less the least that "
        f"R(D) allows. {made}",
        "",
        "| lambda | rate ± s.e. | distortion ± s.e. | rate + lambda D | above the limit |",
        "| --- | --- | --- | --- | --- |",
    ]
    for p in sorted(points, key=lambda p: p["lambda"]):
        cost, lmbda = p["rate"] + p["lambda"] * p["distortion"], p["lambda"]
        lines.append(
            f"| {lmbda:g} | {p['rate']:.4f} ± {p['rate_error']:.1g} | {p['distortion']:.4f} ± "
            f"{p['distortion_error']:.1g} | {cost:.4f} | {cost - GaussianRD().least_cost(lmbda):.4f} |"
        )
    return [*lines, ""]


def ecvq_lines(found: Sequence[ECVQPoint], points: Sequence[dict[str, Any]]) -> list[str]:
    """ECVQ of Gaussian pairs beside the points of LTC with A2 at the same lambda."""
    lines = [
        "### ECVQ, the best that pairs can do",
        "",
        "Entropy-constrained vector quantization (Chou, Lookabaugh and Gray 1989) in two dimensions, fitted to 200,000 "
        "pairs and measured on 200,000 others, beside LTC with A2.",
        "",
        "| lambda | ECVQ: rate | gap ± s.e. | LTC, A2: rate | gap ± s.e. | difference of gaps |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for e in found:
        p = next(p for p in points if p["system"] == "LTC, a2" and float(p["lambda"]) == e.lmbda)
        lines.append(
            f"| {e.lmbda:g} | {e.rate:.4f} | {e.gap:.4f} ± {e.gap_error:.1g} | {p['rate']:.4f} | "
            f"{p['gap']:.4f} ± {p['gap_error']:.1g} | {e.gap - p['gap']:+.4f} |"
        )
    return [*lines, ""]


def prior_lines(points: Sequence[dict[str, Any]], parameters: dict[str, int], made: str) -> list[str]:
    """Exact mixtures beside flows.

    Args:
        points: of the sweep ``priors``.
        parameters: of each experiment's prior.
        made: by what they were made.
    """
    lines = [
        f"## {PRIORS}",
        "",
        "The Banana in its plane: linear transforms and A2, so that the prior has to know the shape. Flows have the "
        "paper's Monte-Carlo rate (an estimate with 256 points in the cell, and no code), the others exact rates. "
        f"{made}",
        "",
        "| prior | parameters | lambda | rate | distortion | gap to R(D) ± s.e. | rate + lambda D | training, s |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for p in sorted(points, key=lambda p: (p["lambda"], p["rate"] + p["lambda"] * p["distortion"])):
        lines.append(
            f"| {p['system']} | {parameters[p['system']]:,} | {p['lambda']:g} | {p['rate']:.4f} | "
            f"{p['distortion']:.4f} | {p['gap']:.4f} ± {p['gap_error']:.1g} | "
            f"{p['rate'] + p['lambda'] * p['distortion']:.4f} | {p['train_seconds']:.0f} |"
        )
    return [*lines, ""]


def made_by(commands: str, commits: Sequence[str], seconds: float) -> str:
    """By what a section was made, at which commits, in what time.

    Example:
        >>> made_by("`make paper`", ["abc1234"], 30.0)
        'Made by `make paper` at commit abc1234; 30 seconds.'
    """
    return f"Made by {commands} at commit {', '.join(commits)}; {_minutes(seconds)}."


def total_minutes(lines: Sequence[str]) -> float:
    """The minutes that all sections took, by what `made_by` says of each.

    Example:
        >>> total_minutes(["Made by `a` at commit 1; 3 minutes.", "", "Text. Made by `b` at commit 2; 30 seconds."])
        3.5
    """
    found = (re.search(r"Made by .* at commit .*; (\d+) (minutes|seconds)\.$", line) for line in lines)
    return sum(float(m[1]) / (1 if m[2] == "minutes" else 60) for m in found if m)


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes" if seconds >= 90 else f"{seconds:.0f} seconds"


def image_lines(page: Path) -> list[str]:
    """What ``python -m benchmarks.images`` found, taken from its page; nothing if it was not run."""
    if not page.exists():
        return []
    text = page.read_text()
    made = next(line for line in text.splitlines() if line.startswith("Made by"))
    table = text.split("## BD-rate", 1)[1].split("\n## ", 1)[0].strip()
    folder = page.stem
    return [
        f"## {IMAGES}",
        "",
        f"{made} All of it: [{page.name}]({page.name}); the command's log: [{folder}/log.txt]({folder}/log.txt).",
        "",
        table,
        "",
        f"![PSNR and MS-SSIM over bits per pixel]({folder}/psnr_curves.png)",
        "",
    ]
