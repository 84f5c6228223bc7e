"""Which numbers of an array are alike: all of them, those of a column, or those of a block of consecutive ones.

Numbers that are alike are a *class* and share a prior; all share the step, so that the error is the same everywhere and
no bits are spent where there is little to tell (reverse water-filling).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ltc.coding.errors import CorruptStream
from ltc.coding.file_fields import FieldReader, varint

__all__ = ["KINDS", "MOST_CLASSES", "MOST_COLUMNS", "Layout"]

KINDS = ("all alike", "columns", "blocks")
"""What ``Layout.kind`` counts."""

MOST_CLASSES = 20
"""Of an array."""

MOST_COLUMNS = 1 << 16
"""Columns that can have classes."""


@dataclass(frozen=True)
class Layout:
    """The classes of an array's numbers, in the order in which they are stored.

    Attributes:
        kind: of ``KINDS``.
        length: columns, or numbers of a block; 1 where all are alike.
        classes: how many.
        offsets: what is subtracted from all numbers, or from those of a column: float64 [1] or [columns].
        of_column: the class of each column, ``classes`` for constant ones, uint8; None without columns.
        constants: the constant columns' value as it is stored, of the array's type.
        chances: of blocks, how often each class came, int64 [classes + 1], the last for blocks of zeros.
    """

    kind: int
    length: int
    classes: int
    offsets: np.ndarray
    of_column: np.ndarray | None = None
    constants: np.ndarray | None = None
    chances: np.ndarray | None = None

    def offsets_at(self, start: int, count: int) -> np.ndarray | float:
        """What is subtracted from ``count`` numbers from ``start`` on."""
        if self.kind != 1:
            return float(self.offsets[0])
        return _repeated(self.offsets, start, count)

    def classes_at(self, start: int, count: int) -> np.ndarray:
        """The classes of these numbers, uint8, where blocks have none of their own."""
        if self.kind != 1:
            return np.zeros(count, np.uint8)
        assert self.of_column is not None
        return _repeated(self.of_column, start, count)

    def constants_at(self, raw: np.ndarray, start: int, which: np.ndarray) -> None:
        """Puts the constant columns' values where they belong in the numbers ``raw`` from ``start`` on."""
        assert self.of_column is not None and self.constants is not None
        values = np.zeros(self.length, raw.dtype)
        values[self.of_column == self.classes] = self.constants
        raw[which] = _repeated(values, start, len(raw))[which]

    def class_bits(self, size: int) -> float:
        """What the classes of an array's blocks take, where blocks have some; 0 where they do not."""
        if self.kind != 2:
            return 0.0
        assert self.chances is not None
        chances = self.chances[self.chances > 0] / self.chances.sum()
        return size / self.length * float(-(chances * np.log2(chances)).sum())

    def to_bytes(self) -> bytes:
        """What ``read`` reads."""
        head = bytes([self.kind, self.classes]) + varint(self.length)
        if self.kind == 1:
            assert self.of_column is not None and self.constants is not None
            used = self.of_column < self.classes
            return (
                head + self.of_column.tobytes() + self.offsets[used].astype("<f4").tobytes() + self.constants.tobytes()
            )
        if self.kind == 2:
            assert self.chances is not None
            return head + self.offsets.astype("<f8").tobytes() + b"".join(varint(int(c)) for c in self.chances)
        return head + self.offsets.astype("<f8").tobytes()

    @staticmethod
    def read(fields: FieldReader, stored: np.dtype) -> Layout:
        """From a file.

        Args:
            fields: of the file.
            stored: the type of the array.

        Raises:
            CorruptStream: if there is none.
        """
        kind, classes = fields.read(2)
        length = fields.varint()
        if kind > 2 or not 1 <= classes <= MOST_CLASSES or length < 1 or (kind == 1 and length > MOST_COLUMNS):
            raise CorruptStream("the model in the file is damaged")
        if kind == 1:
            of_column = np.frombuffer(fields.read(length), np.uint8)
            used = of_column < classes
            if (of_column > classes).any():
                raise CorruptStream("the model in the file is damaged")
            offsets = np.zeros(length)
            offsets[used] = np.frombuffer(fields.read(4 * int(used.sum())), "<f4")
            constants = np.frombuffer(fields.read(stored.itemsize * int((~used).sum())), stored)
            return Layout(kind, length, classes, _finite(offsets), of_column, constants)
        offsets = _finite(np.frombuffer(fields.read(8), "<f8").astype(np.float64))
        if kind == 0:
            return Layout(kind, length, classes, offsets)
        chances = np.array([fields.varint() for _ in range(classes + 1)], dtype=np.int64)
        return Layout(kind, length, classes, offsets, chances=chances)


def _repeated(values: np.ndarray, start: int, count: int) -> np.ndarray:
    """``values[(start + i) % len(values)]`` for i below ``count``."""
    first = start % len(values)
    return np.tile(values, -(-(first + count) // len(values)))[first : first + count]


def _finite(values: np.ndarray) -> np.ndarray:
    if not np.isfinite(values).all():
        raise CorruptStream("the model in the file is damaged")
    return values
