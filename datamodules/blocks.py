"""`BlockDataModule`: blocks of n symbols for training, validation and test, for Lightning's Trainer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from datamodules.block import Blocks
from datamodules.evaluation import EvaluationStream
from datamodules.seeding import Split, batch_seed
from datamodules.source import Source
from datamodules.streamed import StreamedData
from datamodules.training import TrainingStream

if TYPE_CHECKING:
    from ltc.theory.rate_distortion import RateDistortionFunction

__all__ = ["BlockDataModule"]


class BlockDataModule(StreamedData):
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

    The loaders are `BatchStream`s, not `torch.utils.data.DataLoader`s: making a batch takes less time than
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
        super().__init__(steps_per_epoch)
        if val_symbols < 0:
            raise ValueError(f"val_symbols must not be negative, got {val_symbols}.")
        self.source = source
        self.n = n
        self.batch_size = batch_size
        self.eval_batch_size = batch_size if eval_batch_size is None else eval_batch_size
        self.eval_symbols = eval_symbols
        self.val_symbols = val_symbols
        self.seed = seed
        # Built once for their checks: a wrong number should fail here, not when training is over.
        self.train_dataloader(), self.val_dataloader(), self.test_dataloader()

    def train_dataloader(self) -> TrainingStream:
        """The endless stream, or `steps_per_epoch` batches of it per epoch, fresh ones each epoch."""
        return TrainingStream(self.source, self.n, self.batch_size, self.seed, self.steps_per_epoch, self._next_batch)

    def val_dataloader(self) -> list[EvaluationStream]:
        """One stream, or none without `val_symbols`, which to Lightning means no validation."""
        if self.val_symbols:
            return [self._evaluation(Split.VALIDATION, self.val_symbols)]
        return super().val_dataloader()

    def test_dataloader(self) -> EvaluationStream:
        """The evaluation set, once."""
        return self._evaluation(Split.TEST, self.eval_symbols, self.source.test_set())

    def calibration_batch(self, index: int) -> Tensor:
        """Batch number ``index`` of a stream of its own of the training distribution: [batch_size, n * dim]."""
        generator = torch.Generator().manual_seed(batch_seed(self.seed, Split.CALIBRATION, index))
        return Blocks(self.source, self.n).draw(self.batch_size, generator)

    def held_out(self, symbols: int = 4_000) -> Tensor:
        """Blocks to choose between coders by, the same each time: [blocks, n * dim].

        Args:
            symbols: of a source without a validation set of its own, at least.
        """
        rows = self.source.validation_set()
        if rows is None:
            generator = torch.Generator().manual_seed(batch_seed(self.seed, Split.VALIDATION, 0))
            return Blocks(self.source, self.n).draw(-(-symbols // self.n), generator)
        return rows[: len(rows) // self.n * self.n].reshape(-1, self.n * self.source.dim)

    def rate_distortion(self) -> RateDistortionFunction | None:
        """R(D) of the source."""
        return self.source.rate_distortion()

    def _evaluation(self, split: Split, symbols: int, rows: Tensor | None = None) -> EvaluationStream:
        return EvaluationStream(self.source, self.n, self.eval_batch_size, self.seed, split, symbols, rows)
