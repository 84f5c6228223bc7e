"""The file of packed arrays: a header, then each array's record, model and chunks, then what was lost."""

from __future__ import annotations

import io
import math
import struct
import zlib
from dataclasses import dataclass
from typing import BinaryIO

from ltc.arrays.chunks import Errors
from ltc.arrays.number_types import NumberType
from ltc.coding.errors import CorruptStream
from ltc.coding.file_fields import FieldReader, varint

__all__ = [
    "ARRAY",
    "MAGIC",
    "NPZ",
    "SAFETENSORS",
    "Record",
    "kind_of",
    "read_ends",
    "read_header",
    "read_record",
    "write_ends",
    "write_header",
    "write_record",
]

MAGIC = b"\x89LTP"
_VERSION = 1
ARRAY, NPZ, SAFETENSORS = range(3)
"""What was packed: one array, or arrays by name from a file of either kind."""

EXACT, LOSSY, CONSTANT = range(3)
_MOST_AXES, _MOST_CHUNK, _MOST_ARRAYS = 64, 1 << 22, 1 << 20


@dataclass(frozen=True)
class Record:
    """What a file says of one array before its chunks.

    Attributes:
        name: of the array.
        type: of its numbers.
        shape: of the array.
        fortran: whether its first axis is the one that is stored together.
        kind: EXACT, LOSSY or CONSTANT.
        numbers: of a chunk, all but the last.
        model: its bytes; of a constant array the one number; else nothing.
    """

    name: str
    type: NumberType
    shape: tuple[int, ...]
    fortran: bool
    kind: int
    numbers: int
    model: bytes

    @property
    def size(self) -> int:
        """How many numbers there are."""
        return math.prod(self.shape)

    @property
    def chunks(self) -> int:
        """How many chunks follow."""
        return 0 if self.kind == CONSTANT else -(-self.size // self.numbers)


def write_header(file: BinaryIO, kind: int, arrays: int, notes: bytes) -> None:
    """Writes what comes first.

    Args:
        file: open for writing.
        kind: ARRAY, NPZ or SAFETENSORS.
        arrays: how many follow.
        notes: of a safetensors file, its metadata as JSON.
    """
    body = MAGIC + bytes([_VERSION, kind]) + varint(arrays) + varint(len(notes)) + notes
    file.write(body + struct.pack("<I", zlib.crc32(body)))


def read_header(file: BinaryIO) -> tuple[int, int, bytes]:
    """What ``write_header`` was given.

    Raises:
        CorruptStream: if there is no such header, of another version, or a damaged one.
    """
    fields = _Checked(file)
    magic = fields.read(4, "is empty")
    _check_magic(magic)
    version, kind = fields.read(2)
    if version != _VERSION:
        raise CorruptStream(f"the file has version {version} of the format, and this program reads version {_VERSION}")
    arrays = fields.varint()
    notes = fields.read(fields.varint())
    fields.check("the header")
    if kind > SAFETENSORS or arrays > _MOST_ARRAYS or (kind == ARRAY and arrays != 1):
        raise CorruptStream("the header is damaged")
    return kind, arrays, notes


def kind_of(start: bytes) -> int:
    """What a file holds that begins so.

    Raises:
        CorruptStream: if it is no such file.
    """
    if not start:
        raise CorruptStream("the file is empty")
    _check_magic(start[:4])
    if len(start) < 6 or start[5] > SAFETENSORS:
        raise CorruptStream("the header is damaged")
    return start[5]


def _check_magic(magic: bytes) -> None:
    if magic != MAGIC:
        raise CorruptStream("this is no file of packed arrays: it does not begin with its four bytes")


def write_record(file: BinaryIO, record: Record) -> None:
    """Writes what comes before an array's chunks."""
    name, kind = record.name.encode(), record.type.name.encode()
    body = varint(len(name)) + name + varint(len(kind)) + kind + bytes([record.fortran, record.kind])
    body += varint(len(record.shape)) + b"".join(varint(length) for length in record.shape)
    body += varint(record.numbers) + varint(len(record.model)) + record.model
    file.write(body + struct.pack("<I", zlib.crc32(body)))


def read_record(file: BinaryIO) -> Record:
    """The next record.

    Raises:
        CorruptStream: if there is none, or a damaged one.
    """
    fields = _Checked(file)
    name, kind = fields.read(fields.varint()), fields.read(fields.varint())
    fortran, how = fields.read(2)
    axes = fields.varint()
    if axes > _MOST_AXES or fortran > 1 or how > CONSTANT:
        raise CorruptStream("the file is damaged: an array's record is impossible")
    shape = tuple(fields.varint() for _ in range(axes))
    numbers = fields.varint()
    model = fields.read(fields.varint())
    fields.check("an array's record")
    try:
        found = Record(name.decode(), NumberType(kind.decode()), shape, bool(fortran), how, numbers, model)
    except ValueError as error:
        raise CorruptStream("the file is damaged: an array's record is impossible") from error
    if not 0 < numbers <= _MOST_CHUNK or math.prod(max(1, n) for n in shape) >= 1 << 60:
        raise CorruptStream("the file is damaged: an array's record is impossible")
    return found


def write_ends(file: BinaryIO, lost: list[Errors]) -> None:
    """Writes what was lost in each array, which is known when all is coded."""
    body = b"".join(varint(e.count) + struct.pack("<dd", e.squares, e.largest) for e in lost)
    file.write(body + struct.pack("<I", zlib.crc32(body)))


def read_ends(file: BinaryIO, arrays: int) -> list[Errors]:
    """What was lost in each array; makes sure that nothing follows.

    Raises:
        CorruptStream: if it is damaged, or something follows.
    """
    fields = _Checked(file)
    found = [Errors(fields.varint(), *struct.unpack("<dd", fields.read(16))) for _ in range(arrays)]
    fields.check("the end of the file")
    if file.read(1):
        raise CorruptStream("the file goes on after its end")
    return found


class _Checked(FieldReader):
    """Fields that a checksum follows."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self._taken = io.BytesIO()

    def read(self, count: int, otherwise: str = "ends too early: bytes are missing") -> bytes:
        found = super().read(count, otherwise) if count else b""
        self._taken.write(found)
        return found

    def check(self, what: str) -> None:
        """Compares the checksum that follows."""
        wanted = zlib.crc32(self._taken.getvalue())
        if struct.unpack("<I", super().read(4))[0] != wanted:
            raise CorruptStream(f"the file is damaged: the checksum of {what} is wrong")
