"""`EndlessStream`: fresh batches without end; `TrainingStream`: of blocks of symbols."""

from collections.abc import Callable
from typing import Any

from torch import Tensor

from datamodules.block import Blocks
from datamodules.seeding import Split
from datamodules.source import Source
from datamodules.stream import BatchStream

__all__ = ["EndlessStream", "TrainingStream"]


class EndlessStream(BatchStream):
    """Batches to train on, made on the fly, never the same twice.

    Args:
        batch_size: blocks, or crops, per batch and process.
        seed: not negative.
        steps: batches of one iteration, an *epoch*; None for an iteration without end.
        position: asked at the start of an iteration for the number of the batch to go on with, counted over
            all processes. Without it every iteration starts with batch 0.

    Raises:
        ValueError: batch_size or steps is below 1, or the seed is negative.
    """

    def __init__(
        self, batch_size: int, seed: int, steps: int | None = None, position: Callable[[], int] | None = None
    ) -> None:
        super().__init__(seed, Split.TRAIN)
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, got {batch_size}.")
        if steps is not None and steps < 1:
            raise ValueError(f"steps per epoch must be at least 1, or None for no end, got {steps}.")
        self.batch_size = batch_size
        self.steps = steps
        self.position = position

    def first(self) -> int:
        return 0 if self.position is None else self.position()

    def length(self, rank: int, world: int) -> int | None:
        return self.steps

    # Lightning takes a loader that has these two for one that can go on in the middle of an epoch, as this
    # one can. There is nothing to load: `position` belongs to the data module, which has a state itself.
    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        pass


class TrainingStream(EndlessStream):
    """An endless stream of batches of blocks, float32 [batch_size, n·dim].

    Args:
        source: where symbols come from.
        n: symbols per block.
        batch_size: blocks per batch and process.
        seed: not negative.
        steps: as for `EndlessStream`.
        position: likewise.

    Raises:
        ValueError: n, batch_size or steps is below 1, or the seed is negative.

    Examples:
        >>> from datamodules import Gaussian
        >>> batch = next(iter(TrainingStream(Gaussian(), n=8, batch_size=100, seed=0)))
        >>> batch.shape, batch.dtype
        (torch.Size([100, 8]), torch.float32)
    """

    def __init__(
        self,
        source: Source,
        n: int,
        batch_size: int,
        seed: int,
        steps: int | None = None,
        position: Callable[[], int] | None = None,
    ) -> None:
        super().__init__(batch_size, seed, steps, position)
        self.blocks = Blocks(source, n)

    def batch(self, index: int, world: int) -> Tensor:
        return self.blocks.draw(self.batch_size, self.generator(index))
