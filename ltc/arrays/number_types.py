"""The types of numbers: what of them is coded as numbers, and how numbers become them again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["BFLOAT16", "NumberType"]

BFLOAT16 = "bfloat16"
"""The name of the type that numpy has not: its 16 bits are the upper half of a float32's."""


@dataclass(frozen=True)
class NumberType:
    """A type of numbers by its name.

    Args:
        name: of a numpy dtype with its byte order (``<f4``, ``>i2``, ``|b1``), or ``bfloat16``.

    Raises:
        ValueError: if there is no such type, or its values are Python objects.

    Examples:
        >>> NumberType("<f2").numbers(np.array([1.5], "<f2"))
        array([1.5], dtype=float32)
    """

    name: str

    def __post_init__(self) -> None:
        try:
            found = self.raw
        except (TypeError, ValueError, SyntaxError) as error:
            raise ValueError(f"there are no numbers of the type {self.name!r}") from error
        if found.hasobject or found.itemsize == 0:
            raise ValueError(f"An array of {found} holds no numbers that can be packed.")

    @property
    def raw(self) -> np.dtype:
        """How the numbers are stored."""
        return np.dtype("<u2") if self.name == BFLOAT16 else np.dtype(self.name)

    @property
    def is_float(self) -> bool:
        return self.name == BFLOAT16 or (self.raw.kind == "f" and self.raw.itemsize <= 8)

    @property
    def is_integer(self) -> bool:
        return self.name != BFLOAT16 and self.raw.kind in "iu"

    @property
    def is_lossy(self) -> bool:
        """Whether its values may be replaced by near ones: not truth values, texts, times, records."""
        return self.is_float or self.is_integer

    def numbers(self, raw: np.ndarray) -> np.ndarray:
        """As float32 where it holds all of them, else float64."""
        if self.name == BFLOAT16:
            return (raw.astype(np.uint32) << 16).view(np.float32)
        small = self.raw.itemsize <= (4 if self.raw.kind == "f" else 2)
        return raw.astype(np.float32 if small else np.float64)

    def stored(self, numbers: np.ndarray) -> np.ndarray:
        """The nearest numbers of the type, finite: from float64 [n]."""
        if self.name == BFLOAT16:
            single = np.clip(numbers, -3.3895e38, 3.3895e38).astype(np.float32).view(np.uint32)
            # To the nearest, ties to even.
            return ((single + 0x7FFF + ((single >> 16) & 1)) >> 16).astype("<u2")
        kind = self.raw
        if kind.kind == "f":
            largest = np.finfo(kind).max
            if kind.itemsize < 8:
                numbers = np.clip(numbers, -np.float64(largest), np.float64(largest))
            return numbers.astype(kind)
        limits = np.iinfo(kind)
        rounded = np.rint(numbers)
        with np.errstate(invalid="ignore"):
            found = rounded.astype(kind)
        found[rounded >= float(limits.max)] = limits.max
        found[rounded <= float(limits.min)] = limits.min
        return found
