"""Files of vectors that are no ``.npy`` file, as streams: what coders of ``source=array`` were trained on, too."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ltc.vectors import SUFFIXES, open_vectors

__all__ = ["TableReader", "is_table"]


def is_table(path: str) -> bool:
    """Whether a file's name says that it is read here.

    Examples:
        >>> is_table("x.csv"), is_table("x.npy"), is_table("-")
        (True, False, False)
    """
    return path.lower().endswith(tuple(suffix for suffix in SUFFIXES if suffix != ".npy"))


class TableReader:
    """Reads the numbers of a table in order, as float32.

    Args:
        path: of a .csv, .npz or .parquet file.
        key: the array of an .npz, the column of a .parquet.

    Attributes:
        shape: rows and components.
        notes: what else a user should know of it.

    Raises:
        ValueError: if it holds no vectors, or numbers that are not finite.
    """

    dtype = "float32"

    def __init__(self, path: str, key: str | None = None) -> None:
        vectors = open_vectors(path, key)
        self.notes: list[str] = []
        self.shape: tuple[int, ...] = (len(vectors), vectors.dim)
        self._pieces: Iterator[np.ndarray] = vectors.pieces()
        self._rest = np.empty(0, np.float32)

    def end(self) -> None:
        """Nothing follows a table's last row."""

    def numbers(self, count: int) -> np.ndarray:
        """The next ``count`` numbers."""
        found, size = [self._rest], len(self._rest)
        while size < count:
            found.append(next(self._pieces).reshape(-1))
            size += len(found[-1])
        together = np.concatenate(found)
        self._rest = together[count:]
        return together[:count]
