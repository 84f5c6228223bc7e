"""One symbol at a time: lattices beside rounding and NTC with the same transforms, latents, steps and seeds.

    python -m benchmarks.one_shot                    # all sweeps, hours; goes on where it was stopped
    python -m benchmarks.one_shot physics_one_shot   # one of them; the page's other sections stay

Runs the sweeps ``multirun_sweeps/*_one_shot.yaml``, three seeds of each point, and ``dithered.yaml``, the systems of
Lei, Hassani & Saeedi Bidokhti (ICLR 2025), into ``multirun/``; writes ``docs/one_shot.md`` with a picture of each.
"""

from __future__ import annotations

import argparse
import math
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from benchmarks.kept_sections import sections, with_kept
from benchmarks.paper.systems import bd_rate, by_system, read_sweep
from benchmarks.provenance import commits_of, provenance
from docs.pictures.style import figure, plain
from ltc.files import whole_file

_ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Sweep:
    """A section of the page: its title, the sweep's file, and what is asked of it beside."""

    title: str
    config: str
    overrides: tuple[str, ...] = ()


_SPEECH = ("source=speech", "lambda=4,8,16,64", "gain=1")
_SWEEPS = {
    "physics_one_shot": Sweep("Physics, four latents", "physics_one_shot"),
    "speech_one_shot": Sweep("Speech, four latents", "speech_one_shot"),
    "banana_one_shot": Sweep("Banana at high rate, two latents", "banana_one_shot"),
    "physics_a2": Sweep("Physics, the paper's A2 with dither", "dithered"),
    "physics_d4": Sweep(
        "Physics, the paper's D4* with dither", "dithered", ("symbol.latents=4", "experiment=ntc,dither_dn_dual")
    ),
    "speech_d4": Sweep(
        "Speech, the paper's D4* with dither",
        "dithered",
        (*_SPEECH, "symbol.latents=4", "experiment=ntc,dither_dn_dual"),
    ),
    "speech_e8": Sweep(
        "Speech, the paper's E8 with dither", "dithered", (*_SPEECH, "symbol.latents=8", "experiment=ntc,dither_e8")
    ),
}

_DITHER = (
    "The systems with dither are those of Lei, Hassani & Saeedi Bidokhti (ICLR 2025): their lattices and numbers of "
    "latents, perceptrons of width 500, a dither in training and in evaluation, no search. NTC has as many latents, "
    "and the same transforms, steps and lambdas. At the highest rates a lattice with dither costs less than NTC does, "
    "at low rates more."
)

Points = list[dict[str, Any]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "sweeps", nargs="*", choices=[*_SWEEPS, []], metavar="SWEEP", help=f"{', '.join(_SWEEPS)} (all)"
    )
    parser.add_argument("--jobs", type=int, default=2, help="jobs at a time, a thread each")
    options = parser.parse_args()
    for name in options.sweeps or _SWEEPS:
        run(_SWEEPS[name], _ROOT / "multirun" / name, options.jobs)
    head = [
        "# One symbol at a time, measured",
        "",
        f"Made by `python -m benchmarks.one_shot`; {provenance()}. One sweep can be measured anew by itself, so each "
        "section says its own commit. Seeds 0, 1 and 2, and 0 alone with dither.",
        "",
        "The same standardized transforms, latents, learning rates, steps and seeds in every row of a table. NTC has "
        "noise and then rounding; the others go on with true quantization, the decoder in the encoder's search "
        "(`experiment=one_shot`), Z like the lattice. Errors are standard deviations over the seeds. Where a lattice "
        "is no better than Z, a likely reason is that search: a decoder that is trained with it can make of integers a "
        "vector quantizer of a few dimensions, which leaves little for a lattice of as few.",
    ]
    made = []
    for name, sweep in _SWEEPS.items():
        if (_ROOT / "multirun" / name / "rd_points.csv").exists():
            made += section(name, sweep)
    page = _ROOT / "docs" / "one_shot.md"
    body = with_kept(made, page, [sweep.title for sweep in _SWEEPS.values()])
    if any("with dither" in title for title in sections(body)):
        head += ["", _DITHER]
    text = "\n".join([*head, "", *body]) + "\n"
    with whole_file(page) as temporary:
        temporary.write_text(text)
    print(text)


