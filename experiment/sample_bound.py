"""An upper bound on R(D) from samples, beside runs on measured data: ``python -m experiment.sample_bound FOLDER …``.

    python -m experiment.sample_bound outputs/mine
    python -m experiment.sample_bound multirun/mine/*/ --steps 300

Reproduction points descend on the source's training data, for the lambdas of the runs and their neighbours, and what
they achieve is measured on its test set, which they have never seen (``ltc.theory.SampleUpperBound``). R(D) is nowhere
above that, up to the error; how far below, nobody knows, and a coder may be below it, too. The points are kept as
``sample_bound.json`` in the folder of each run. It takes minutes; fewer steps give a looser bound.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ltc.files import write_json

__all__ = ["bound_runs", "main"]

_NAME = "sample_bound.json"
_FRESH = 20_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns 0, or 2 after one sentence about what was wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m experiment.sample_bound", description=(__doc__ or "").partition(":")[0]
    )
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER", help="of finished runs on one source")
    parser.add_argument("--steps", type=int, default=600, help="of each descent (600)")
    parser.add_argument("--particles", type=int, help="reproduction points (1,000, or 300,000 numbers)")
    options = parser.parse_args(arguments)
    try:
        rows = bound_runs(options.folders, options.steps, options.particles)
    except (ValueError, OSError) as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    print(f"{'lambda':>10} {'distortion':>12} {'rate':>9} {'bound':>9} {'above it':>9} {'error':>7}")
    for row in rows:
        figures = (row[name] for name in ("rate", "bound_rate", "above", "error"))
        print(f"{row['lambda']:10.5g} {row['distortion']:12.6g}", *(f"{x:9.4f}" for x in figures))
    return 0


def bound_runs(folders: Sequence[Path], steps: int = 600, particles: int | None = None) -> list[dict[str, Any]]:
    """Bounds R(D) of the source of some runs, and keeps the bound in their folders.

    Args:
        folders: of finished runs.
        steps: of each descent.
        particles: reproduction points of the channel.

    Returns:
        for each run lambda, distortion, rate, ``bound_rate`` at this distortion, how far the rate is above it, and the
        bound's standard error in bits.

    Raises:
        ValueError: if a folder holds no finished run, the runs' sources differ, or R(D) of theirs needs no bound.
    """
    runs = [_run(folder) for folder in folders]
    if any(run["source"] != runs[0]["source"] for run in runs):
        raise ValueError("The runs have different sources: a bound is one source's.")
    from hydra.utils import instantiate

    source = instantiate(runs[0]["source"])
    fresh = source.test_set()
    if fresh is None or source.measure != "mse" or source.rate_distortion() is not None:
        raise ValueError(f"{source.name}: a bound from samples is for squared error on data with a test set.")
    import torch

    from ltc.theory import SampleUpperBound, WassersteinDescent

    generator = torch.Generator().manual_seed(1)
    lambdas = sorted({run["point"]["lambda"] for run in runs})
    slopes = sorted({*lambdas, lambdas[0] / 2, lambdas[-1] * 2})
    descent = WassersteinDescent(particles=particles or max(2, min(1000, 300_000 // source.dim)), steps=steps)
    bound = SampleUpperBound.from_samples(
        lambda count: source.sample(count, generator), fresh[:_FRESH], slopes, descent
    )
    kept = [{"slope": p.slope, "rate": p.rate, "distortion": p.distortion, "error": p.cost_error} for p in bound.points]
    rows = []
    for run, folder in zip(runs, folders, strict=True):
        point = run["point"]
        at = bound.rate(point["distortion"])
        rows.append(
            {name: point[name] for name in ("lambda", "distortion", "rate")}
            | {"bound_rate": at, "above": point["rate"] - at, "error": bound.error}
        )
        finite = {name: value if math.isfinite(value) else None for name, value in rows[-1].items()}
        write_json(folder / _NAME, {**finite, "max_distortion": bound.max_distortion, "points": kept})
    return rows


def _run(folder: Path) -> dict[str, Any]:
    """A finished run: its source's configuration and its RD point."""
    from omegaconf import OmegaConf

    try:
        point = json.loads((folder / "rd_point.json").read_text())
        config = OmegaConf.load(folder / "config.yaml")
        return {"source": OmegaConf.to_container(config.source), "point": point}
    except (OSError, ValueError, AttributeError) as error:
        raise ValueError(f"{folder} holds no finished run (rd_point.json and config.yaml).") from error


if __name__ == "__main__":
    sys.exit(main())
