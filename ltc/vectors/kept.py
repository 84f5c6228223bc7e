"""Rows that can only be read in order, kept: in memory, or, where they are many, as a ``.npy`` file of their own.

That file is written once, in the folder ``vectors`` of ``LTC_CACHE_DIR`` (by default ``ltc`` in ``XDG_CACHE_HOME``,
or in ``~/.cache``), under a name made of the original's path, size and time of change; it may be removed at any time.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ltc.files import whole_file
from ltc.vectors.npy import NpyVectors
from ltc.vectors.vectors import ArrayVectors, Vectors

__all__ = ["cache_folder", "keep"]

# Bytes that are kept in memory; what is larger becomes a file.
_IN_MEMORY = 1 << 26


def cache_folder() -> Path:
    """Where such files are."""
    own = os.environ.get("LTC_CACHE_DIR")
    general = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ltc"
    return Path(own or general) / "vectors"


def keep(path: Path, key: str | None, pieces: Iterator[np.ndarray]) -> Vectors:
    """The rows of a file.

    Args:
        path: of the file.
        key: of the array in it, or None.
        pieces: its rows, float32 [count, dim] each, read only if they are not kept yet.

    Raises:
        ValueError: from ``pieces``, or if there are no rows.
        OSError: if they cannot be kept.
    """
    kept = cache_folder() / f"{_mark(path, key)}.npy"
    if kept.is_file():
        return NpyVectors(kept, str(path))
    first, size = [], 0
    for piece in pieces:
        first.append(piece)
        size += piece.nbytes
        if size > _IN_MEMORY:
            with whole_file(kept) as temporary:
                _write(temporary, first, pieces)
            return NpyVectors(kept, str(path))
    if not first:
        raise ValueError(f"{path} holds no vectors.")
    return ArrayVectors(np.concatenate(first), str(path))


def _write(path: Path, first: list[np.ndarray], more: Iterator[np.ndarray]) -> None:
    """A ``.npy`` file whose number of rows is known when all are written."""
    dim, rows = first[0].shape[1], 0
    with path.open("wb") as file:
        start = _header(file, rows, dim)
        while first:
            rows += len(first[0])
            first.pop(0).tofile(file)
        for piece in more:
            piece.tofile(file)
            rows += len(piece)
        file.seek(0)
        # numpy leaves room in a header for a first axis that grows.
        assert _header(file, rows, dim) == start


def _header(file, rows: int, dim: int) -> int:  # type: ignore[no-untyped-def]
    content = {"descr": "<f4", "fortran_order": False, "shape": (rows, dim)}
    np.lib.format.write_array_header_1_0(file, content)
    return int(file.tell())


def _mark(path: Path, key: str | None) -> str:
    about = path.stat()
    text = f"{path.resolve()}\n{key}\n{about.st_size}\n{about.st_mtime_ns}"
    return hashlib.sha256(text.encode()).hexdigest()[:24]
