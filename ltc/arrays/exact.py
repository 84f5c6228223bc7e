"""Chunks of which every bit is kept: the bytes of all numbers by their place, squeezed."""

from __future__ import annotations

import zlib

import numpy as np

from ltc.arrays.squeezed import byte_planes, from_byte_planes, inflated
from ltc.coding.errors import CorruptStream

__all__ = ["read_exact", "write_exact"]

_LEVEL = 6
_NONE = "the file is damaged: a chunk is no exact one"


def write_exact(raw: np.ndarray) -> bytes:
    """What ``read_exact`` reads.

    Integers are taken as differences where that is shorter. Each place of bytes is squeezed for itself, or left.
    """
    forms = [raw]
    if raw.dtype.kind in "iu" and len(raw):
        unsigned = raw.astype(raw.dtype.newbyteorder("=")).view(f"u{raw.dtype.itemsize}")
        forms.append(np.diff(unsigned, prepend=unsigned.dtype.type(0)).astype(f"<u{raw.dtype.itemsize}"))
    bodies = [bytes([i]) + _squeezed(form) for i, form in enumerate(forms)]
    return min(bodies, key=len)


def read_exact(data: bytes, count: int, stored: np.dtype) -> np.ndarray:
    """The numbers [count] as they were.

    Raises:
        CorruptStream: if these are no chunk's bytes.
    """
    size, at, planes = stored.itemsize, 1, []
    for _ in range(size if count else 0):
        length = int.from_bytes(data[at : at + 5], "little")
        squeezed, length = length & 1, length >> 1
        plane = data[at + 5 : at + 5 + length]
        at += 5 + length
        if squeezed:
            plane = inflated(plane, count, _NONE)
        if len(plane) != count:
            raise CorruptStream(_NONE)
        planes.append(np.frombuffer(plane, np.uint8))
    if at != len(data) or data[0] > 1 or (data[0] and stored.kind not in "iu"):
        raise CorruptStream(_NONE)
    if not planes:
        return np.empty(0, stored)
    if not data[0]:
        return from_byte_planes(np.stack(planes), stored)
    steps = from_byte_planes(np.stack(planes), np.dtype(f"<u{size}"))
    return np.cumsum(steps, dtype=f"u{size}").view(f"i{size}" if stored.kind == "i" else f"u{size}").astype(stored)


def _squeezed(values: np.ndarray) -> bytes:
    if not len(values):
        return b""
    body = b""
    for plane in byte_planes(values):
        plain = plane.tobytes()
        squeezed = zlib.compress(plain, _LEVEL)
        best = min(plain, squeezed, key=len)
        body += ((len(best) << 1) | (best is squeezed)).to_bytes(5, "little") + best
    return body
