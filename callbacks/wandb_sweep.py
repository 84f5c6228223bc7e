"""The W&B run of a whole sweep: its points as a table, its curves as W&B's own charts, its report."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from callbacks.report.curves import Curve, bounds, curves_of, decibels
from callbacks.report.sweeps import Job, read_sweeps
from callbacks.wandb_run import commit_of, sweep_group, wandb_mode
from ltc.files import whole_file

__all__ = ["Line", "gap_lines", "log_sweep", "rd_lines"]

Line = tuple[str, list[float], list[float]]


def log_sweep(points: Any, picture: Path, folder: Path, project: str, **options: Any) -> None:
    """One run for a whole sweep, in the group of its points' runs; a sweep that goes on has the same one.

    Args:
        points: pandas DataFrame of RD points; they are read anew, with their jobs' settings.
        picture: path of ``rd_curves.png``.
        folder: the sweep's folder.
        project: W&B project.
        options: further options of ``wandb.init``.
    """
    import wandb

    os.environ.setdefault("WANDB_SILENT", "true")
    if wandb.run is not None:
        wandb.finish(exit_code=1)
    jobs = read_sweeps([folder])
    curves = curves_of(jobs)
    group = sweep_group(folder)
    settings: dict[str, Any] = {"group": group, "name": f"sweep {group}", "job_type": "sweep", **options}
    settings = {"id": _run_id(folder), "resume": "allow" if wandb_mode() == "online" else None, **settings}
    replaced = list((folder / "wandb").glob(f"offline-run-*-{settings['id']}"))
    config = {"sweep": group, "curves": [curve.name for curve in curves], "commit": commit_of(jobs[0].folder or folder)}
    with wandb.init(project=project, dir=str(folder), mode=wandb_mode(), config=config, **settings) as run:
        logged: dict[str, Any] = {
            "rd_points": _table(curves),
            "rd_curve": _chart(rd_lines(jobs, curves), "distortion (dB) over rate", "rate (bits per symbol)"),
        }
        if psnr := [line for line in (_line(curve, "rate", "psnr") for curve in curves) if line[1]]:
            logged["psnr_curve"] = _chart(psnr, "PSNR (dB) over rate", "rate (bits per pixel)")
        if gaps := gap_lines(curves):
            logged["gap_curve"] = _chart(gaps, "gap to R(D) over rate (bits per symbol)", "rate (bits per symbol)")
        if picture.exists():
            logged["rd_curves"] = wandb.Image(str(picture))
        if (folder / "report.html").exists():
            logged["report"] = wandb.Html(str(folder / "report.html"), inject=False)
        run.log(logged)
        run.summary.update(_summary(jobs))
    for earlier in replaced:
        shutil.rmtree(earlier, ignore_errors=True)


def _run_id(folder: Path) -> str:
    """The name by which W&B knows the sweep's run, drawn once and kept in its folder."""
    path = folder / ".wandb_run"
    if not path.exists():
        with whole_file(path) as temporary:
            temporary.write_text(uuid.uuid4().hex[:8])
    return path.read_text().strip()


def rd_lines(jobs: Sequence[Job], curves: Sequence[Curve]) -> list[Line]:
    """Distortion in dB over rate: a line for each curve with points, and R(D) of each source."""
    lines = [_line(curve, "rate", "distortion") for curve in curves]
    lines += [(name, [r for r, _ in pairs], [d for _, d in pairs]) for name, pairs in bounds(jobs)]
    return [(name, x, [decibels(d) or 0.0 for d in y]) for name, x, y in lines if x and min(y) > 0]


def gap_lines(curves: Sequence[Curve]) -> list[Line]:
    """The gap to R(D) over rate, where it is known, and the level that theory predicts for each such curve."""
    lines = []
    for curve in curves:
        name, x, y = _line(curve, "rate", "gap")
        if not x:
            continue
        lines.append((name, x, y))
        _, ends, theory = _line(curve, "rate", "theory_gap")
        if theory and len(set(theory)) == 1:
            lines.append((f"{name}, theory", [ends[0], ends[-1]], [theory[0], theory[0]]))
    return lines


def _line(curve: Curve, x: str, y: str) -> Line:
    """Where both are known, by rising rate."""
    known = [job.row for job in curve.jobs if job.row.get(x) is not None and job.row.get(y) is not None]
    return curve.name, [float(row[x]) for row in known], [float(row[y]) for row in known]


def _chart(lines: Sequence[Line], title: str, xname: str) -> Any:
    import wandb

    return wandb.plot.line_series(
        [x for _, x, _ in lines], [y for _, _, y in lines], [name for name, _, _ in lines], title=title, xname=xname
    )


def _table(curves: Sequence[Curve]) -> Any:
    """A row for each job, failed ones too, with its curve's name first."""
    import wandb

    rows = [{"curve": curve.name, "job": job.name, **job.row} for curve in curves for job in curve.jobs]
    columns: list[str | int] = list(dict.fromkeys(key for row in rows for key in row))
    return wandb.Table(columns=columns, data=[[row.get(str(key)) for key in columns] for row in rows])


def _summary(jobs: Sequence[Job]) -> dict[str, Any]:
    gaps = [job.row["gap"] for job in jobs if job.row.get("gap") is not None]
    figures = {"points": sum(job.row.get("rate") is not None for job in jobs)}
    figures["failed"] = sum(bool(job.row.get("error")) for job in jobs)
    return {**figures, "smallest_gap": min(gaps)} if gaps else figures
