"""Arrays that are packed: in memory, or in ``.npy``, ``.npz`` and ``.safetensors`` files."""

from __future__ import annotations

import contextlib
import json
import math
import os
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ltc.arrays.container import ARRAY, NPZ, SAFETENSORS
from ltc.arrays.number_types import NumberType
from ltc.arrays.tensor_notes import SAFETENSORS_TYPES, write_notes
from ltc.npy_header import read_npy_header

__all__ = ["FileSource", "MemorySource", "opened", "sources_of"]


class MemorySource:
    """An array in memory.

    Args:
        array: of any shape and type but Python objects.
        name: what it is called in the file.

    Raises:
        ValueError: if it holds objects.
    """

    def __init__(self, array: np.ndarray, name: str = "") -> None:
        self.name, self.shape = name, array.shape
        self.type = NumberType(array.dtype.str if array.dtype.names is None else f"|V{array.dtype.itemsize}")
        if array.dtype.hasobject or array.dtype.names is not None:
            raise ValueError(f"An array of {array.dtype} holds no numbers that can be packed.")
        self.fortran = array.ndim > 1 and array.flags.f_contiguous and not array.flags.c_contiguous
        self._flat = np.ravel(array, order="F" if self.fortran else "C")

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    def read(self, start: int, stop: int) -> np.ndarray:
        return self._flat[start:stop]


class FileSource:
    """An array in a file, read where it is.

    Args:
        path: of the file.
        place: of its first byte.
        name: what it is called.
        shape: of the array.
        kind: its type.
        fortran: whether its first axis is the one that is stored together.

    Raises:
        ValueError: if the file is too short.
    """

    def __init__(
        self, path: Path, place: int, name: str, shape: tuple[int, ...], kind: NumberType, fortran: bool = False
    ) -> None:
        self.path, self.name, self.shape, self.type, self.fortran = path, name, shape, kind, fortran
        self._place, self._file = place, path.open("rb")
        if os.fstat(self._file.fileno()).st_size < place + self.size * kind.raw.itemsize:
            raise ValueError(f"{path} ends before its {' x '.join(map(str, shape)) or 'one'} numbers do.")

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    def read(self, start: int, stop: int) -> np.ndarray:
        stored = self.type.raw
        raw = np.empty(stop - start, stored)
        data, place = memoryview(raw.view(np.uint8).data), self._place + start * stored.itemsize
        while data:
            count = os.preadv(self._file.fileno(), [data], place)
            if not count:
                raise ValueError(f"{self.path} has become shorter since it was opened.")
            data, place = data[count:], place + count
        return raw

    def close(self) -> None:
        """Closes the file."""
        self._file.close()


def sources_of(values: Any) -> tuple[list[MemorySource], int]:
    """Arrays in memory as sources, and what their file is.

    Args:
        values: an array, or a mapping of names to arrays.
    """
    if isinstance(values, Mapping):
        return [MemorySource(np.asanyarray(value), str(name)) for name, value in values.items()], NPZ
    return [MemorySource(np.asanyarray(values))], ARRAY


@contextlib.contextmanager
def opened(path: str) -> Iterator[tuple[Sequence[MemorySource | FileSource], int, bytes]]:
    """The arrays of a file, what the file is, and its notes.

    Raises:
        ValueError: if it is no file of arrays.
        OSError: if it cannot be read.
    """
    suffix = Path(path).suffix.lower()
    if suffix == ".npz":
        yield list(_archive(Path(path))), NPZ, b""
        return
    files: list[FileSource] = []
    try:
        if suffix == ".safetensors":
            notes = _tensors(Path(path), files)
            yield files, SAFETENSORS, notes
        else:
            files.append(_npy(Path(path)))
            yield files, ARRAY, b""
    finally:
        for source in files:
            source.close()


def _npy(path: Path) -> FileSource:
    with path.open("rb") as file:
        shape, fortran, kind = read_npy_header(file, str(path))
        place = file.tell()
    _check(kind, str(path))
    return FileSource(path, place, "", shape, NumberType(kind.str), fortran and len(shape) > 1)


def _archive(path: Path) -> Iterator[MemorySource]:
    if not zipfile.is_zipfile(path):
        path.open("rb").close()
        raise ValueError(f"{path} is no .npz file.")
    try:
        with np.load(path, allow_pickle=False) as archive:
            for name in archive.files:
                found = archive[name]
                if not isinstance(found, np.ndarray):
                    raise ValueError(f"{name} is no array")
                _check(found.dtype, f"{path}[{name}]")
                yield MemorySource(found, name)
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, AttributeError) as error:
        raise ValueError(f"{path} is damaged, or no .npz file that can be read ({error}).") from error
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _check(kind: np.dtype, name: str) -> None:
    if kind.hasobject or kind.names is not None or kind.itemsize == 0:
        raise ValueError(f"{name} holds {kind}; only arrays of numbers can be packed.")


def _tensors(path: Path, files: list[FileSource]) -> bytes:
    """Adds a file's tensors; returns the notes about them."""
    from safetensors import SafetensorError, safe_open

    try:
        # The library says whether it is such a file; the tensors are read where they are.
        with safe_open(path, framework="np") as tensors:
            metadata = tensors.metadata() or {}
    except SafetensorError as error:
        raise ValueError(f"{path} is no .safetensors file ({error}).") from error
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        entries = json.loads(file.read(length))
    entries.pop("__metadata__", None)
    # In the order in which they are stored, which is that in which they are read and written.
    found = sorted(entries.items(), key=lambda item: item[1]["data_offsets"])
    for name, entry in found:
        if entry["dtype"] not in SAFETENSORS_TYPES:
            raise ValueError(f"{path}: the tensor {name} has the type {entry['dtype']}, which cannot be packed.")
        place = 8 + length + entry["data_offsets"][0]
        kind = NumberType(SAFETENSORS_TYPES[entry["dtype"]])
        files.append(FileSource(path, place, name, tuple(entry["shape"]), kind))
    return write_notes(metadata, [(name, entry["dtype"], entry["shape"]) for name, entry in found])
