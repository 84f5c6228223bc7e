"""How close to R(D): trellis codes at 8 and 256 states and Leech on N(0, 1), and Laplace under absolute error.

    python -m benchmarks.limit

Each point is a run of ``run.py`` with exact rates on fresh evaluation data. For a wanted rate R and an expected gap g,
D = 2^(-2 (R - g)) and lambda = 1 / (2 ln 2 D). Writes ``docs/limit.md``.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.provenance import provenance

_ROOT = Path(__file__).resolve().parent.parent
_CODE = ["transform=identity", "lattice.dim=4096", "batch_floats=24000", "steps_share=1"]


def slope(rate: float, gap: float) -> float:
    """lambda of N(0, 1) at a rate, for a coder with a gap that does not depend on the rate."""
    return 1 / (2 * math.log(2) * 2 ** (-2 * (rate - gap)))


def commands() -> list[tuple[str, list[str]]]:
    """(target, overrides) of every point."""
    points = []
    for lattice, gap, must in (("tcq8", 0.075, 0.076), ("tcq256", 0.034, 0.036)):
        for rate in (0.5, 1.0, 1.5, 2.0):
            overrides = [f"lattice={lattice}", *_CODE, f"lambda={slope(rate, gap):.4f}"]
            points.append((f"{rate:g} bit: at most {must}", overrides))
    # The low rates rise faster with lambda than the formula has it.
    for lmbda in (1.2, 1.33, 1.5, 1.7):
        points.append(("0.3 to 0.7 bit: below 0.075", ["lattice=leech", "transform=identity", f"lambda={lmbda}"]))
    laplace = ["source=laplace", "source.measure=l1"]
    # R(D) = log2(1 / D): lambda = 1 / (ln 2 D) at D about 0.55.
    points.append(("Leech", [*laplace, "lattice=leech", "transform=identity", "lambda=2.7"]))
    points.append(("Leech, nearest points", [*points[-1][1], "quantizer.rdo=false"]))
    points.append(("0.03 below Leech", [*laplace, "lattice=tcq256", *_CODE, "lambda=2.7"]))
    return points


def run(folder: Path, overrides: list[str]) -> dict[str, Any]:
    """One run of ``run.py``: its RD point."""
    command = [sys.executable, "run.py", *overrides, f"hydra.run.dir={folder}"]
    subprocess.run(command, cwd=_ROOT, check=True, stdout=subprocess.DEVNULL)
    return json.loads((folder / "rd_point.json").read_text())


def main() -> None:
    lines = [
        "# How close to R(D), measured",
        "",
        f"Made by `python -m benchmarks.limit`; seed 0; {provenance()}.",
        "",
        "| target | command `python run.py …` | rate | distortion | gap ± s.e. | seconds |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    with tempfile.TemporaryDirectory() as folder:
        for i, (target, overrides) in enumerate(commands()):
            p = run(Path(folder) / str(i), overrides)
            lines.append(
                f"| {target} | `{' '.join(overrides)}` | {p['rate']:.4f} | {p['distortion']:.5f} | "
                f"{p['gap']:.4f} ± {p['gap_error']:.4f} | {p['train_seconds']:.0f} |"
            )
            print(lines[-1], flush=True)
    (_ROOT / "docs" / "limit.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
