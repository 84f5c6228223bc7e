"""Integers given their residues: a table for each level and residue, made once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ltc.coding.frequencies import counts, ordered_sum
from ltc.coding.range_coder import Decoder, Encoder
from ltc.coding.trellis_steps import RARE

__all__ = ["ResidueTables"]


class ResidueTables:
    """Tables of ``k = r + q j`` for each level and residue r.

    Their lengths go from one entry to thousands, so that they are kept in groups of like length, and integers are coded
    group by group: each table is laid out with hardly more entries than it has.

    Args:
        weights: float64 [integers] for each level, positive, of the integers from -radius on; radius is a multiple of
            q, and so is the number of integers.
        modulus: q.

    Attributes:
        sums: float64 [levels, q], the class sums.
    """

    def __init__(self, weights: Sequence[np.ndarray], modulus: int) -> None:
        self.modulus = modulus
        self.sums = np.empty((len(weights), modulus))
        rows = len(weights) * modulus
        self._low, self._group, self._row = (np.empty(rows, dtype=np.int64) for _ in range(3))
        groups: dict[int, list[np.ndarray]] = {}
        for level, row in enumerate(weights):
            by_residue = row.reshape(-1, modulus).T
            first = -((len(row) - modulus) // 2 // modulus)
            self.sums[level] = ordered_sum(by_residue.T)
            for r, part in enumerate(by_residue):
                often = np.flatnonzero(part > RARE * self.sums[level, r])
                kept = part[often[0] : often[-1] + 1]
                at, group = level * modulus + r, int(len(kept) - 1).bit_length()
                members = groups.setdefault(group, [])
                self._low[at] = often[0] + first
                self._group[at], self._row[at] = group, len(members)
                members.append(kept)
        self._tables: dict[int, np.ndarray] = {}
        for group, members in sorted(groups.items()):
            padded = np.zeros((len(members), 1 << group))
            for row, kept in zip(padded, members, strict=True):
                row[: len(kept)] = kept
            self._tables[group] = counts(padded)

    def encode(self, encoder: Encoder, k: np.ndarray, residues: np.ndarray, levels: np.ndarray) -> None:
        """Writes integers k [count] with these residues and levels [count]."""
        at = levels * self.modulus + residues
        j = (k - residues) // self.modulus
        symbol, groups = j - self._low[at], self._group[at]
        for group in sorted(set(groups.tolist())):
            table, here = self._tables[group], np.flatnonzero(groups == group)
            # Padding is coded like any other entry; escapes are what lies outside of it.
            inside = (symbol[here] >= 0) & (symbol[here] < 1 << group)
            encoder.symbols(np.where(inside, symbol[here], 1 << group), table, self._row[at[here]])
            if not inside.all():
                encoder.integers(j[here][~inside])

    def decode(self, decoder: Decoder, residues: np.ndarray, levels: np.ndarray) -> np.ndarray:
        """Reads the integers with these residues and levels [count]: int64 [count]."""
        at = levels * self.modulus + residues
        j, groups = np.empty(len(at), dtype=np.int64), self._group[at]
        for group in sorted(set(groups.tolist())):
            table, here = self._tables[group], np.flatnonzero(groups == group)
            symbol = decoder.symbols(len(here), table, self._row[at[here]])
            found = symbol + self._low[at[here]]
            escaped = symbol == 1 << group
            if escaped.any():
                found[escaped] = decoder.escaped(int(escaped.sum()))
            j[here] = found
        return residues + self.modulus * j
