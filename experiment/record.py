"""What a job's folder knows of it: ``job.json``, by which a job that was killed goes on, and a finished one is kept.

A job is known by the fingerprint of its settings (``experiment.identity``). The folder of a finished job holds the
fingerprint and the objective; the same job in the same folder is not run again. What another job has left in the folder
is neither taken for this one's nor written over: its folder is renamed (``out.kept-1``) before this one begins.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pytorch_lightning.utilities import rank_zero_only

from experiment.interruption import remove_parts
from experiment.sweep.jobs import kept_names, read_json
from ltc.files import write_json

__all__ = ["JobRecord"]

# What a job leaves, and must not be found beside what another one, or another try, will leave.
_RESULTS = [
    "rd_point.json",
    "error.json",
    "coder.pt",
    "rd_point.png",
    "rd_bound.json",
    "sample_bound.json",
    "cells.png",
    "images.csv",
    "reconstructions/*.png",
]


class JobRecord:
    """``job.json`` in a job's folder: the fingerprint, the state, and the objective of a finished job.

    Args:
        folder: the job's output folder.
        fingerprint: of the configuration that is about to run.
        resumes: whether the job goes on from what its folder holds; False begins anew.
        about: what else ``job.json`` says of the job.

    Attributes:
        state: ``finished`` if the folder holds this job's result; ``failed`` if this job failed; ``running`` or
            ``interrupted`` if it was begun and not ended; None if the folder holds nothing of it.
        objective: rate + lambda * distortion of a finished job.
        attempt: 1, and 2 for a job that diverged and is tried again with a smaller step.
        reason: why the first attempt ended, else None.
        occupied: what the folder holds that this job may not write over: ``result``, ``training`` or None.
        other: what ``job.json`` of another job says.
        checkpoints: what was written only to go on from.
    """

    def __init__(
        self, folder: Path | str, fingerprint: str, resumes: bool = True, about: dict[str, Any] | None = None
    ) -> None:
        self.folder, self.fingerprint, self.resumes = Path(folder), fingerprint, resumes
        self.about = about or {}
        self.checkpoints: list[Path] = []
        known = read_json(self.folder / "job.json")
        self.other: dict[str, Any] = {}
        if known.get("fingerprint") != fingerprint or not resumes:
            known, self.other = {}, known
        self.state: str | None = known.get("state")
        self.objective: float | None = known.get("objective")
        self.attempt: int = known.get("attempt", 1)
        self.reason: str | None = known.get("reason") if self.attempt > 1 else None
        point = (self.folder / "rd_point.json").exists()
        if self.state == "finished" and (self.objective is None or not point):
            self.state = None
        self.occupied: str | None = None
        if self.state is None and not known:
            if point and self.other.get("state", "finished") == "finished":
                self.occupied = "result"
            elif any(self.folder.glob("checkpoints/*.ckpt")):
                self.occupied = "training"

    @rank_zero_only
    def make_room(self) -> Path | None:
        """Renames the folder, with all that another job has left in it; returns its new name.

        Raises:
            ValueError: if other jobs, or this process, are in the folder.
            OSError: if it cannot be renamed.
        """
        if any(self.folder.glob("*/job.json")) or any(self.folder.glob("*/*/job.json")):
            raise ValueError(f"{self.folder} holds other runs, which would move along: choose a folder of its own.")
        if Path.cwd().is_relative_to(self.folder.resolve()):
            raise ValueError(f"{self.folder} is the folder that this runs in: choose a folder of its own.")
        place = next(name for name in kept_names(self.folder) if not name.exists())
        self.folder.rename(place)
        self.folder.mkdir()
        self.occupied = None
        return place

    @rank_zero_only
    def begin(self) -> None:
        """Says that the job runs, and takes away what an earlier try has left that is no result."""
        remove_parts(self.folder)
        for name in [*_RESULTS, *(["checkpoints/*.ckpt"] if self.state is None else [])]:
            for path in self.folder.glob(name):
                path.unlink()
        self._write("running")

    @rank_zero_only
    def finish(self, objective: float) -> None:
        """Says that everything of the job is written; nothing has to go on from its checkpoints any more."""
        self.objective = objective
        self._write("finished")
        self._remove_checkpoints()

    @rank_zero_only
    def fail(self, sentence: str) -> None:
        """Writes ``error.json``, and that the job failed; nothing where another job's files are, or its own result."""
        if self.occupied or self.state == "finished":
            return
        for path in (path for name in _RESULTS for path in self.folder.glob(name)):
            path.unlink()
        write_json(self.folder / "error.json", {"error": sentence})
        self._write("failed")

    @rank_zero_only
    def interrupt(self) -> None:
        """Says that the job was ended from outside, and leaves nothing half written."""
        if read_json(self.folder / "job.json").get("state") == "running":
            self._write("interrupted")
        remove_parts(self.folder)

    @rank_zero_only
    def retry(self, reason: str) -> None:
        """Says that a second attempt begins, and why."""
        self.attempt, self.reason = 2, reason
        self._write("running")

    @rank_zero_only
    def forget(self) -> None:
        """The next try begins anew: there is nothing good to go on from."""
        self.attempt = 1
        self._remove_checkpoints()

    def _remove_checkpoints(self) -> None:
        for path in self.checkpoints:
            path.unlink(missing_ok=True)

    def _write(self, state: str) -> None:
        self.state = state
        content = {
            "fingerprint": self.fingerprint,
            "state": state,
            "attempt": self.attempt,
            "reason": self.reason,
            "objective": self.objective,
            **self.about,
        }
        write_json(self.folder / "job.json", content)
