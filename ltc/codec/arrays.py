"""Arrays of symbols as streams: a `.npy` file is read and written piece by piece, whatever its size."""

from __future__ import annotations

from typing import BinaryIO

import numpy as np

from ltc.npy_header import read_npy_header

__all__ = ["ArrayReader", "ArrayWriter"]


class ArrayReader:
    """Reads the numbers of a `.npy` file in order.

    Args:
        file: open for reading; need not be seekable.
        name: how messages call it.

    Attributes:
        shape: of the array.
        dtype: its type, as a string; integers are read as float32.
        notes: what else a user should know of it.

    Raises:
        ValueError: if it is not such a file, or holds no real numbers.
    """

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file, self._name = file, name
        self.notes: list[str] = []
        self.shape, fortran, kind = read_npy_header(file, name)
        if not all(isinstance(length, int) and 0 <= length < 1 << 62 for length in self.shape):
            raise ValueError(f"{name} is no .npy file: it has the shape {list(self.shape)}.")
        if fortran and len(self.shape) > 1:
            raise ValueError(f"{name} is stored column by column; save it with numpy.ascontiguousarray.")
        if kind.kind not in "fiu" or kind.itemsize > 8:
            raise ValueError(f"{name} holds {kind}; only arrays of real numbers can be coded.")
        self._kind = kind
        self.dtype = kind.newbyteorder("=").name if kind.kind == "f" else "float32"

    def end(self) -> None:
        """Makes sure that nothing follows the array: of several arrays in one file only the first would be coded.

        Raises:
            ValueError: if something does.
        """
        if self._file.read(1):
            numbers = "x".join(map(str, self.shape))
            raise ValueError(f"{self._name} goes on after its {numbers} numbers; a file of one array can be coded.")

    def numbers(self, count: int) -> np.ndarray:
        """The next ``count`` numbers, finite.

        Raises:
            ValueError: if the file ends before, or a number is NaN or infinite.
        """
        wanted = count * self._kind.itemsize
        data = bytearray()
        while len(data) < wanted:
            piece = self._file.read(wanted - len(data))
            if not piece:
                raise ValueError(f"{self._name} ends before its {'x'.join(map(str, self.shape))} numbers do.")
            data += piece
        found = np.frombuffer(bytes(data), dtype=self._kind).astype(self.dtype)
        if not np.isfinite(found).all():
            raise ValueError(f"{self._name} holds NaN or infinite values; only finite numbers can be coded.")
        return found


class ArrayWriter:
    """Writes a `.npy` file in order.

    Args:
        file: open for writing; need not be seekable.
        shape: of the array.
        dtype: its type.
    """

    def __init__(self, file: BinaryIO, shape: tuple[int, ...], dtype: str) -> None:
        self._file, self._dtype = file, np.dtype(dtype).newbyteorder("<")
        header = {"descr": np.lib.format.dtype_to_descr(self._dtype), "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)

    def numbers(self, values: np.ndarray) -> None:
        """The next numbers; those beyond the type's largest become that."""
        largest = np.finfo(self._dtype).max
        self._file.write(np.clip(values.astype(np.float64), -largest, largest).astype(self._dtype).tobytes())
