"""``.npy`` files, memory-mapped: rows are read where they are, and pages that were read are given back."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from ltc.vectors.shapes import as_single, check_dtype, rows_and_dim
from ltc.vectors.vectors import PIECE, Vectors

__all__ = ["NpyVectors", "npy_dim", "npy_header", "npy_pieces"]

# Pages of the file that may stay in this process's memory, in bytes, and what reading one row brings in beside it.
_RESIDENT = 1 << 26
_AROUND = 1 << 16


def npy_header(file: BinaryIO, name: str) -> tuple[tuple[int, int], np.dtype]:
    """Rows and components, and the type of the numbers that follow.

    Args:
        file: at its start; then, at its first number.
        name: how messages call it.

    Raises:
        ValueError: if it is no ``.npy`` file, or holds no vectors.
    """
    try:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, fortran, dtype = read(file)
    except Exception as error:
        # The header is an expression of Python, which numpy evaluates safely; what is none fails in many ways.
        raise ValueError(f"{name} is no .npy file.") from error
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
    """The rows of a ``.npy`` file, which stays where it is.

    Pages of a mapped file count as memory of the process until they are given back, which is done whenever
    64 MiB may have come together.

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
        with self.path.open("rb") as file:
            (self._rows, self.dim), dtype = npy_header(file, self.name)
            start, count = file.tell(), self._rows * self.dim
            end = file.seek(0, 2)
            if end < start + count * dtype.itemsize:
                raise ValueError(f"{self.name} ends before its {self._rows} x {self.dim} numbers do.")
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self._table = np.frombuffer(self._map, dtype, count, start).reshape(self._rows, self.dim)
        self._spares = end <= _RESIDENT or not hasattr(mmap, "MADV_DONTNEED")
        self._touched = 0

    def __len__(self) -> int:
        return self._rows

    def read(self, start: int, stop: int) -> np.ndarray:
        found = as_single(self._table[start:stop], self.name, start)
        self._touch((stop - start) * self.dim * self._table.itemsize)
        return found

    def rows(self, index: np.ndarray) -> np.ndarray:
        found = self._table[index].astype(np.float32, copy=False)
        self._touch(len(index) * (_AROUND + self.dim * self._table.itemsize))
        return found

    def _touch(self, size: int) -> None:
        """Gives pages back where as many bytes more may be more than are to stay."""
        self._touched += size
        if self._touched > _RESIDENT and not self._spares:
            self._map.madvise(mmap.MADV_DONTNEED)
            self._touched = 0

    # A map is this process's; another one makes its own.
    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path.resolve(), "name": self.name}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._open()
