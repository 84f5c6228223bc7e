"""Checkpoints that a killed or diverged training goes on from, to the last digit as if nothing had happened.

A checkpoint is Lightning's own: weights, optimizer, schedule, loops, the position in the stream of batches; and with it
the states of all random generators. While a job runs there are

- ``milestone.ckpt``, and ``earlier.ckpt`` before it, at steps that follow from ``max_steps`` alone: a training that
  diverges goes back to one, so that what becomes of it does not depend on the clock. The last one is a step before the
  end: whoever goes on from it ends training, and calibrates, as everyone does.
- ``newest.ckpt``, at intervals of time, for trainings whose milestones are far apart.
"""

from __future__ import annotations

import math
import os
import random
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytorch_lightning as pl
import torch
from lightning_fabric.plugins import TorchCheckpointIO
from pytorch_lightning.utilities import rank_zero_only

from experiment.record import JobRecord
from ltc.entropy import LatentsTooFar
from ltc.files import whole_file

__all__ = ["TrainingCheckpoints", "WholeCheckpoints"]

# A loss this many times the first one, and growing, is no learning curve.
_DIVERGED = 100


class Start(NamedTuple):
    """A checkpoint to go on from: of which attempt, after how many steps, and where."""

    attempt: int
    step: int
    path: Path


class WholeCheckpoints(TorchCheckpointIO):
    """Lightning's checkpoint files, written beside their place and renamed: there is a whole one at any moment."""

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | os.PathLike[str], storage_options: Any | None = None
    ) -> None:
        with whole_file(Path(path)) as temporary:
            try:
                torch.save(checkpoint, temporary)
            except RuntimeError as error:  # torch's writer speaks of positions
                free = shutil.disk_usage(temporary.parent).free
                raise OSError(
                    f"The checkpoint {path} cannot be written; {free / 1e6:.0f} MB are free there. The same command "
                    "goes on when there is room."
                ) from error


