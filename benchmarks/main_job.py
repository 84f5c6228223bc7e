"""The figures of the main job: training speed and gaps to R(D) on a Gaussian source, by the commands that users type.

    python -m benchmarks.main_job                    # the default run and the Gaussian sweep
    python -m benchmarks.main_job --sweep FOLDER     # the same, with a Gaussian sweep that has been run

Writes ``docs/main_job.md``.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.provenance import provenance

_ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sweep", type=Path, help="the folder of a finished Gaussian sweep")
    finished = parser.parse_args().sweep
    with tempfile.TemporaryDirectory() as folder:
        points = [run(Path(folder) / "default")]
        sweep = run_sweep(Path(folder) / "sweep") if finished is None else pd.read_csv(finished / "rd_points.csv")
    leech = sweep[(sweep["lattice"] == "leech") & sweep["lambda"].isin([2, 4, 8])]
    points += [{str(key): value for key, value in row.items()} for row in leech.to_dict("records")]
    lines = ["# The main job, measured", "", f"Made by `python -m benchmarks.main_job`; seed 0; {provenance()}.", ""]
    lines += single_points(points)
    lines += sweep_lines(sweep)
    text = "\n".join(lines) + "\n"
    print(text)
    (_ROOT / "docs" / "main_job.md").write_text(text)


def run(folder: Path, *overrides: str) -> dict[str, Any]:
    """One run of ``run.py``: its RD point."""
    command = [sys.executable, "run.py", *overrides, f"hydra.run.dir={folder}"]
    subprocess.run(command, cwd=_ROOT, check=True, stdout=subprocess.DEVNULL)
    return json.loads((folder / "rd_point.json").read_text())


def run_sweep(folder: Path) -> pd.DataFrame:
    """The Gaussian sweep: its RD points."""
    command = [sys.executable, "run.py", "-m", "--config-name", "gaussian", f"hydra.sweep.dir={folder}"]
    subprocess.run(command, cwd=_ROOT, check=True, stdout=subprocess.DEVNULL)
    return pd.read_csv(folder / "rd_points.csv")


def single_points(points: list[dict[str, Any]]) -> list[str]:
    """A Markdown table of single runs."""
    lines = [
        "| command | rate | gap ± s.e. | theory | training (of it calibration), s | steps/s | evaluation symbols |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for point in points:
        command = "make run" if point["lattice"] == "e8" else f"python run.py lattice=leech lambda={point['lambda']:g}"
        lines.append(
            f"| `{command}` | {point['rate']:.4f} | {point['gap']:.4f} ± {point['gap_error']:.4f} | "
            f"{point['theory_gap']:.4f} | {point['train_seconds']:.1f} ({point['calibration_seconds']:.1f}) | "
            f"{point['steps'] / (point['train_seconds'] - point['calibration_seconds']):.0f} | "
            f"{point['eval_symbols']:,} |"
        )
    return lines


def sweep_lines(points: pd.DataFrame) -> list[str]:
    """A Markdown section about the Gaussian sweep."""
    high = points[points["rate"] > 1.2]
    excess = (high["gap"] - high["theory_gap"]).max()
    lines = [
        "",
        "## The Gaussian sweep: `python run.py -m --config-name gaussian`",
        "",
        f"Largest excess of a gap over theory at rates over 1.2 bits: {excess:+.4f} bit. "
        f"Smallest gap of all points: {points['gap'].min():.4f} bit.",
        "",
        "| lattice | lambda | rate | distortion | R(D) | gap ± s.e. | theory | rate + lambda D | training, s |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for _, p in points.iterrows():
        lines.append(
            f"| {p['lattice']} | {p['lambda']:g} | {p['rate']:.4f} | {p['distortion']:.5f} | {p['bound_rate']:.4f} | "
            f"{p['gap']:.4f} ± {p['gap_error']:.4f} | {p['theory_gap']:.4f} | "
            f"{p['rate'] + p['lambda'] * p['distortion']:.4f} | {p['train_seconds']:.1f} |"
        )
    return lines


if __name__ == "__main__":
    main()
