"""The `.ltc` file of an image: a header, then the strings of its network. See docs/format.md."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import BinaryIO

from ltc.coding.errors import CorruptStream
from ltc.coding.file_fields import FieldReader, varint

__all__ = ["ImageHeader", "is_image", "read_image_file", "write_image_file"]

_MAGIC, _WHOLE, _TILES = b"\x89LTI", 2, 3
_LARGEST_SIDE, _LARGEST_PIXELS, _MOST_STRINGS, _MOST_TILES = 1 << 20, 1 << 30, 64, 1 << 16


@dataclass(frozen=True)
class ImageHeader:
    """What the file of an image says before its strings.

    Attributes:
        fingerprint: 8 bytes that name the network.
        height: of the image in pixels.
        width: of the image in pixels.
        latents: CRC-32 of the latents that the encoder has seen itself decode to, as float32.
        checksum: CRC-32 of the pixels likewise.
        side: of its tiles in pixels; 0 for a picture that is coded as a whole.
        margin: pixels around a tile that its synthesis has seen.
    """

    fingerprint: bytes
    height: int
    width: int
    latents: int
    checksum: int
    side: int = 0
    margin: int = 0


def is_image(start: bytes) -> bool:
    """Whether a file that starts with these bytes, at least four, holds an image."""
    return start[: len(_MAGIC)] == _MAGIC


def write_image_file(file: BinaryIO, header: ImageHeader, strings: list[bytes]) -> None:
    """Writes a whole file.

    Raises:
        ValueError: if the image has no pixels, too many, or too many strings.
    """
    height, width = header.height, header.width
    if not _possible(height, width):
        raise ValueError(f"An image of {width} x {height} pixels cannot be coded: 1 to {_LARGEST_PIXELS:,} can.")
    most = _MOST_STRINGS * _MOST_TILES if header.side else _MOST_STRINGS
    if not 0 < len(strings) <= most:
        raise ValueError(f"An image has 1 to {most:,} strings, not {len(strings):,}.")
    head = _MAGIC + bytes([_TILES if header.side else _WHOLE]) + header.fingerprint
    tiles = (header.side, header.margin) if header.side else ()
    head += b"".join(varint(v) for v in (height, width, *tiles, len(strings), *map(len, strings)))
    head += struct.pack("<II", header.latents, header.checksum)
    payload = b"".join(strings)
    file.write(head + struct.pack("<I", zlib.crc32(head)) + payload + struct.pack("<I", zlib.crc32(payload)))


def read_image_file(file: BinaryIO) -> tuple[ImageHeader, list[bytes]]:
    """The header and the strings of a file.

    Raises:
        CorruptStream: if it holds no image, or is damaged.
    """
    taken = FieldReader(file)
    if not is_image(taken.read(len(_MAGIC), "is empty")):
        raise CorruptStream("this is no .ltc file of an image: it does not begin with its four bytes")
    version = taken.read(1)[0]
    if version not in (_WHOLE, _TILES):
        raise CorruptStream(
            f"the file has version {version} of the format, and this program reads versions {_WHOLE} and {_TILES}"
        )
    fingerprint = taken.read(8)
    height, width = taken.varint(), taken.varint()
    side, margin = (taken.varint(), taken.varint()) if version == _TILES else (0, 0)
    count, most = taken.varint(), _MOST_STRINGS * _tiles(height, width, side)
    if not _possible(height, width) or not 0 < count <= most or (side == 0) != (version == _WHOLE):
        raise CorruptStream("the header is damaged: its sizes are impossible")
    lengths = [taken.varint() for _ in range(count)]
    latents, checksum = struct.unpack("<II", taken.read(8))
    so_far = taken.checksum
    if struct.unpack("<I", taken.read(4))[0] != so_far:
        raise CorruptStream("the header is damaged: its checksum is wrong")
    strings = [FieldReader(file).read(length) for length in lengths]
    if struct.unpack("<I", FieldReader(file).read(4))[0] != zlib.crc32(b"".join(strings)):
        raise CorruptStream("the file is damaged: the checksum of its strings is wrong")
    if file.read(1):
        raise CorruptStream("the file goes on after its strings")
    return ImageHeader(fingerprint, height, width, latents, checksum, side, margin), strings


def _possible(height: int, width: int) -> bool:
    return 0 < height <= _LARGEST_SIDE and 0 < width <= _LARGEST_SIDE and height * width <= _LARGEST_PIXELS


def _tiles(height: int, width: int, side: int) -> int:
    """At most so many."""
    return min(-(-height // side) * -(-width // side), _MOST_TILES) if side else 1
