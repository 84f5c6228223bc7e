"""``open_vectors`` and ``vector_dim``: files of vectors by the ends of their names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from ltc.vectors.csv_text import csv_dim, csv_pieces
from ltc.vectors.kept import keep
from ltc.vectors.npy import NpyVectors, npy_dim
from ltc.vectors.npz import npz_dim, npz_pieces
from ltc.vectors.parquet import parquet_dim, parquet_pieces
from ltc.vectors.shards import Shards
from ltc.vectors.vectors import Vectors

__all__ = ["SUFFIXES", "open_vectors", "vector_dim"]


@dataclass(frozen=True)
class _Format:
    """How a format is read.

    Attributes:
        dim: reads the dimension alone, of a path and a key.
        open: the vectors.
        keyed: whether a key has a meaning.
    """

    dim: Callable[[Path, str | None], int]
    open: Callable[[Path, str | None], Vectors]
    keyed: bool = False


_FORMATS = {
    ".npy": _Format(lambda path, key: npy_dim(path), lambda path, key: NpyVectors(path)),
    ".npz": _Format(npz_dim, lambda path, key: keep(path, key, npz_pieces(path, key)), keyed=True),
    ".csv": _Format(lambda path, key: csv_dim(path), lambda path, key: keep(path, key, csv_pieces(path))),
    ".parquet": _Format(parquet_dim, lambda path, key: keep(path, key, parquet_pieces(path, key)), keyed=True),
}

SUFFIXES = tuple(_FORMATS)
"""Names of files of vectors, in lower case."""

_KNOWN = f"{', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}"


def open_vectors(path: str | PathLike[str], key: str | None = None) -> Vectors:
    """The vectors of a file, or of all files of a folder in the order of their names.

    ``.npy`` files are read where they are; others once, in order, and kept in memory or as such a file
    (``ltc.vectors.kept``). Integers are read as float32. That numbers are finite is checked where a file is read in
    order; of ``.npy`` files, in ``read`` and ``pieces``.

    Args:
        path: of a .npy, .npz, .csv or .parquet file, or a folder of these.
        key: the array of an .npz, or the column of a .parquet whose lists are the vectors.

    Raises:
        ValueError: if there is no such file, or it holds no vectors [rows, dim].
        OSError: if it cannot be read.

    Examples:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "points.csv"
        >>> _ = path.write_text("x,y\\n1,2\\n3,4\\n")
        >>> open_vectors(path).read(0, 2).tolist(), vector_dim(path)
        ([[1.0, 2.0], [3.0, 4.0]], 2)
    """
    files = _files(Path(path), key)
    opened = [form.open(file, key) for file, form in files]
    return opened[0] if Path(path).is_file() else Shards(opened, str(path))


def vector_dim(path: str | PathLike[str], key: str | None = None) -> int:
    """The dimension of a file's vectors, of which no more is read than it takes; of a folder's, the first one's.

    Raises:
        ValueError: as ``open_vectors``.
        OSError: likewise.
    """
    file, form = _files(Path(path), key)[0]
    return form.dim(file, key)


def _files(path: Path, key: str | None) -> list[tuple[Path, _Format]]:
    """The files of a path and their formats."""
    if not path.exists():
        raise ValueError(f"{path} does not exist; vectors are in a {_KNOWN} file, or a folder of these.")
    if path.is_dir():
        files = sorted(
            file
            for file in path.iterdir()
            if file.suffix.lower() in _FORMATS and file.is_file() and not file.name.startswith(".")
        )
        if not files:
            raise ValueError(f"The folder {path} holds no file of vectors ({_KNOWN}).")
    elif path.suffix.lower() in _FORMATS:
        files = [path]
    else:
        raise ValueError(f"{path} is no file of vectors by its name: {_KNOWN}, or a folder of these.")
    found = [(file, _FORMATS[file.suffix.lower()]) for file in files]
    unkeyed = next((file for file, form in found if key is not None and not form.keyed), None)
    if unkeyed is not None:
        raise ValueError(f"{unkeyed} has no arrays by name, so no key: leave out {key}.")
    return found
