"""``Shards``: several files of vectors, one after another, as one array."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ltc.vectors.vectors import Vectors

__all__ = ["Shards"]


class Shards(Vectors):
    """Arrays of one dimension, one after another.

    Args:
        parts: the arrays, at least one.
        name: how messages call the whole.

    Raises:
        ValueError: if their dimensions differ.
    """

    def __init__(self, parts: Sequence[Vectors], name: str) -> None:
        self.parts, self.name, self.dim = list(parts), name, parts[0].dim
        other = next((part for part in parts if part.dim != self.dim), None)
        if other is not None:
            raise ValueError(
                f"{other.name} holds vectors of dimension {other.dim}, and {parts[0].name} of dimension {self.dim}: "
                "files of one folder belong together."
            )
        self._ends = np.cumsum([len(part) for part in parts])

    def __len__(self) -> int:
        return int(self._ends[-1])

    def read(self, start: int, stop: int) -> np.ndarray:
        return np.concatenate(
            [np.empty((0, self.dim), np.float32)]
            + [
                part.read(max(0, start - end + len(part)), min(stop - end + len(part), len(part)))
                for part, end in zip(self.parts, self._ends.tolist(), strict=True)
                if start < end and stop > end - len(part)
            ]
        )

    def rows(self, index: np.ndarray) -> np.ndarray:
        found = np.empty((len(index), self.dim), np.float32)
        owner = np.searchsorted(self._ends, index, side="right")
        for number in np.unique(owner).tolist():
            part = self.parts[number]
            mine = owner == number
            found[mine] = part.rows(index[mine] - (int(self._ends[number]) - len(part)))
        return found
