"""The experiments of the paper: every sweep, its bound, and the page that puts them side by side.

    python -m benchmarks.paper                    # or: make paper
    python -m benchmarks.paper --sweeps banana    # one source's sweeps; the page's other sections stay
    python -m benchmarks.paper --size paper --folder multirun/paper_full --page docs/results_paper.md

A second run does only what is missing: jobs, bounds and fits that are in the folder are kept.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from rich.console import Console

import conf  # noqa: F401  (Hydra finds the sweeps)
from benchmarks.ecvq import ECVQPoint, measure
from benchmarks.kept_sections import with_kept
from benchmarks.paper.bounds import bound_of
from benchmarks.paper.page import (
    CELLS,
    IMAGES,
    PRIORS,
    ecvq_lines,
    image_lines,
    made_by,
    path_lines,
    prior_lines,
    published_lines,
    section_lines,
    total_minutes,
)
from benchmarks.paper.pictures import draw_cells_beside, draw_section
from benchmarks.paper.sections import LATTICES, SECTIONS, Section
from benchmarks.paper.systems import by_system, read_sweep, system_of
from benchmarks.provenance import commits_of, provenance
from benchmarks.spent import counted, spent
from ltc.files import whole_file, write_json
from ltc.theory import SawbridgeEntropyDistortion

_ROOT = Path(__file__).resolve().parent.parent.parent
_SWEEPS = [name for section in SECTIONS for name in section.sweeps] + ["gaussian_path", "pairs", "priors"]
_ECVQ_LAMBDAS = (2.0, 4.0, 8.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=["cpu", "paper"], default="cpu")
    parser.add_argument("--sweeps", nargs="+", choices=_SWEEPS, default=_SWEEPS, metavar="NAME", help=str(_SWEEPS))
    parser.add_argument("--folder", type=Path, default=_ROOT / "multirun" / "paper", help="where the sweeps are")
    parser.add_argument("--page", type=Path, default=_ROOT / "docs" / "results.md")
    parser.add_argument("--jobs", type=int, default=2, help="jobs at a time, a thread each")
    options = parser.parse_args()
    # CompressAI's import of torch_geometric, when a prior of NTC's is made.
    warnings.filterwarnings("ignore", message=".*torch.jit.script.* is deprecated", category=FutureWarning)
    console = Console()
    lattices = {section.sweeps[0]: section.lattices for section in SECTIONS}
    for name in options.sweeps:
        console.rule(f"{name}: {options.folder / name}")
        _sweep(name, options.folder / name, options)
        if lattices.get(name):
            going_on = f"{name}{LATTICES}"
            console.rule(f"{going_on}: {options.folder / going_on}")
            _sweep(name, options.folder / going_on, options, *_from(options.folder / name, lattices[name]))
    _write_page(options, console)


def _from(start: Path, lattices: Sequence[str]) -> list[str]:
    """What is asked of a sweep in which lattices go on from one coder for each lambda."""
    names = ",".join(f"refine_{name}" for name in lattices)
    return [f"experiment={names}", f"init_from={start}/bltc_z_${{lambda}}"]


def _sweep(name: str, folder: Path, options: argparse.Namespace, *more: str) -> None:
    """Runs what is missing of a sweep, and adds its time to what it has taken before, if anything was missing."""
    parallel = ["hydra/launcher=joblib", f"hydra.launcher.n_jobs={options.jobs}"] if options.jobs > 1 else []
    command = [sys.executable, "run.py", "-m", "--config-name", name, f"size={options.size}", *parallel, *more]
    begun, known = time.perf_counter(), _results(folder)
    subprocess.run([*command, f"hydra.sweep.dir={folder}"], cwd=_ROOT, check=True)
    if _results(folder) != known:
        spent(folder, time.perf_counter() - begun)


def _results(folder: Path) -> dict[str, float]:
    """When each point of a sweep was made."""
    return {str(path): path.stat().st_mtime for path in folder.glob("**/rd_point.json")}


def _write_page(options: argparse.Namespace, console: Console) -> None:
    pictures = options.page.parent / "results"
    pictures.mkdir(parents=True, exist_ok=True)
    made_with = provenance()  # before the page's own pictures are changes
    body: list[str] = []
    for section in SECTIONS:
        names = [*section.sweeps, *(f"{name}{LATTICES}" for name in section.sweeps if section.lattices)]
        present = [name for name in names if (options.folder / name / "rd_points.csv").exists()]
        if present:
            console.print(f"{section.title}: bound, picture, tables")
            body += _section(section, present, options.folder, pictures)
    if (options.folder / "priors" / "rd_points.csv").exists():
        points = read_sweep(options.folder / "priors")
        made = _made_by("priors", options.folder)
        body += prior_lines(points, _parameters("priors", {p["system"] for p in points}), made)
    if (options.folder / "pairs" / "rd_points.csv").exists():
        body += _cells(options.folder, pictures)
    body += image_lines(_ROOT / "docs" / "images.md")
    body = with_kept(body, options.page, [*(section.title for section in SECTIONS), PRIORS, CELLS, IMAGES])
    minutes = total_minutes(body)
    head = [
        "# Results",
        "",
        f"Made by `python -m benchmarks.paper --size {options.size}`, with seed 0; {made_with}. All sweeps, bounds "
        f"and fits together took {minutes:.0f} minutes, {options.jobs} jobs at a time with a thread each; with "
        "`--sweeps` one source is measured anew by itself, so each section says its own commit.",
        "",
        'Rates are exact code lengths in bits per symbol, evaluated on data that training never saw; "rate in a '
        'file" is that of a real bitstream. BD-rates (pchip) are over the distortions that both reach; those against '
        "the integers (z) have the same recipe on both sides: they say what the lattice brings. "
        "Nonlinear transforms train twice the steps of linear ones, and so does NTC, which has no calibration. Block "
        "coders of real sources go on from one coder for each lambda, trained with noise as NTC is: a tenth more "
        "steps, then three quarters of these with the decoder in the encoder's search, the integers among them. Rows "
        "differ by their lattice, and not by what a training found. The last row of BD-rates is what is there to be "
        "gained. What separates a coder from a bound is the lattice's at most as far as the column says: the latents "
        "that carry something, times the lattice's gap at high rate. The rest is transform, prior, and the bound's own "
        "distance.",
        "",
    ]
    with whole_file(options.page) as temporary:
        temporary.write_text("\n".join([*head, *body]).rstrip() + "\n")
    console.print(f"{options.page}: {minutes:.0f} minutes altogether")


def _section(section: Section, present: list[str], folder: Path, pictures: Path) -> list[str]:
    systems: dict[str, list[dict[str, Any]]] = {}
    for name in present:  # what goes on from a system takes its place
        systems |= by_system(read_sweep(folder / name))
    points = [p for found in systems.values() for p in found]
    source = _source(present[0])
    home = folder / present[0]
    with counted(home, least=5.0):
        bound = bound_of(source, sorted({float(p["lambda"]) for p in points}), home)
    for p in points:
        p["bound_rate"] = bound.function.rate(p["distortion"])
        p["bound_gap"] = p["rate"] - p["bound_rate"]
    one_shot = SawbridgeEntropyDistortion() if source.name == "sawbridge" else None
    picture = pictures / f"{present[0]}.png"
    draw_section(picture, section.title, systems, bound, one_shot)
    seconds = sum(spent(folder / name) for name in present)
    commits = commits_of(folder / name for name in present)
    lines = section_lines(section, systems, bound, one_shot, picture, seconds, commits)
    if present[0] == "gaussian":
        lines += published_lines(points)
        lines += ecvq_lines(_ecvq(home), points)
        if (folder / "gaussian_path" / "rd_points.csv").exists():
            lines += path_lines(read_sweep(folder / "gaussian_path"), _made_by("gaussian_path", folder))
    return lines


def _cells(folder: Path, pictures: Path) -> list[str]:
    """Cells of NTC and LTC (A2), of Gaussian pairs and of the Banana, at lambda 4."""
    jobs = []
    for sweep, heading in (("pairs", "Gaussian pairs"), ("banana", "Banana")):
        if not (folder / sweep).exists():
            continue
        source = _source(sweep)
        samples = source.sample(4000 * 2 // source.dim, torch.Generator().manual_seed(1)).reshape(-1, 2)
        found = [p for p in (folder / sweep).iterdir() if (p / "rd_point.json").exists()]
        for system, job in sorted(((system_of(p), p) for p in found), key=lambda pair: (pair[0] != "NTC", pair[1])):
            point = json.loads((job / "rd_point.json").read_text())
            if float(point["lambda"]) == 4 and system in ("NTC", "LTC, a2"):
                jobs.append(
                    (f"{heading}, {system}: {point['rate']:.3f} bits, D = {point['distortion']:.3f}", job, samples)
                )
    draw_cells_beside(pictures / "cells.png", jobs)
    return [
        f"## {CELLS}",
        "",
        "Pairs at lambda 4, nonlinear transforms. NTC's cells are images of squares, LTC's with A2 of hexagons: on "
        "i.i.d. Gaussian pairs no transform turns one into the other, and the hexagons' smaller second moment is what "
        "is gained. The Banana at this lambda is described by one latent, and both cut it alike. The Banana's cells "
        f"are those of its sweep. {_made_by('pairs', folder)}",
        "",
        "![cells](results/cells.png)",
        "",
    ]


def _made_by(name: str, folder: Path) -> str:
    """By what a section of one sweep was made."""
    return made_by(
        f"`python run.py -m --config-name {name} size=cpu`", commits_of([folder / name]), spent(folder / name)
    )


def _ecvq(home: Path) -> list[ECVQPoint]:
    path = home / "ecvq.json"
    kept = [ECVQPoint(*row) for row in json.loads(path.read_text())] if path.exists() else []
    if [e.lmbda for e in kept] != list(_ECVQ_LAMBDAS):
        with counted(home, least=0.0):
            kept = [measure(2, lmbda, samples=200_000, size=8192) for lmbda in _ECVQ_LAMBDAS]
        write_json(path, [list(e) for e in kept])
    return kept


def _source(sweep: str) -> Any:
    """The source of a sweep's configuration."""
    with initialize_config_dir(str(_ROOT / "conf"), version_base="1.3"):
        return instantiate(compose(sweep).source)


def _parameters(sweep: str, experiments: set[str]) -> dict[str, int]:
    """How many parameters the prior of each experiment has."""
    found = {}
    with initialize_config_dir(str(_ROOT / "conf"), version_base="1.3"):
        for name in experiments:
            prior = instantiate(compose(sweep, overrides=[f"experiment={name}"]).entropy_model)
            found[name] = sum(p.numel() for p in prior.parameters())
    return found


if __name__ == "__main__":
    main()
