"""`StreamedData`: a data module whose training batches are numbered, so that a run goes on with the next one."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import pytorch_lightning as pl

from datamodules.ranks import rank_and_world

if TYPE_CHECKING:
    from ltc.theory.rate_distortion import RateDistortionFunction

__all__ = ["StreamedData"]


class _NoValidation(list[Any]):
    """An empty list of loaders, on purpose."""


class StreamedData(pl.LightningDataModule):
    """Counts the batches of training, over all processes and through checkpoints.

    Args:
        steps_per_epoch: batches until Lightning begins a new epoch; None for one epoch without end, for a
            Trainer with `max_steps`.
    """

    def __init__(self, steps_per_epoch: int | None = None) -> None:
        super().__init__()
        self.steps_per_epoch = steps_per_epoch
        # Where the checkpoint we go on from was: steps of a process, batches of all of them together.
        self._resumed_step = self._resumed_batch = 0

    def rate_distortion(self) -> RateDistortionFunction | None:
        """R(D) of what is coded; None where it is unknown."""
        return None

    def val_dataloader(self) -> list[Any]:
        """No validation."""
        # Lightning has no way to say "no loader this time" and asks whether an empty one is on purpose. It
        # names the loader's class, so this answer reaches no warning about any other loader.
        warnings.filterwarnings("ignore", message=f"Total length of `{_NoValidation.__name__}` across ranks")
        return _NoValidation()

    def state_dict(self) -> dict[str, Any]:
        """How far training is, for a checkpoint: its steps, and the number of its next batch."""
        return {"step": self._step(), "batch": self._next_batch()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from `state_dict`; on another number of processes too, without a batch seen before."""
        self._resumed_step, self._resumed_batch = state_dict["step"], state_dict["batch"]

    def _step(self) -> int:
        # Lightning's own count, not the number of batches drawn: it fetches one batch ahead of training.
        if self.trainer is None:
            return self._resumed_step
        progress: Any = self.trainer.fit_loop.epoch_loop.batch_progress.total  # typed as less than it is
        return progress.processed

    def _next_batch(self) -> int:
        _, world = rank_and_world()
        # A new Trainer counts from 0 again, and so does its data.
        return max(0, self._resumed_batch + (self._step() - self._resumed_step) * world)
