"""Numbers that are kept exactly: where they are in a chunk, and what they are."""

from __future__ import annotations

import zlib

import numpy as np

from ltc.arrays.squeezed import byte_planes, from_byte_planes, inflated
from ltc.coding.errors import CorruptStream
from ltc.coding.file_fields import FieldReader, varint

__all__ = ["read_exceptions", "write_exceptions"]

_IMPOSSIBLE = "the file is damaged: a chunk's exceptions are impossible"


def write_exceptions(which: np.ndarray, raw: np.ndarray) -> bytes:
    """What ``read_exceptions`` reads: a map of bits or the distances between places, and the values, squeezed.

    Args:
        which: bool [n].
        raw: the chunk's numbers as they are stored [n].
    """
    places = np.flatnonzero(which)
    if not len(places):
        return b"\0"
    gaps = np.diff(places, prepend=-1) - 1
    forms = [
        zlib.compress(np.packbits(which).tobytes(), 6),
        zlib.compress(byte_planes(gaps.astype("<u4")).tobytes(), 6),
    ]
    form = int(len(forms[1]) < len(forms[0]))
    values = zlib.compress(byte_planes(raw[places]).tobytes(), 6)
    head = bytes([1 + form]) + varint(len(places)) + varint(len(forms[form])) + varint(len(values))
    return head + forms[form] + values


def read_exceptions(fields: FieldReader, count: int, stored: np.dtype) -> tuple[np.ndarray, np.ndarray]:
    """Where they are, bool [count], and their values.

    Raises:
        CorruptStream: if they are no chunk's.
    """
    form, which = fields.read(1)[0], np.zeros(count, bool)
    if not form:
        return which, np.empty(0, stored)
    some, first, second = fields.varint(), fields.varint(), fields.varint()
    if form > 2 or some > count:
        raise CorruptStream(_IMPOSSIBLE)
    if form == 1:
        which = np.unpackbits(np.frombuffer(_exactly(fields.read(first), -(-count // 8)), np.uint8))[:count] > 0
    else:
        gaps = _values(_exactly(fields.read(first), 4 * some), np.dtype("<u4"))
        places = np.cumsum(gaps.astype(np.int64) + 1) - 1
        if some and places[-1] >= count:
            raise CorruptStream(_IMPOSSIBLE)
        which[places] = True
    if int(which.sum()) != some:
        raise CorruptStream(_IMPOSSIBLE)
    return which, _values(_exactly(fields.read(second), stored.itemsize * some), stored)


def _exactly(data: bytes, size: int) -> bytes:
    found = inflated(data, size, _IMPOSSIBLE)
    if len(found) != size:
        raise CorruptStream(_IMPOSSIBLE)
    return found


def _values(data: bytes, stored: np.dtype) -> np.ndarray:
    return from_byte_planes(np.frombuffer(data, np.uint8).reshape(stored.itemsize, -1), stored)
