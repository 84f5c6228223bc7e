"""`BlockDataModule`: blocks of n symbols for training, validation and test, for Lightning's Trainer."""

import warnings
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor

from datamodules.evaluation import EvaluationStream
from datamodules.ranks import rank_and_world
from datamodules.seeding import Split, batch_seed
from datamodules.source import Source
from datamodules.training import TrainingStream

__all__ = ["BlockDataModule"]


class _NoValidation(list[EvaluationStream]):
    """An empty list of loaders, on purpose."""


class BlockDataModule(pl.LightningDataModule):
    """Groups the symbols of any source into blocks of n; a batch is float32 [B, n·dim].

    * *Training* is an endless stream of fresh batches, [batch_size, n·dim] in each process. Batch t of
      process r of W depends on (seed, t·W + r) alone, so processes never share a batch, and a run resumed
      from a checkpoint goes on with the batch it would have had next, in the middle of an epoch too.
    * *Test* is, for a synthetic source, `eval_symbols` symbols over all processes together, rounded up to
      whole blocks; for a finite one its whole test set once, less a last incomplete block. See
      `EvaluationStream` for how processes share it. It is the same each time.
    * *Validation* is `val_symbols` fresh symbols, the same each time; those of a finite source are drawn from
      its training split, since the test set is for the end. Default: none.

    The three never share a random seed.

    The loaders are `BlockStream`s, not `torch.utils.data.DataLoader`s: making a batch takes less time than
    handing one over from a worker process. Lightning takes any iterable, neither adds a sampler to this one
    nor asks for workers. (Who has a slow source may wrap a stream in `DataLoader(stream, batch_size=None,
    num_workers=k)`: the batches stay the same.)

    Args:
        source: where symbols come from.
        n: symbols per block.
        batch_size: blocks per batch and process.
        eval_symbols: symbols to test a synthetic source on.
        seed: not negative.
        steps_per_epoch: batches until Lightning begins a new epoch; None for one epoch without end, for a
            Trainer with `max_steps`.
        val_symbols: symbols to validate on; 0 for no validation.
        eval_batch_size: most blocks in a batch of validation and test; `batch_size` if not given.

    Raises:
        ValueError: a number is out of its range, or a finite source has less than one block to test on.

    Examples:
        >>> from datamodules import Gaussian
        >>> data = BlockDataModule(Gaussian(), n=8, batch_size=1000, eval_symbols=20_000)
        >>> next(iter(data.train_dataloader())).shape
        torch.Size([1000, 8])
        >>> sum(batch.numel() for batch in data.test_dataloader())
        20000
    """

    def __init__(
        self,
        source: Source,
        n: int = 1,
        batch_size: int = 1000,
        eval_symbols: int = 1_000_000,
        seed: int = 0,
        steps_per_epoch: int | None = None,
        val_symbols: int = 0,
        eval_batch_size: int | None = None,
    ) -> None:
        super().__init__()
        if val_symbols < 0:
            raise ValueError(f"val_symbols must not be negative, got {val_symbols}.")
        self.source = source
        self.n = n
        self.batch_size = batch_size
        self.eval_batch_size = batch_size if eval_batch_size is None else eval_batch_size
        self.eval_symbols = eval_symbols
        self.val_symbols = val_symbols
        self.seed = seed
        self.steps_per_epoch = steps_per_epoch
        # Where the checkpoint we go on from was: steps of a process, batches of all of them together.
        self._resumed_step = self._resumed_batch = 0
        # Built once for their checks: a wrong number should fail here, not when training is over.
        self.train_dataloader(), self.val_dataloader(), self.test_dataloader()

    def train_dataloader(self) -> TrainingStream:
        """The endless stream, or `steps_per_epoch` batches of it per epoch, fresh ones each epoch."""
        return TrainingStream(self.source, self.n, self.batch_size, self.seed, self.steps_per_epoch, self._next_batch)

    def val_dataloader(self) -> list[EvaluationStream]:
        """One stream, or none without `val_symbols`, which to Lightning means no validation."""
        if self.val_symbols:
            return [self._evaluation(Split.VALIDATION, self.val_symbols)]
        # Lightning has no way to say "no loader this time" and asks whether an empty one is on purpose. It
        # names the loader's class, so this answer reaches no warning about any other loader.
        warnings.filterwarnings("ignore", message=f"Total length of `{_NoValidation.__name__}` across ranks")
        return _NoValidation()

    def test_dataloader(self) -> EvaluationStream:
        """The evaluation set, once."""
        return self._evaluation(Split.TEST, self.eval_symbols, self.source.test_set())

    def calibration_batch(self, index: int) -> Tensor:
        """Batch number ``index`` of a stream of its own of the training distribution: [batch_size, n * dim]."""
        generator = torch.Generator().manual_seed(batch_seed(self.seed, Split.CALIBRATION, index))
        return self.source.sample(self.batch_size * self.n, generator).reshape(self.batch_size, -1)

    def _evaluation(self, split: Split, symbols: int, rows: Tensor | None = None) -> EvaluationStream:
        return EvaluationStream(self.source, self.n, self.eval_batch_size, self.seed, split, symbols, rows)

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
