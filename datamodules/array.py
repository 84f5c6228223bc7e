"""`Array`: a user's own vectors, from a file of any size."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from datamodules.errors import DataError
from datamodules.random_order import RandomOrder
from datamodules.source import Source
from ltc.vectors import Vectors, open_vectors

__all__ = ["Array"]


class Array(Source):
    """The rows of a file of vectors, or of a folder of such files: some train, the others test.

    Formats are those of `ltc.vectors`: .npy (read where it is), .npz, .csv, .parquet. As a memoryless source the array
    is the distribution of a row picked at random, wherever it stands. Rows are split by a seed: in `RandomOrder` of
    all rows the first `test_share` of them are for the test, all others for training, and no row is for both. (Rows
    that are equal may be on both sides: who has copies, or rows that depend on their neighbours, gives the test a
    file of its own.)

    Distortions are in the units of the file, and R(D) is unknown. The file is read once when the source is made, to be
    sure of its numbers; then rows are read when they are drawn.

    Args:
        path: the file or folder.
        key: the array of an .npz, the column of a .parquet.
        test: a second file or folder, all of whose rows are for the test; then all of the first train.
        test_share: the part of the rows that is for the test, where there is no second file.
        seed: of the split, not negative.
        test_rows: rows to test on, at most: the first of the test's in their random order; None for all. The others
            are not trained on either.
        latents: latents per vector; as many as components if not given.

    Raises:
        DataError: a file is missing or unreadable, holds no vectors, numbers that are not finite, or too few rows.
        ValueError: a number is out of its range, or the measure unknown.

    Examples:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "vectors.npy"
        >>> np.save(path, np.random.default_rng(0).normal(size=(1000, 4)))
        >>> source = Array(path)
        >>> source.sample(5, torch.Generator().manual_seed(0)).shape, source.test_set().shape
        (torch.Size([5, 4]), torch.Size([100, 4]))
    """

    name = "array"
    measures = ("mse", "l1")

    def __init__(
        self,
        path: str | PathLike[str],
        key: str | None = None,
        test: str | PathLike[str] | None = None,
        test_share: float = 0.1,
        seed: int = 0,
        test_rows: int | None = None,
        measure: str = "mse",
        latents: int | None = None,
    ) -> None:
        self._vectors = _checked(path, key)
        super().__init__(dim=self._vectors.dim, measure=measure, latents=latents)
        if not 0 < test_share < 1:
            raise ValueError(f"array: test_share must lie between 0 and 1, got {test_share}.")
        if test_rows is not None and test_rows < 1:
            raise ValueError(f"array: test_rows must be at least 1, got {test_rows}.")
        rows = len(self._vectors)
        self._order = RandomOrder(rows, seed)
        if test is None:
            self._held_out = max(1, round(test_share * rows))
            tested, order = self._vectors, self._order
        else:
            self._held_out = 0
            tested = self._other(path, test, key)
            order = RandomOrder(len(tested), seed)
        if self._held_out >= rows:
            raise DataError(f"{path} holds {rows} vectors, too few to train on some and test on others.")
        count = self._held_out or len(tested)
        chosen = order(np.arange(count if test_rows is None else min(count, test_rows)))
        self._test = torch.from_numpy(tested.rows(chosen))

    def _other(self, path: str | PathLike[str], test: str | PathLike[str], key: str | None) -> Vectors:
        """The vectors of the second file."""
        if Path(test).exists() and Path(test).resolve() == Path(path).resolve():
            raise DataError(f"{test} is what is trained on: a test needs vectors that training never sees.")
        found = _checked(test, key)
        if found.dim != self.dim:
            raise DataError(f"{test} holds vectors of dimension {found.dim}, and {path} of dimension {self.dim}.")
        return found

    def sample(self, count: int, generator: torch.Generator) -> Tensor:
        low, high = self._held_out, len(self._vectors)
        position = torch.randint(low, high, (count,), generator=generator, device=generator.device)
        rows = self._vectors.rows(self._order(position.cpu().numpy()))
        return torch.from_numpy(rows).to(generator.device)

    def test_set(self) -> Tensor:
        return self._test


def _checked(path: str | PathLike[str], key: str | None) -> Vectors:
    """The vectors of a file, all of them finite."""
    try:
        vectors = open_vectors(path, key)
        for _ in vectors.pieces():
            pass
    except (ValueError, OSError) as error:
        raise DataError(str(error)) from error
    return vectors
