"""What a job's folder knows of it: ``job.json``, by which a sweep that was killed does only what is missing.

A job is known by the fingerprint of its resolved configuration. The folder of a finished job holds the fingerprint and
the objective; the same job in the same folder is not run again. Folders are found by their number, as Hydra makes them:
who starts a sweep with other choices in the folder of an old one has each job compared with what its folder holds, so
that a job that moved to another number is run again, and never taken for another one.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from pytorch_lightning.utilities import rank_zero_only

from ltc.files import write_json

__all__ = ["JobRecord", "fingerprint"]

# How figures are shown and kept, not what they are.
_IMMATERIAL = ("logger", "sweep_logger", "resume")


def fingerprint(config: DictConfig, folder: Path | str) -> str:
    """A hash of everything that a job's figures depend on: its resolved configuration, wherever its files go.

    Args:
        config: the job's configuration, without Hydra's own.
        folder: the job's output folder; paths in it count from there.

    Returns:
        16 hexadecimal digits.

    Example:
        >>> first = OmegaConf.create({"seed": 0, "file": "out/1/x", "logger": {"csv": 1}})
        >>> second = OmegaConf.create({"file": "out/2/x", "seed": 0, "logger": {}})
        >>> fingerprint(first, "out/1") == fingerprint(second, "out/2") != fingerprint(second, "elsewhere")
        True
    """
    content: Any = OmegaConf.to_container(config, resolve=True)
    material = {key: value for key, value in content.items() if key not in _IMMATERIAL}
    text = json.dumps(_without(str(folder), material), sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _without(folder: str, value: Any) -> Any:
    """The value with the folder taken out of all its texts."""
    if isinstance(value, dict):
        return {str(key): _without(folder, item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without(folder, item) for item in value]
    return value.replace(folder, "") if isinstance(value, str) else value


class JobRecord:
    """``job.json`` in a job's folder: the fingerprint, the state, and the objective of a finished job.

    Args:
        folder: the job's output folder.
        fingerprint: of the configuration that is about to run.
        resumes: whether the job goes on from what its folder holds; False begins anew.

    Attributes:
        state: ``finished`` if the folder holds this job's result; ``failed`` if this job failed; ``running`` if it was
            begun and not ended; None if the folder holds nothing of it.
        objective: rate + lambda * distortion of a finished job.
        attempt: 1, and 2 for a job that diverged and is tried again with a smaller step.
        reason: why the first attempt ended, else None.
        checkpoints: what was written only to go on from.
    """

    def __init__(self, folder: Path | str, fingerprint: str, resumes: bool = True) -> None:
        self.folder, self.fingerprint, self.resumes = Path(folder), fingerprint, resumes
        self.checkpoints: list[Path] = []
        known = _read(self.folder / "job.json")
        if known.get("fingerprint") != fingerprint or not resumes:
            known = {}
        self.state: str | None = known.get("state")
        self.objective: float | None = known.get("objective")
        self.attempt: int = known.get("attempt", 1)
        self.reason: str | None = known.get("reason") if self.attempt > 1 else None
        if self.state == "finished" and (self.objective is None or not (self.folder / "rd_point.json").exists()):
            self.state = None

    @rank_zero_only
    def begin(self) -> None:
        """Says that the job runs, and takes away what an earlier job, or an earlier try, has left as its result."""
        stale = ["rd_point.json", "error.json", ".part-*", "checkpoints/.part-*"]
        for name in [*stale, *(["checkpoints/*.ckpt"] if self.state is None else [])]:
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
        """Writes ``error.json``, and that the job failed."""
        (self.folder / "rd_point.json").unlink(missing_ok=True)
        write_json(self.folder / "error.json", {"error": sentence})
        self._write("failed")

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
        }
        write_json(self.folder / "job.json", content)


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
