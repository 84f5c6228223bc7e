"""Fields of this project's files: integers of any size, chunks with a checksum, and reads that are whole or refused."""

from __future__ import annotations

import io
import struct
import zlib
from typing import BinaryIO

from ltc.coding.errors import CorruptStream

__all__ = ["FieldReader", "read_chunk", "varint", "write_chunk"]

_SHORT = "ends too early: bytes are missing"


class FieldReader:
    """Bytes read from a file, of which none may be missing.

    Args:
        file: where from.

    Attributes:
        checksum: CRC-32 of what was read, for headers, which end with theirs.

    Raises:
        CorruptStream: from every method, if the file ends before.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file, self.checksum = file, 0

    def read(self, count: int, otherwise: str = _SHORT) -> bytes:
        """So many bytes; ``otherwise`` says what is wrong with the file if there is not even one."""
        # Piece by piece: a forged length must not make us ask for memory that the file cannot fill.
        pieces, missing = io.BytesIO(), count
        while missing:
            piece = self._file.read(min(missing, 1 << 20))
            if not piece:
                raise CorruptStream(f"the file {otherwise if missing == count else _SHORT}")
            pieces.write(piece)
            missing -= len(piece)
        found = pieces.getvalue()
        self.checksum = zlib.crc32(found, self.checksum)
        return found

    def varint(self) -> int:
        """Seven bits a byte, the lowest first; the highest bit of a byte says that another one follows."""
        value = 0
        for shift in range(0, 63, 7):
            byte = self.read(1)[0]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
        raise CorruptStream("the header is damaged: a number has too many bytes")


def varint(value: int) -> bytes:
    """A number of at least 0 as ``FieldReader.varint`` reads it (LEB128)."""
    found = bytearray()
    while True:
        value, low = value >> 7, value & 0x7F
        found.append(low | (0x80 if value else 0))
        if not value:
            return bytes(found)


def write_chunk(file: BinaryIO, payload: bytes) -> None:
    """Writes a chunk: its length, its checksum, its bytes."""
    file.write(struct.pack("<II", len(payload), zlib.crc32(payload)) + payload)


def read_chunk(file: BinaryIO) -> bytes:
    """The bytes of the next chunk.

    Raises:
        CorruptStream: if the file ends within it, or its checksum is wrong.
    """
    taken = FieldReader(file)
    length, checksum = struct.unpack("<II", taken.read(8))
    payload = taken.read(length)
    if zlib.crc32(payload) != checksum:
        raise CorruptStream("the file is damaged: a chunk's checksum is wrong")
    return payload