class TrainingCheckpoints(pl.Callback):
    """Writes what a training can go on from, and ends a training that diverges.

    Args:
        folder: where the checkpoints go.
        milestones: how many there are in a training.
        seconds: the time after which a checkpoint is written between them.
        smaller: the factor of the learning rate in a second attempt.

    Raises:
        FloatingPointError: in training, when the loss is not finite, or a hundred times what it was at the start.
    """

    def __init__(self, folder: str, milestones: int = 5, seconds: float = 60.0, smaller: float = 0.1) -> None:
        self.folder, self.milestones, self.seconds, self.smaller = Path(folder), milestones, seconds, smaller
        self.fingerprint, self.attempt = "", 1
        self._step = 0
        self._first: float | None = None
        self._loss: Any = None
        self._attempt_of_weights = 1
        self._generators: dict[str, Any] | None = None
        self._spent = 0.0

    def start_from(self, record: JobRecord) -> Start | None:
        """The checkpoint that this job goes on from, None where there is none of its own.

        A second attempt goes back to the milestone before the last one: from the last one it is not far to where the
        first attempt diverged. The others of the first attempt are removed.

        Args:
            record: the job.
        """
        self.fingerprint, self.attempt = record.fingerprint, record.attempt
        record.checkpoints = [self._milestone, self._earlier, self._newest]
        found: list[Start] = []
        for path in record.checkpoints if record.resumes else []:
            state = _state(path)
            own = state.get("fingerprint") == record.fingerprint
            if own and (state["attempt"] == record.attempt or path == self._earlier):
                found.append(Start(state["attempt"], state["step"], path))
            else:
                _remove(path)
        return max(found, default=None)

    @property
    def _milestone(self) -> Path:
        return self.folder / "milestone.ckpt"

    @property
    def _earlier(self) -> Path:
        return self.folder / "earlier.ckpt"

    @property
    def _newest(self) -> Path:
        return self.folder / "newest.ckpt"

    def on_train_start(self, trainer: pl.Trainer, pl_module: Any) -> None:
        factor = self.smaller ** (self.attempt - self._attempt_of_weights)
        if factor != 1:
            _scale_step(trainer, factor)
        self._attempt_of_weights = self.attempt
        pl_module.clock.seconds += self._spent
        self._start = self._saved = time.monotonic()
        self._alone, last = trainer.world_size == 1, trainer.max_steps
        self._last, self._every = last, max(1, math.ceil(last / self.milestones)) if last > 0 else 1000
        # What is asked at every step has to be cheap; what has nothing to do is not asked (see lightning_private).
        self.__dict__.pop("on_train_batch_start", None)
        if self._generators is None:
            self.on_train_batch_start = None  # type: ignore[method-assign, assignment]

    def on_train_batch_start(self, trainer: pl.Trainer, *_: Any) -> None:
        # Not before: whatever was drawn while everything was made anew was not drawn in the undisturbed training.
        if self._generators is not None:
            _set_generators(self._generators)
        self._generators = None
        self.on_train_batch_start = None  # type: ignore[method-assign, assignment]

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, *_: Any) -> None:
        step, self._loss = trainer.global_step, outputs["loss"]
        milestone = (self._last - 1 - step) % self._every == 0 and step < self._last
        late = self._is_late(trainer, step)
        if milestone or late or step % trainer.log_every_n_steps == 0:  # type: ignore[attr-defined]
            self._check(float(outputs["loss"]), step)
        if (milestone or late) and _finite(pl_module):
            self._step = step
            if milestone and trainer.is_global_zero and self._milestone.exists():
                self._milestone.replace(self._earlier)
            trainer.save_checkpoint(self._milestone if milestone else self._newest)
            self._saved = time.monotonic()
            for logger in trainer.loggers:
                logger.save()

    def _is_late(self, trainer: pl.Trainer, step: int) -> bool:
        """Whether a checkpoint is due by the clock, for all processes at once: all of them take part in writing it."""
        late = time.monotonic() - self._saved > self.seconds
        if self._alone:
            return late
        # Asking each other costs as much as a step.
        return step % 100 == 0 and bool(trainer.strategy.broadcast(late))

    def _check(self, loss: float, step: int) -> None:
        if self._first is None:
            self._first = loss
        if self._wild(loss):
            raise FloatingPointError(
                f"The loss is {loss:.4g} at step {step}: training diverged; lower optimizer.lr or lambda."
            )

    def _wild(self, loss: float) -> bool:
        return not math.isfinite(loss) or loss > _DIVERGED * max(1.0, abs(self._first or 0.0))

    def diverged(self, module: torch.nn.Module, error: Exception) -> bool:
        """Whether training has run away, so that an error in it is a divergence and no mistake in the settings.

        Args:
            module: what is trained.
            error: how training ended.
        """
        if self._loss is None:
            return False
        return isinstance(error, LatentsTooFar) or self._wild(float(self._loss)) or not _finite(module)

    def state_dict(self) -> dict[str, Any]:
        return {
            "fingerprint": self.fingerprint,
            "attempt": self.attempt,
            "step": self._step,
            "first": self._first,
            "generators": _generators(),
            "seconds": self._spent + time.monotonic() - self._start,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._attempt_of_weights, self._first = state_dict["attempt"], state_dict["first"]
        self._generators, self._spent = state_dict["generators"], state_dict["seconds"]


def _state(path: Path) -> Mapping[str, Any]:
    """What a checkpoint says of itself; nothing if it cannot be read."""
    try:
        content = torch.load(path, map_location="cpu", mmap=True, weights_only=False)
        return content["callbacks"][TrainingCheckpoints.__qualname__]
    except Exception:  # whatever is wrong with it, training begins anew
        return {}


@rank_zero_only
def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)


def _finite(module: torch.nn.Module) -> bool:
    return all(bool(torch.isfinite(p).all()) for p in module.parameters())


def _scale_step(trainer: pl.Trainer, factor: float) -> None:
    """Multiplies the learning rate, now and in the schedule."""
    for optimizer in trainer.optimizers:
        for group in optimizer.param_groups:
            for key in ("lr", "initial_lr"):
                if key in group:
                    group[key] *= factor
    for config in trainer.lr_scheduler_configs:
        schedule: Any = config.scheduler
        schedule.base_lrs = [rate * factor for rate in getattr(schedule, "base_lrs", [])]


def _generators() -> dict[str, Any]:
    """The states of the global random generators."""
    states: dict[str, Any] = {
        "torch": torch.get_rng_state(),
        "numpy": np.random.get_state(),  # noqa: NPY002  (libraries may draw from it)
        "python": random.getstate(),
    }
    if torch.cuda.is_available():
        states["cuda"] = torch.cuda.get_rng_state_all()
    return states


def _set_generators(states: dict[str, Any]) -> None:
    torch.set_rng_state(states["torch"].cpu())
    np.random.set_state(states["numpy"])  # noqa: NPY002
    version, internal, gauss = states["python"]
    random.setstate((version, tuple(internal), gauss))
    if "cuda" in states and len(states["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all([state.cpu() for state in states["cuda"]])
