"""Spans of integer vectors modulo q: an integer row echelon form that grows vector by vector."""

from __future__ import annotations

import numpy as np

__all__ = ["Span"]


class Span:
    """The subgroup of (Z/q)^r that some vectors generate, as the Hermite form of the lattice it lifts to.

    Args:
        modulus: q.
        length: r.

    Examples:
        >>> span = Span(4, 2)
        >>> span.insert(np.array([2, 1]))
        >>> span.contains(np.array([[0, 2], [0, 1]]))
        array([ True, False])
    """

    def __init__(self, modulus: int, length: int) -> None:
        self.modulus = modulus
        self.rows = modulus * np.eye(length, dtype=np.int64)  # q e_j is always in the lifted lattice

    def copy(self) -> Span:
        twin = Span(self.modulus, len(self.rows))
        twin.rows = self.rows.copy()
        return twin

    def insert(self, vector: np.ndarray) -> None:
        """Adds a generator: Euclid's algorithm on the pivots, column by column."""
        v = np.asarray(vector, dtype=np.int64) % self.modulus
        for c in range(len(self.rows)):
            row = self.rows[c].copy()
            while v[c]:
                row, v = v, row - (row[c] // v[c]) * v
            # Entries right of the pivot matter mod q only, and stay small this way.
            row[c + 1 :] %= self.modulus
            v = v % self.modulus
            self.rows[c] = row

    def contains(self, vectors: np.ndarray) -> np.ndarray:
        """Which of the vectors [count, r] lie in the span: bool [count]."""
        v = np.array(vectors, dtype=np.int64) % self.modulus
        inside = np.ones(len(v), dtype=bool)
        for c, row in enumerate(self.rows):
            quotient, rest = np.divmod(v[:, c], row[c])
            inside &= rest == 0
            v = (v - quotient[:, None] * row) % self.modulus
        return inside
