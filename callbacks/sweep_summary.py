"""After a multirun: all jobs in ``rd_points.csv``, ``rd_curves.png`` and a printed table."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from callbacks.sweep_jobs import begin_entries, entries, is_kept, job_folders, read_json

__all__ = ["JobResult", "SweepSummary", "gather", "job_results"]

# Jobs that differ in these belong to different curves.
_CURVE = ["source", "transform", "lattice", "entropy_model", "model", "n"]


class JobResult(NamedTuple):
    """What a job came to: its name in the sweep, its RD point or error, and its folder, if it has one of its own."""

    name: str
    row: dict[str, Any]
    folder: Path | None


class SweepSummary(Callback):
    """Hydra's callback that gathers the jobs of a sweep. A failed job is a row with its error.

    The sweep's exit code is 1 if a job failed, or none has a result, after everything is written.
    """

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        begin_entries(Path(config.hydra.sweep.dir).absolute())

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        try:
            self._write(config)
        except Exception as error:  # of which Hydra would make a warning, and exit code 0
            if not isinstance(error, OSError | ValueError):
                traceback.print_exc()
            print(f"error: the sweep's summary: {error}", file=sys.stderr)
            sys.exit(1)

    def _write(self, config: DictConfig) -> None:
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
            print(f"error: no job of this sweep has left anything in {folder}.", file=sys.stderr)
            sys.exit(1)
        points = pd.DataFrame(rows)
        with whole_file(folder / "rd_points.csv") as temporary:
            points.to_csv(temporary, index=False)
        picture = folder / "rd_curves.png"
        if points["rate"].notna().any():
            with whole_file(picture) as temporary:
                draw_curves(points[points["rate"].notna()], _CURVE, folder).savefig(temporary, dpi=150)
        console = Console()
        console.print(sweep_table(rows, title=f"{len(rows)} points; rates, R(D) and gaps in bits per symbol"))
        for line in _notes(rows):
            console.print(line, soft_wrap=True)
        write_report([folder], folder / "report.html")
        console.print(f"Results: {folder}", soft_wrap=True)
        if config.sweep_logger is not None and picture.exists():
            instantiate(config.sweep_logger)(points, picture, folder)
        self._exit(rows, entries(folder))

    def _exit(self, rows: Sequence[dict[str, Any]], jobs: Sequence[dict[str, Any]]) -> None:
        """Ends the process where something is missing."""
        failed, total = sum(bool(row["error"]) for row in rows), len(jobs) or len(rows)
        if failed:
            left = sum(job["state"] == "skipped" for job in jobs)
            more = f" {left} were not begun (fail_fast=true)." if left else ""
            print(f"{failed} of {total} jobs failed; their errors are in rd_points.csv.{more}", file=sys.stderr)
            sys.exit(1)


def gather(folder: Path) -> list[dict[str, Any]]:
    """The RD points of a sweep's jobs in their order; a job without one has its error and its settings.

    Args:
        folder: the sweep's folder, with a folder for each job, whatever it is called.
    """
    return [result.row for result in job_results(folder)]


def job_results(folder: Path) -> list[JobResult]:
    """What the jobs of a sweep came to, each point once, and the failures of the latest start.

    Args:
        folder: the sweep's folder.
    """
    found, marks = _points(folder)
    failed = _failures(folder, marks)
    order = [str(path.relative_to(folder)) for path in job_folders(folder)]
    rank = {name: number for number, name in enumerate(order)}
    results = sorted([*found, *failed], key=lambda result: rank.get(result.name, len(rank)))
    columns = list(dict.fromkeys(key for result in results for key in result.row if key != "error"))
    if results and "rate" not in columns:
        columns.append("rate")
    return [
        result._replace(row={column: result.row.get(column) for column in (*columns, "error")}) for result in results
    ]


def _points(sweep: Path) -> tuple[list[JobResult], set[str]]:
    """The finished jobs, of those with the same settings the newest that was not moved aside; their fingerprints."""
    best: dict[str, tuple[tuple[bool, float], Path]] = {}
    for folder in job_folders(sweep):
        path = folder / "rd_point.json"
        record = read_json(folder / "job.json")
        if not path.exists() or record.get("state", "finished") != "finished":
            continue
        mark, worth = record.get("fingerprint") or str(folder), (not is_kept(folder), path.stat().st_mtime)
        if mark not in best or worth > best[mark][0]:
            best[mark] = worth, folder
    found = [
        JobResult(str(folder.relative_to(sweep)), {**read_json(folder / "rd_point.json"), "error": None}, folder)
        for _, folder in best.values()
    ]
    return found, set(best)


def _failures(sweep: Path, marks: set[str]) -> list[JobResult]:
    """Jobs without a result: of the latest start where they were written down, else of the folders there are."""
    jobs = entries(sweep)
    if not jobs:
        return [
            JobResult(str(folder.relative_to(sweep)), _failure(folder), folder)
            for folder in job_folders(sweep)
            if not is_kept(folder) and not (folder / "rd_point.json").exists()
        ]
    failed = []
    for job in jobs:
        if job["state"] == "skipped" or job.get("fingerprint") in marks:
            continue
        own = sweep / job["own"]
        reason = job.get("error") or (
            "interrupted" if job["state"] == "interrupted" else "the job ended without a result; see its log"
        )
        free = not (own / "rd_point.json").exists()
        failed.append(JobResult(job["own"], {**job.get("settings", {}), "error": reason}, own if free else None))
    return failed


def _failure(folder: Path) -> dict[str, Any]:
    """A row of a job that left no word in the sweep's folder: what Hydra wrote down of its settings, and its error."""
    import yaml

    known: list[Any] = []
    for name in ("overrides", "config", "hydra"):
        path = folder / ".hydra" / f"{name}.yaml"
        known.append((yaml.safe_load(path.read_text()) if path.exists() else None) or {})
    overrides, composed, hydra = known
    named = {k: v.strip("'\"") for k, _, v in (str(s).partition("=") for s in overrides)}
    # What was not overridden has its default, and a failed point its place in the table.
    choices = hydra.get("hydra", {}).get("runtime", {}).get("choices", {})
    settings = {k: choices[k] for k in _CURVE if choices.get(k)}
    settings |= {k: composed[k] for k in ("lambda", "seed") if k in composed}
    settings |= {k: v for k, v in named.items() if k in {*_CURVE, "lambda", "seed"}}
    reason = read_json(folder / "error.json").get("error", "the job ended without a result; see its log")
    return {**settings, "error": reason}


def _notes(rows: Sequence[dict[str, Any]]) -> list[str]:
    """What the table does not say: why jobs failed, and which points took a second attempt."""
    lines = [f"failed: {_name(row)}: {row['error']}" for row in rows if row["error"]]
    again = [row for row in rows if not row["error"] and (row.get("attempt") or 1) > 1]
    return lines + [f"second attempt: {_name(row)}: the first one ended so: {row['first_attempt']}" for row in again]


def _name(row: dict[str, Any]) -> str:
    return " ".join(f"{key}={row[key]}" for key in ("lattice", "lambda") if row.get(key) is not None) or "a job"
