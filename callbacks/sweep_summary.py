"""After a multirun: all jobs in ``rd_points.csv``, ``rd_curves.png`` and a printed table."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

__all__ = ["SweepSummary", "gather"]

# Jobs that differ in these belong to different curves.
_CURVE = ["source", "transform", "lattice", "entropy_model", "model", "n"]


class SweepSummary(Callback):
    """Hydra's callback that gathers the jobs of a sweep. A failed job is a row with its error.

    The sweep's exit code is 1 if a job failed, after everything is written.
    """

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        import pandas as pd
        from hydra.utils import instantiate
        from rich.console import Console

        from callbacks.idle_workers import end_idle_workers
        from callbacks.point_tables import sweep_table
        from callbacks.rd_curves import draw_curves
        from callbacks.report import write_report
        from ltc.files import whole_file

        end_idle_workers()
        folder = Path(config.hydra.sweep.dir).absolute()
        rows = gather(folder)
        if not rows:
            return
        points = pd.DataFrame(rows)
        with whole_file(folder / "rd_points.csv") as temporary:
            points.to_csv(temporary, index=False)
        picture = folder / "rd_curves.png"
        if points["rate"].notna().any():
            with whole_file(picture) as temporary:
                draw_curves(points[points["rate"].notna()], _CURVE).savefig(temporary, dpi=150)
        console = Console()
        console.print(sweep_table(rows, title=f"{len(rows)} points; rates, R(D) and gaps in bits per symbol"))
        for row in rows:
            if row["error"]:
                console.print(f"failed: lattice={row.get('lattice')} lambda={row.get('lambda')}: {row['error']}")
        write_report([folder], folder / "report.html")
        console.print(f"Results: {folder}", soft_wrap=True)
        if config.sweep_logger is not None and picture.exists():
            instantiate(config.sweep_logger)(points, picture, folder)
        failed = sum(bool(row["error"]) for row in rows)
        if failed:
            print(f"{failed} of {len(rows)} jobs failed; their errors are in rd_points.csv.", file=sys.stderr)
            sys.exit(1)


def gather(folder: Path) -> list[dict[str, Any]]:
    """The RD points of a sweep's jobs in their order; a job without one has its error and its overrides.

    Args:
        folder: the sweep's folder, with a numbered folder for each job.
    """
    rows, columns = [], {}
    jobs = sorted((p for p in folder.iterdir() if p.is_dir() and p.name.isdigit()), key=lambda p: int(p.name))
    for job in jobs:
        row = _read(job)
        columns.update(dict.fromkeys(row))
        rows.append(row)
    order = [c for c in columns if c != "error"] + ["error"]
    if rows and "rate" not in order:
        order.insert(-1, "rate")
    return [{column: row.get(column) for column in order} for row in rows]


def _read(job: Path) -> dict[str, Any]:
    point, error = job / "rd_point.json", job / "error.json"
    if point.exists():
        return {**json.loads(point.read_text()), "error": None}
    import yaml

    reason = "the job ended without a result; see its log"
    if error.exists():
        reason = json.loads(error.read_text())["error"]
    overrides = job / ".hydra" / "overrides.yaml"
    settings = yaml.safe_load(overrides.read_text()) if overrides.exists() else []
    named = {k: v.strip("'\"") for k, _, v in (str(s).partition("=") for s in settings)}
    # What was not overridden has its default, and a failed point its place in the table.
    composed = job / ".hydra" / "config.yaml"
    defaults = yaml.safe_load(composed.read_text()) if composed.exists() else {}
    named = {k: defaults[k] for k in ("lambda", "seed") if k in defaults} | named
    return {**{k: v for k, v in named.items() if k in {*_CURVE, "lambda", "seed"}}, "error": reason}
