"""What a packed safetensors file says of its tensors before they come: names, types, shapes and the metadata."""

from __future__ import annotations

import json
import zlib
from typing import Any

from ltc.arrays.number_types import BFLOAT16
from ltc.coding.errors import CorruptStream

__all__ = ["SAFETENSORS_TYPES", "read_notes", "write_notes"]

SAFETENSORS_TYPES = {
    **{"BOOL": "|b1", "I8": "|i1", "U8": "|u1", "I16": "<i2", "U16": "<u2", "I32": "<i4", "U32": "<u4"},
    **{"I64": "<i8", "U64": "<u8", "F16": "<f2", "F32": "<f4", "F64": "<f8", "C64": "<c8", "BF16": BFLOAT16},
    # Numbers of eight bits are kept as they are.
    **{"F8_E4M3": "|V1", "F8_E5M2": "|V1", "F8_E8M0": "|V1", "F8_E4M3FNUZ": "|V1", "F8_E5M2FNUZ": "|V1"},
}
"""The types of these files, and how their numbers are stored."""

# Of the notes of a file.
_MOST = 1 << 28


def write_notes(metadata: dict[str, str], tensors: list[tuple[str, str, list[int]]]) -> bytes:
    """What ``read_notes`` reads.

    Args:
        metadata: of the file.
        tensors: name, type and shape of each, in order.
    """
    return zlib.compress(json.dumps({"metadata": metadata, "tensors": tensors}, separators=(",", ":")).encode(), 9)


def read_notes(notes: bytes) -> dict[str, Any]:
    """``metadata`` and ``tensors``, as ``write_notes`` was given them.

    Raises:
        CorruptStream: if they are none.
    """
    try:
        told = json.loads(zlib.decompressobj().decompress(notes, _MOST))
        good = isinstance(told["metadata"], dict) and all(
            isinstance(name, str) and kind in SAFETENSORS_TYPES and all(isinstance(n, int) and n >= 0 for n in shape)
            for name, kind, shape in told["tensors"]
        )
    except (ValueError, KeyError, TypeError, zlib.error) as error:
        raise CorruptStream("the file is damaged: its notes are none") from error
    if not good:
        raise CorruptStream("the file is damaged: its notes are none")
    return told
