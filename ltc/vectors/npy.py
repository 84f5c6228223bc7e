"""``.npy`` files: rows are read where they are, when they are asked for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from ltc.npy_header import read_npy_header
from ltc.vectors.shapes import as_single, check_dtype, rows_and_dim
from ltc.vectors.vectors import PIECE, Vectors

__all__ = ["NpyVectors", "npy_dim", "npy_header", "npy_pieces"]

# Bytes of a file that is read as a whole at once; a larger one stays where it is.
_IN_MEMORY = 1 << 26


def npy_header(file: BinaryIO, name: str) -> tuple[tuple[int, int], np.dtype]:
    """Rows and components, and the type of the numbers that follow.

    Args:
        file: at its start; then, at its first number.
        name: how messages call it.

    Raises:
        ValueError: if it is no ``.npy`` file, or holds no vectors.
    """
    shape, fortran, dtype = read_npy_header(file, name)
    check_dtype(dtype, name)
    rows, dim = rows_and_dim(shape, name)
    if fortran and dim > 1:
        raise ValueError(f"{name} is stored column by column; save it with numpy.ascontiguousarray.")
    return (rows, dim), dtype


def npy_dim(path: Path) -> int:
    """Components of a file's vectors."""
    with path.open("rb") as file:
        return npy_header(file, str(path))[0][1]


def npy_pieces(file: BinaryIO, name: str) -> Iterator[np.ndarray]:
    """All rows of a file that can only be read in order, float32, a piece at a time.

    Raises:
        ValueError: if it ends early, or numbers are not finite.
    """
    (rows, dim), dtype = npy_header(file, name)
    step = max(1, PIECE // dim)
    for start in range(0, rows, step):
        count = min(step, rows - start)
        data = file.read(count * dim * dtype.itemsize)
        if len(data) < count * dim * dtype.itemsize:
            raise ValueError(f"{name} ends before its {rows} x {dim} numbers do.")
        yield as_single(np.frombuffer(data, dtype).reshape(count, dim), name, start)


class NpyVectors(Vectors):
    """The rows of a ``.npy`` file, which stays where it is but for files of up to 64 MiB, which are read at once.

    Rows are read by their places in the file. A map of the file would do the same, but its pages count as memory of
    the process, and where the system keeps a file in large pages, a single row brings in a megabyte.

    Args:
        path: of the file.
        name: how messages call it; the path if not given.

    Raises:
        ValueError: if it holds no vectors [rows, dim], or ends early.
        OSError: if it cannot be read.

    Examples:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "x.npy"
        >>> np.save(path, np.arange(6.0).reshape(3, 2))
        >>> NpyVectors(path).read(1, 2)
        array([[2., 3.]], dtype=float32)
    """

    def __init__(self, path: Path, name: str | None = None) -> None:
        self.path, self.name = path, name or str(path)
        self._open()

    def _open(self) -> None:
        self._file = self.path.open("rb")
        (self._rows, self.dim), self._dtype = npy_header(self._file, self.name)
        self._start, self._row = self._file.tell(), self.dim * self._dtype.itemsize
        size = self._rows * self._row
        if self._file.seek(0, os.SEEK_END) < self._start + size:
            raise ValueError(f"{self.name} ends before its {self._rows} x {self.dim} numbers do.")
        self._table = self._numbers(self._bytes(0, size)) if size <= _IN_MEMORY else None

    def __len__(self) -> int:
        return self._rows

    def read(self, start: int, stop: int) -> np.ndarray:
        stop = max(start, stop)
        if self._table is not None:
            return as_single(self._table[start:stop], self.name, start)
        return as_single(self._numbers(self._bytes(start * self._row, (stop - start) * self._row)), self.name, start)

    def rows(self, index: np.ndarray) -> np.ndarray:
        if self._table is not None:
            return self._table[index].astype(np.float32, copy=False)
        row = self._row
        found = self._numbers(b"".join([self._bytes(place, row) for place in (index * row).tolist()]))
        return found.astype(np.float32)

    def _numbers(self, data: bytes) -> np.ndarray:
        return np.frombuffer(data, self._dtype).reshape(-1, self.dim)

    def _bytes(self, place: int, size: int) -> bytes:
        """Bytes of the array, from a place in it on."""
        data = os.pread(self._file.fileno(), size, self._start + place)
        while len(data) < size:  # a system reads two gigabytes at once, at most
            more = os.pread(self._file.fileno(), size - len(data), self._start + place + len(data))
            if not more:
                raise ValueError(f"{self.name} has become shorter since it was opened.")
            data += more
        return data

    # An open file is this process's; another one opens its own.
    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path.resolve(), "name": self.name}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._open()