def run(sweep: Sweep, folder: Path, jobs: int) -> None:
    """Runs what is missing of a sweep."""
    parallel = ["hydra/launcher=joblib", f"hydra.launcher.n_jobs={jobs}"] if jobs > 1 else []
    command = [sys.executable, "run.py", *_arguments(sweep), *parallel, "logger=none", f"hydra.sweep.dir={folder}"]
    subprocess.run(command, cwd=_ROOT, check=True)


def _arguments(sweep: Sweep) -> list[str]:
    return ["-m", "--config-name", sweep.config, "size=cpu", *sweep.overrides]


def section(name: str, sweep: Sweep) -> list[str]:
    """Picture, BD-rates and points of a sweep."""
    folder = _ROOT / "multirun" / name
    systems = by_system(read_sweep(folder))
    draw(systems, sweep.title, _ROOT / "docs" / "results" / f"{name}.png")
    made = f"Made by `python run.py {' '.join(_arguments(sweep))}` at commit {', '.join(commits_of([folder]))}."
    picture = f"![{sweep.title}: distortion over rate](results/{name}.png)"
    return ["", f"## {sweep.title}", "", made, "", picture, "", *rates(systems), "", *costs(systems)]


def _seeds(points: Points) -> list[Points]:
    """The curve of each seed."""
    return [[p for p in points if p["seed"] == seed] for seed in sorted({p["seed"] for p in points})]


def _about(values: list[float], digits: int) -> str:
    return f"{fmean(values):.{digits}f}{_spread(values, digits)}"


def _percent(values: list[float]) -> str:
    return f"{fmean(values):+.1f}{_spread(values, 1)} %"


def _spread(values: list[float], digits: int) -> str:
    return f" ± {stdev(values):.{digits}f}" if len(values) > 1 else ""


def rates(systems: dict[str, Points]) -> list[str]:
    """BD-rates of each system's curves against NTC's and Z's, seed by seed."""
    anchors = [name for name in systems if name == "NTC" or name.endswith(", z")]
    lines = ["| system | " + " | ".join(f"BD-rate against {name}" for name in anchors) + " |"]
    lines.append("| --- |" + " --- |" * len(anchors))
    for name, points in systems.items():
        cells = []
        for anchor in anchors:
            pairs = zip(_seeds(systems[anchor]), _seeds(points), strict=True)
            found = [rate for rate in (bd_rate(*pair) for pair in pairs) if math.isfinite(rate)]
            cells.append(_percent(found) if name != anchor and found else "")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines


def costs(systems: dict[str, Points]) -> list[str]:
    """A row for each system and lambda: means and standard deviations over seeds."""
    lines = ["| system | lambda | rate, bits | distortion | rate + lambda D | spread of it | training, s |"]
    lines.append("| --- |" + " --- |" * 6)
    for name, points in systems.items():
        for lmbda in sorted({p["lambda"] for p in points}):
            here = [p for p in points if p["lambda"] == lmbda]
            cost = [p["rate"] + lmbda * p["distortion"] for p in here]
            spread = f"{100 * stdev(cost) / fmean(cost):.1f} %" if len(cost) > 1 else ""
            distortion = fmean(p["distortion"] for p in here)
            seconds = fmean(p["train_seconds"] for p in here)
            rate = _about([p["rate"] for p in here], 3)
            lines.append(
                f"| {name} | {lmbda:g} | {rate} | {distortion:.4g} | {_about(cost, 3)} | {spread} | {seconds:.0f} |"
            )
    return lines


def draw(systems: dict[str, Points], title: str, path: Path) -> None:
    """Distortion over rate, a line for each seed."""
    made = figure(7.0, 4.4)
    axes = made.subplots()
    for number, (name, points) in enumerate(systems.items()):
        for seed, curve in enumerate(_seeds(points)):
            style = {"color": f"C{number}", "marker": "o", "markersize": 3, "linewidth": 1, "alpha": 0.8}
            axes.plot(
                [p["rate"] for p in curve],
                [p["distortion"] for p in curve],
                label=None if seed else name,
                **style,  # type: ignore[arg-type]
            )
    axes.set(yscale="log", xlabel="rate (bits/symbol)", ylabel="distortion (MSE)", title=title)
    axes.legend(frameon=False)
    plain(axes)
    path.parent.mkdir(exist_ok=True)
    made.savefig(path, dpi=110, metadata={"Software": None})


if __name__ == "__main__":
    main()
