"""The header of ``.npy`` files, for all that read the numbers after it piece by piece."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    import numpy as np

__all__ = ["read_npy_header"]


def read_npy_header(file: BinaryIO, name: str) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Shape, whether the first axis is stored together, and type of the numbers that follow.

    Args:
        file: at its start; then, at its first number.
        name: how messages call it.

    Raises:
        ValueError: if it is no ``.npy`` file.
    """
    import numpy as np

    try:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        return read(file)
    except Exception as error:
        # The header is an expression of Python, which numpy evaluates safely; what is none fails in many ways.
        raise ValueError(f"{name} is no .npy file.") from error
