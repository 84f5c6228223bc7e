"""The jobs of a sweep: their folders, whatever these are called, and what has become of each since the sweep's start.

A folder says what a job has left there, maybe of an earlier start with other choices. What the jobs of the latest start
came to is in ``.jobs``, a small file for each of them, by its number: whose result lies in another job's folder, who
failed before there was anything to write. Light to import: the process that starts a sweep need not know torch.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from ltc.files import write_json

__all__ = [
    "JOB_LOCK",
    "SweepEntry",
    "begin_entries",
    "entries",
    "finished_job",
    "is_kept",
    "job_folders",
    "kept_names",
    "read_json",
]
__all__ += ["sweep_lock", "tell_interrupted"]

JOB_LOCK = ".job.lock"
"""The file in a job's folder that the process at work there has locked."""

_KEPT = re.compile(r".+\.kept-\d+")
_LEDGER = ".jobs"
# What makes a folder a job's.
_SIGNS = ("job.json", "rd_point.json", "error.json", ".hydra")


class SweepEntry:
    """What has become of one job since the sweep was started: ``.jobs/3.json``.

    Args:
        sweep: the sweep's folder.
        number: the job's.
        folder: the job's folder.
        about: the job's settings: ``overrides``, and ``settings`` by name.
    """

    def __init__(self, sweep: Path, number: int, folder: Path, about: dict[str, Any]) -> None:
        self.sweep, self.number, self.folder, self.about = sweep, number, folder, about
        self._path = sweep / _LEDGER / f"{number}.json"

    def write(self, state: str, place: Path | None = None, **more: Any) -> None:
        """Says what the job is now.

        Args:
            state: ``running``, ``finished``, ``kept`` (finished before this start), ``failed``, ``skipped`` or
                ``interrupted``.
            place: the folder of its result, if it is not its own.
            more: ``error``, ``fingerprint``, …
        """
        name = os.path.relpath(place or self.folder, self.sweep)
        own = os.path.relpath(self.folder, self.sweep)
        content = {"number": self.number, "state": state, "folder": name, "own": own, **self.about, **more}
        if state in ("finished", "kept"):
            point = read_json((place or self.folder) / "rd_point.json")
            content["point"] = {key: point.get(key) for key in ("rate", "distortion", "gap")}
        write_json(self._path, content)

    @property
    def result(self) -> Path:
        """The folder of the job's result, as it was last written down."""
        return self.sweep / read_json(self._path).get("folder", os.path.relpath(self.folder, self.sweep))

    def interrupt(self) -> None:
        """Says that the job was ended from outside."""
        if read_json(self._path).get("state") == "running":
            self.write("interrupted")


def begin_entries(sweep: Path) -> None:
    """Forgets what jobs came to at an earlier start; their folders are as they were."""
    for path in (sweep / _LEDGER).glob("*.json"):
        path.unlink(missing_ok=True)


def entries(sweep: Path) -> list[dict[str, Any]]:
    """What the jobs of the latest start have come to, by their number; empty where nobody wrote it down."""
    found = [read_json(path) for path in (sweep / _LEDGER).glob("[0-9]*.json")]
    return sorted((entry for entry in found if "number" in entry), key=lambda entry: entry["number"])


def tell_interrupted(sweep: Path) -> None:
    """Says of all jobs that still seem to run, and that no process is at work on, that they were ended from outside.

    Workers say so themselves, but one that is the last to end may be killed by its launcher before it has.
    """
    places = [(sweep / _LEDGER / f"{entry['number']}.json", entry.get("own", "")) for entry in entries(sweep)]
    for path, folder in [*places, *((folder / "job.json", folder) for folder in job_folders(sweep))]:
        content = read_json(path)
        if content.get("state") != "running":
            continue
        with contextlib.suppress(Timeout, OSError), FileLock(sweep / folder / JOB_LOCK, timeout=0):
            write_json(path, {**content, "state": "interrupted"})


def job_folders(sweep: Path) -> list[Path]:
    """The folders of jobs below a sweep's, by name, numbers by their size; those moved aside after the others."""
    found = []
    for where, below, files in os.walk(sweep):
        if where != str(sweep) and any(sign in files or sign in below for sign in _SIGNS):
            found.append(Path(where))
            below.clear()
        below[:] = [name for name in below if not name.startswith(".")]
    return sorted(found, key=lambda path: (is_kept(path), _natural(os.path.relpath(path, sweep))))


def finished_job(sweep: Path, fingerprint: str) -> tuple[Path, float] | None:
    """The folder and the objective of a finished job with these settings, wherever it lies in the sweep's folder."""
    for folder in job_folders(sweep):
        record = read_json(folder / "job.json")
        if record.get("fingerprint") == fingerprint and record.get("state") == "finished":
            objective = record.get("objective")
            if objective is not None and (folder / "rd_point.json").exists():
                return folder, objective
    return None


@contextlib.contextmanager
def sweep_lock(sweep: Path) -> Iterator[None]:
    """Lets one process at a time look for folders, or rename them."""
    with FileLock(sweep / ".sweep.lock"):
        yield


def kept_names(folder: Path) -> Iterator[Path]:
    """The names that a folder may be moved aside to.

    Examples:
        >>> next(kept_names(Path("sweep/0"))).name
        '0.kept-1'
    """
    for number in itertools.count(1):
        yield folder.with_name(f"{folder.name}.kept-{number}")


def is_kept(folder: Path) -> bool:
    """Whether a folder was moved aside for another job's sake.

    Examples:
        >>> is_kept(Path("sweep/0.kept-1")), is_kept(Path("sweep/0"))
        (True, False)
    """
    return _KEPT.fullmatch(folder.name) is not None


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file; an empty one where there is none that can be read."""
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _natural(name: str) -> list[tuple[int, float, str]]:
    """A key that sorts ``n8`` before ``n16`` and 0.5 before 2."""
    parts = re.split(r"(\d+(?:\.\d+)?)", name)
    return [
        (1, 0.0, part) if i % 2 == 0 else (0, float(part), "") for i, part in enumerate(parts) if part or i % 2 == 0
    ]
