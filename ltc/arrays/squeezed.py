"""Bytes that are deflated: no more of them than there may be, and numbers by the place of their bytes."""

from __future__ import annotations

import zlib

import numpy as np

from ltc.coding.errors import CorruptStream

__all__ = ["byte_planes", "from_byte_planes", "inflated"]


def inflated(data: bytes, most: int, wrong: str) -> bytes:
    """What was deflated, and a byte more than ``most`` where there is more.

    Raises:
        CorruptStream: with the words ``wrong``, if nothing was.
    """
    try:
        return zlib.decompressobj().decompress(data, most + 1)
    except zlib.error as error:
        raise CorruptStream(wrong) from error


def byte_planes(values: np.ndarray) -> np.ndarray:
    """The first bytes of all values [n], then the second ones, …: uint8 [itemsize, n]."""
    return np.ascontiguousarray(values.view(np.uint8).reshape(len(values), -1).T)


def from_byte_planes(planes: np.ndarray, stored: np.dtype) -> np.ndarray:
    """The values [n] of ``byte_planes``."""
    return np.ascontiguousarray(planes.T).view(stored).ravel()
