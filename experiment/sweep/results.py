"""What the jobs of a sweep came to: their RD points, each once, and the failures of the latest start."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from experiment.curves import CURVE, SETTINGS
from experiment.sweep.jobs import entries, is_kept, job_folders, read_json

__all__ = ["JobResult", "gather", "job_results", "read_point"]


class JobResult(NamedTuple):
    """What a job came to: its name in the sweep, its RD point or error, and its folder, if it has one of its own."""

    name: str
    row: dict[str, Any]
    folder: Path | None


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


def read_point(path: Path) -> dict[str, Any]:
    """The content of a job's ``rd_point.json``.

    Raises:
        ValueError: if it is damaged, with its path.
    """
    try:
        point = json.loads(path.read_text())
    except ValueError as error:
        raise ValueError(f"{path} is damaged: it is no JSON ({error}).") from error
    if not isinstance(point, dict):
        raise ValueError(f"{path} is damaged: it holds no object.")
    return point


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
    found = []
    for _, folder in best.values():
        row = {**read_point(folder / "rd_point.json"), "error": None}
        found.append(JobResult(str(folder.relative_to(sweep)), row, folder))
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
    settings = {k: choices[k] for k in CURVE if choices.get(k)}
    settings |= {k: composed[k] for k in ("lambda", "seed") if k in composed}
    settings |= {k: v for k, v in named.items() if k in SETTINGS}
    reason = read_json(folder / "error.json").get("error", "the job ended without a result; see its log")
    return {**settings, "error": reason}
