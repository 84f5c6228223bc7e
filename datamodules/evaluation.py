"""`EvaluationStream`: a fixed set of blocks, each of them once."""

from torch import Tensor

from datamodules.block import Blocks
from datamodules.seeding import Split
from datamodules.source import Source
from datamodules.stream import BatchStream

__all__ = ["EvaluationStream"]


class EvaluationStream(BatchStream):
    """The blocks of an evaluation, the same in every iteration, shared out to W processes.

    Given `rows`, these are cut into whole blocks of n in their order; rows of a last incomplete block (N mod
    n of them) are dropped. Without rows, ⌈symbols / n⌉ blocks are drawn from the source: the number of
    symbols is rounded up to whole blocks.

    The blocks are cut into batches of at most `batch_size`, as equal as can be, and the number of batches is
    rounded up to a multiple of W. So every process has the same number of batches (DistributedDataParallel
    waits forever for one that has fewer) and numbers of blocks that differ by its number of batches at most.
    With fewer blocks than that there is one batch per block, and some processes have one batch less. The
    blocks of a finite set do not depend on W; drawn ones do where W changes the number of batches.

    Args:
        source: where symbols come from.
        n: symbols per block.
        batch_size: most blocks in a batch.
        seed: not negative.
        split: `Split.VALIDATION` or `Split.TEST`.
        symbols: how many to draw, at least 1; not used with rows.
        rows: [N, dim], a finite set.

    Raises:
        ValueError: n, batch_size or symbols is below 1, the seed is negative, or there are fewer than n rows.

    Examples:
        >>> from datamodules import Gaussian
        >>> stream = EvaluationStream(Gaussian(), 8, 1000, seed=0, split=Split.TEST, symbols=20_000)
        >>> [len(batch) for batch in stream]
        [833, 833, 834]
    """

    def __init__(
        self,
        source: Source,
        n: int,
        batch_size: int,
        seed: int,
        split: Split,
        symbols: int = 1,
        rows: Tensor | None = None,
    ) -> None:
        super().__init__(seed, split)
        self._drawn = Blocks(source, n)
        if batch_size < 1 or symbols < 1:
            raise ValueError(f"batch_size and symbols must be at least 1, got {batch_size} and {symbols}.")
        self.batch_size = batch_size
        self.blocks = -(-symbols // n) if rows is None else len(rows) // n
        if self.blocks == 0:
            raise ValueError(f"{source.name}: blocks of n={n} symbols need at least {n} of them to evaluate.")
        self._table = None if rows is None else rows[: self.blocks * n].reshape(self.blocks, self._drawn.dim)

    def batches(self, world: int) -> int:
        """The number of batches of all processes together."""
        each = -(-self.blocks // (self.batch_size * world))
        return min(self.blocks, each * world)

    def first(self) -> int:
        return 0

    def length(self, rank: int, world: int) -> int:
        return len(range(rank, self.batches(world), world))

    def batch(self, index: int, world: int) -> Tensor:
        total = self.batches(world)
        start, stop = (edge * self.blocks // total for edge in (index, index + 1))
        if self._table is None:
            return self._drawn.draw(stop - start, self.generator(index))
        return self._table[start:stop]
