"""`BlockStream`: whole batches of blocks, dealt to processes and workers so that none comes twice."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from itertools import count
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import IterableDataset, get_worker_info

from datamodules.ranks import rank_and_world
from datamodules.seeding import Split, batch_seed
from datamodules.source import Source

__all__ = ["BlockStream"]


class BlockStream(IterableDataset[Tensor], ABC):
    """One numbered sequence of batches, of which each process iterates its share.

    Batch number g is a function of (source, n, seed, split, g) alone, and belongs to process g mod W of W.
    So processes have disjoint batches, and a run that goes on from any g has the batches it would have had.
    Within a process, worker w of K of a `DataLoader(stream, batch_size=None, num_workers=K)` makes every K-th
    of its batches, and the loader returns them in the order they have without workers. (Not with
    `persistent_workers`: their copy of the stream would not learn how far training is.)

    A batch is float32 [B, n·dim]: row by row the components of symbol 0, then of symbol 1, and so on.

    Args:
        source: where symbols come from.
        n: symbols per block, at least 1.
        seed: not negative.
        split: which of the streams of this seed; streams of different splits share no batch.

    Raises:
        ValueError: n is below 1, or the seed is negative.
    """

    def __init__(self, source: Source, n: int, seed: int, split: Split) -> None:
        if n < 1:
            raise ValueError(f"n, the symbols per block, must be at least 1, got {n}.")
        batch_seed(seed, split, 0)  # a bad seed should fail here, not in the middle of a run
        self.source = source
        self.n = n
        self.seed = seed
        self.split = split
        self._frozen: tuple[int, int, int] | None = None

    @abstractmethod
    def first(self) -> int:
        """The number of the batch from which the next iteration deals."""

    @abstractmethod
    def length(self, rank: int, world: int) -> int | None:
        """How many batches an iteration deals to this process; None for endlessly many."""

    @abstractmethod
    def batch(self, index: int, world: int) -> Tensor:
        """Batch number `index`, [B, n·dim], as it is with `world` processes."""

    def __iter__(self) -> Iterator[Tensor]:
        rank, world, first = self._frozen or (*rank_and_world(), self.first())
        length = self.length(rank, world)
        worker = get_worker_info()
        skip, stride = (0, 1) if worker is None else (worker.id, worker.num_workers)
        for turn in count(skip, stride) if length is None else range(skip, length, stride):
            yield self.batch(first + turn * world + rank, world)

    def __len__(self) -> int:
        """Batches per iteration of this process; as for any iterable without end, a TypeError if endless."""
        length = self.length(*rank_and_world())
        if length is None:
            raise TypeError("an endless stream has no length")
        return length

    def __getstate__(self) -> dict[str, Any]:
        # A worker process that was not forked knows neither its rank nor how far training is, and the
        # callables that do (the Trainer's) are not to travel there: the copy it gets is told.
        state = self.__dict__ | {"_frozen": self._frozen or (*rank_and_world(), self.first())}
        return {key: value for key, value in state.items() if not callable(value)}

    def draw(self, blocks: int, index: int) -> Tensor:
        """Fresh blocks [blocks, n·dim] from the random generator of batch `index`."""
        generator = torch.Generator().manual_seed(batch_seed(self.seed, self.split, index))
        return self.source.sample(blocks * self.n, generator).reshape(blocks, self.n * self.source.dim)
