"""The `.ltc` file: a header, then chunks of blocks, each with its length and checksum. See docs/format.md."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from ltc.coding.errors import CorruptStream
from ltc.coding.file_fields import FieldReader, varint

__all__ = ["Header", "read_end", "read_header", "write_header"]

_MAGIC = b"\x89LTC"
_VERSION = 1
_DTYPES = ("float16", "float32", "float64")
_LARGEST_AXES = 8
_LARGEST_CHUNK = 1 << 22


@dataclass(frozen=True)
class Header:
    """What a file says before its chunks.

    Attributes:
        fingerprint: 8 bytes that name the coder.
        dtype: of the array that was compressed: float16, float32 or float64.
        shape: of that array.
        seed: of the dither.
        numbers: numbers of the array in each chunk but the last, whole blocks.
    """

    fingerprint: bytes
    dtype: str
    shape: tuple[int, ...]
    seed: int
    numbers: int

    @property
    def size(self) -> int:
        """Numbers of the array."""
        return int(np.prod(self.shape, dtype=object))

    @property
    def chunks(self) -> int:
        """Chunks of the file."""
        return -(-self.size // self.numbers)


def write_header(file: BinaryIO, header: Header) -> None:
    """Writes a header.

    Raises:
        ValueError: if a field is out of its range.
    """
    if header.dtype not in _DTYPES:
        raise ValueError(f"An array of {header.dtype} cannot be coded; {', '.join(_DTYPES)} can.")
    if len(header.shape) > _LARGEST_AXES:
        raise ValueError(f"An array has {_LARGEST_AXES} axes at most, this one has {len(header.shape)}.")
    if any(length < 0 for length in header.shape):
        raise ValueError(f"The axes of an array have lengths from 0 on, not {list(header.shape)}.")
    if not 0 < header.numbers <= _LARGEST_CHUNK or not 0 <= header.seed < 1 << 63:
        raise ValueError(f"A chunk has 1 to {_LARGEST_CHUNK} numbers, and a seed is from 0 to 2^63 - 1.")
    body = _MAGIC + bytes([_VERSION]) + header.fingerprint + bytes([_DTYPES.index(header.dtype), len(header.shape)])
    body += b"".join(varint(v) for v in (*header.shape, header.seed, header.numbers))
    file.write(body + struct.pack("<I", zlib.crc32(body)))


def read_header(file: BinaryIO) -> Header:
    """Reads a header.

    Raises:
        CorruptStream: if there is none, of another version, or a damaged one.
    """
    taken = FieldReader(file)
    magic = taken.read(4, "is empty")
    if magic != _MAGIC:
        raise CorruptStream("this is no .ltc file: it does not begin with its four bytes")
    version = taken.read(1)[0]
    if version != _VERSION:
        raise CorruptStream(f"the file has version {version} of the format, and this program reads version {_VERSION}")
    fingerprint = taken.read(8)
    dtype, axes = taken.read(2)
    if dtype >= len(_DTYPES) or axes > _LARGEST_AXES:
        raise CorruptStream("the header is damaged")
    numbers = [taken.varint() for _ in range(axes + 2)]
    so_far = taken.checksum
    if struct.unpack("<I", taken.read(4))[0] != so_far:
        raise CorruptStream("the header is damaged: its checksum is wrong")
    header = Header(fingerprint, _DTYPES[dtype], tuple(numbers[:axes]), numbers[-2], numbers[-1])
    if not 0 < header.numbers <= _LARGEST_CHUNK or header.size >= 1 << 62:
        raise CorruptStream("the header is damaged: its sizes are impossible")
    return header


def read_end(file: BinaryIO) -> None:
    """Makes sure that nothing follows the last chunk.

    Raises:
        CorruptStream: if something does.
    """
    if file.read(1):
        raise CorruptStream("the file goes on after its last chunk")
