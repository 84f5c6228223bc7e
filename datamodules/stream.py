"""`BatchStream`: whole batches, dealt to processes and workers so that none comes twice."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from itertools import count
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import IterableDataset, get_worker_info

from datamodules.ranks import rank_and_world
from datamodules.seeding import Split, batch_seed

__all__ = ["BatchStream"]


class BatchStream(IterableDataset[Tensor], ABC):
    """One numbered sequence of batches, of which each process iterates its share.

    Batch number g is a function of (seed, split, g) and what is drawn alone, and belongs to process g mod W of W.
    So processes have disjoint batches, and a run that goes on from any g has the batches it would have had.
    Within a process, worker w of K of a `DataLoader(stream, batch_size=None, num_workers=K)` makes every K-th
    of its batches, and the loader returns them in the order they have without workers. (Not with
    `persistent_workers`: their copy of the stream would not learn how far training is.)

    Args:
        seed: not negative.
        split: which of the streams of this seed; streams of different splits share no batch.

    Raises:
        ValueError: the seed is negative.
    """

    def __init__(self, seed: int, split: Split) -> None:
        batch_seed(seed, split, 0)  # a bad seed should fail here, not in the middle of a run
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
        """Batch number `index`, as it is with `world` processes."""

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

    def generator(self, index: int) -> torch.Generator:
        """The random generator of batch `index`."""
        return torch.Generator().manual_seed(batch_seed(self.seed, self.split, index))
