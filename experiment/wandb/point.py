"""The W&B run of one point: Lightning's logger, and at the end the RD point and, on request, the coder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pytorch_lightning.loggers import WandbLogger
from pytorch_lightning.utilities import rank_zero_only

__all__ = ["PointLogger"]

# What an artifact of a coder holds, as far as it is there.
_FILES = ["coder.pt", "rd_point.json", "checkpoints/*.ckpt"]


class PointLogger(WandbLogger):
    """A WandbLogger whose run ends when the point is known: its figures become the run's summary, as ``rd/…``.

    Lightning's own artifacts need a connection while training runs; these are kept with the offline run, and go where
    it goes.

    Args:
        folder: the job's folder, where ``rd_point.json`` appears.
        artifact: whether ``coder.pt`` and the checkpoints become an artifact.
        options: those of ``WandbLogger``.
    """

    def __init__(self, folder: Path, artifact: bool = False, **options: Any) -> None:
        super().__init__(**options)
        # Lightning passes a setting that wandb no longer has, and wandb warns of it.
        self._wandb_init.pop("anonymous", None)
        self.folder, self.artifact = Path(folder), artifact
        self._before = _stamp(self.folder / "rd_point.json")

    @rank_zero_only
    def finalize(self, status: str) -> None:
        """After training nothing; after the evaluation, or a failure, the run's end."""
        super().finalize(status)
        run, path = self._experiment, self.folder / "rd_point.json"
        if run is None:
            return
        if status != "success":
            run.finish(exit_code=1)
        elif _stamp(path) not in (None, self._before):
            self._before = _stamp(path)
            point = json.loads(path.read_text())
            figures = {k: v for k, v in point.items() if isinstance(v, int | float) and k not in run.config}
            run.summary.update({f"rd/{key}": value for key, value in figures.items()})
            if self.artifact:
                self._log_coder(run, point)
            run.finish()

    def _log_coder(self, run: Any, point: dict[str, Any]) -> None:
        import wandb

        artifact = wandb.Artifact(f"coder-{run.id}", type="model", metadata=point)
        for file in (file for pattern in _FILES for file in sorted(self.folder.glob(pattern))):
            # Not copied: the job keeps its files.
            artifact.add_file(str(file), name=str(file.relative_to(self.folder)), policy="immutable")
        run.log_artifact(artifact)


def _stamp(path: Path) -> int | None:
    return path.stat().st_mtime_ns if path.is_file() else None
