"""Time, versions and hardware of a sweep: what ``provenance.json`` of its jobs says."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from experiment.report.sweeps import Job

__all__ = ["sweep_facts"]

# Of ``provenance.json``, in this order; packages whose versions bear on the figures.
_FACTS = [
    *("command", "started", "commit", "changed", "host", "system", "processor", "cores", "memory_gib", "gpus"),
    *("threads", "python"),
]
_NAMES = {"changed": "changed since", "memory_gib": "memory, GiB"}
_PACKAGES = ["torch", "pytorch-lightning", "hydra-core", "numpy", "numba", "zuko", "constriction", "compressai"]
# A page is no archive: longer texts stay in the job's folder.
_LONGEST = 400


def sweep_facts(jobs: Iterable[Job]) -> list[tuple[str, str]]:
    """What a reader wants to know of where the figures come from: (what, value) of one sweep.

    Args:
        jobs: the jobs of one sweep. Where they differ (two machines, say), every value is listed.
    """
    jobs = list(jobs)
    seconds = [job.row["train_seconds"] for job in jobs if isinstance(job.row.get("train_seconds"), int | float)]
    failed = sum(bool(job.row.get("error")) for job in jobs)
    facts = [("jobs", f"{len(jobs)}, {failed} failed" if failed else str(len(jobs)))]
    if seconds:
        facts.append(("training", f"{duration(sum(seconds))} in all, {duration(max(seconds))} the longest"))
    values: dict[str, dict[str, None]] = {}
    for job in jobs:
        provenance = _provenance(job)
        if not provenance.get("commit"):
            provenance.pop("changed", None)
        for key in _FACTS:
            text = _text(provenance.get(key))
            if text and len(text) <= _LONGEST:
                values.setdefault(key, {})[text] = None
        versions = provenance.get("versions")
        if isinstance(versions, dict) and (text := _text([f"{p} {versions[p]}" for p in _PACKAGES if p in versions])):
            values.setdefault("packages", {})[text] = None
    return facts + [(_NAMES.get(key, key), _listed(key, list(texts))) for key, texts in values.items()]


def duration(seconds: float) -> str:
    """Seconds as people say them.

    Examples:
        >>> duration(0.25), duration(75), duration(7320)
        ('0.2 s', '1 min 15 s', '2 h 2 min')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def _provenance(job: Job) -> dict[str, Any]:
    path = None if job.folder is None else job.folder / "provenance.json"
    if path is None or not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text())
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


def _listed(key: str, texts: list[str]) -> str:
    """What jobs differ in: of times the first and the last, of anything else all, unless they are many."""
    if len(texts) == 1:
        return texts[0]
    if key == "started":
        return f"{min(texts)} … {max(texts)}"
    return "; ".join(texts) if len(texts) <= 4 else f"{'; '.join(texts[:3])}; and {len(texts) - 3} more"
