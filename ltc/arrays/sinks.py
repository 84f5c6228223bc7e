"""Where unpacked arrays go: to memory, or to ``.npy``, ``.npz`` and ``.safetensors`` files."""

from __future__ import annotations

import json
import math
import struct
import zipfile
from collections.abc import Callable
from typing import Any, BinaryIO

import numpy as np

from ltc.arrays.container import ARRAY, NPZ, SAFETENSORS, Record
from ltc.arrays.number_types import BFLOAT16, NumberType
from ltc.arrays.tensor_notes import SAFETENSORS_TYPES, read_notes
from ltc.coding.errors import CorruptStream

__all__ = ["FileSink", "MemorySink", "suffix_of"]

_SUFFIXES = {ARRAY: ".npy", NPZ: ".npz", SAFETENSORS: ".safetensors"}
# A safetensors file's header has a multiple of so many bytes.
_ALIGNED = 8


def suffix_of(kind: int) -> str:
    """The suffix of the files whose arrays a file holds."""
    return _SUFFIXES[kind]


class MemorySink:
    """Keeps the arrays.

    Attributes:
        value: the array, or a dict of them by name.
    """

    def begin(self, kind: int, notes: bytes, arrays: int) -> None:
        self._kind = kind
        self._found: dict[str, np.ndarray] = {}
        self._whole: list[tuple[Record, np.ndarray]] = []

    def array(self, record: Record) -> Callable[[np.ndarray], None]:
        # A forged size must not make us ask for memory that the file cannot fill: it grows with what comes.
        flat = np.empty(min(record.size, 1 << 22), record.type.raw)
        at = 0
        self._whole.append((record, flat))

        def take(raw: np.ndarray) -> None:
            nonlocal at, flat
            if at + len(raw) > len(flat):
                grown = np.empty(min(record.size, 2 * len(flat) + len(raw)), flat.dtype)
                grown[:at] = flat[:at]
                flat = grown
                self._whole[-1] = (record, flat)
            flat[at : at + len(raw)] = raw
            at += len(raw)

        return take

    def end(self) -> None:
        for record, flat in self._whole:
            found = flat.reshape(record.shape, order="F" if record.fortran else "C")
            if record.type.name == BFLOAT16:
                found = (found.astype(np.uint32) << 16).view(np.float32)
            self._found[record.name] = found

    @property
    def value(self) -> Any:
        return next(iter(self._found.values())) if self._kind == ARRAY else self._found


class FileSink:
    """Writes a file.

    Args:
        file: open for writing; need not be seekable.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def begin(self, kind: int, notes: bytes, arrays: int) -> None:
        self._kind = kind
        self._member: Any = None
        if kind == NPZ:
            self._archive = zipfile.ZipFile(self._file, "w", zipfile.ZIP_STORED, allowZip64=True)
        elif kind == SAFETENSORS:
            self._left = self._begin_tensors(read_notes(notes))

    def _begin_tensors(self, told: dict[str, Any]) -> list[tuple[str, tuple[int, ...], str]]:
        """Writes the header, which says where each tensor will be; returns what has to come."""
        header: dict[str, Any] = {"__metadata__": told["metadata"]} if told["metadata"] else {}
        place, left = 0, []
        for name, kind, shape in told["tensors"]:
            stop = place + math.prod(shape) * NumberType(SAFETENSORS_TYPES[kind]).raw.itemsize
            header[name] = {"dtype": kind, "shape": shape, "data_offsets": [place, stop]}
            left.append((name, tuple(shape), SAFETENSORS_TYPES[kind]))
            place = stop
        text = json.dumps(header, separators=(",", ":")).encode()
        text += b" " * (-len(text) % _ALIGNED)
        self._file.write(struct.pack("<Q", len(text)) + text)
        return left

    def array(self, record: Record) -> Callable[[np.ndarray], None]:
        if self._kind == SAFETENSORS:
            if not self._left or self._left.pop(0) != (record.name, record.shape, record.type.name):
                raise CorruptStream("the file is damaged: its tensors are not those that it names")
            return lambda raw: _write(self._file, raw)
        if record.type.name == BFLOAT16:
            raise CorruptStream("the file is damaged: numpy has no arrays of bfloat16")
        file: Any = self._file
        if self._kind == NPZ:
            self._close_member()
            file = self._member = self._archive.open(f"{record.name}.npy", "w", force_zip64=True)
        descr = np.lib.format.dtype_to_descr(record.type.raw)
        header = {"descr": descr, "fortran_order": record.fortran, "shape": record.shape}
        np.lib.format.write_array_header_1_0(file, header)
        return lambda raw: _write(file, raw)

    def _close_member(self) -> None:
        if self._member is not None:
            self._member.close()

    def end(self) -> None:
        if self._kind == NPZ:
            self._close_member()
            self._archive.close()


def _write(file: Any, raw: np.ndarray) -> None:
    file.write(np.ascontiguousarray(raw).view(np.uint8).data)
