"""`RandomOrder`: a random order of so many rows that it could not be written down, as a formula."""

from __future__ import annotations

import numpy as np

__all__ = ["RandomOrder"]

_ROUNDS = 6


class RandomOrder:
    """A permutation of 0 to count - 1 that is made by a seed and takes no memory, whatever the count.

    A Feistel network permutes the numbers of 2h bits, count <= 4^h: with a number's halves (l, r), each round takes
    them to (r, l xor f(r)), which can be undone whatever f is. Numbers beyond the count are sent through again until
    they are inside, which keeps it a permutation.

    Reference: Black & Rogaway, "Ciphers with Arbitrary Finite Domains", CT-RSA 2002.

    Args:
        count: at least 1.
        seed: not negative.

    Raises:
        ValueError: a number is out of its range.

    Examples:
        >>> order = RandomOrder(10, seed=0)
        >>> sorted(order(np.arange(10)).tolist()) == list(range(10))
        True
    """

    def __init__(self, count: int, seed: int = 0) -> None:
        if count < 1 or seed < 0:
            raise ValueError(f"count must be at least 1 and seed not negative, got {count} and {seed}.")
        self.count = count
        self._half = np.uint64(max(1, -(-(count - 1).bit_length() // 2)))
        self._mask = (np.uint64(1) << self._half) - np.uint64(1)
        self._keys = np.random.SeedSequence(seed).generate_state(_ROUNDS, np.uint64)

    def __call__(self, positions: np.ndarray) -> np.ndarray:
        """The rows at some positions of the order.

        Args:
            positions: integers [count], each from 0 to count - 1.

        Returns:
            int64 of the same shape.
        """
        found = self._permute(positions.astype(np.uint64))
        while (beyond := found >= self.count).any():
            found[beyond] = self._permute(found[beyond])
        return found.astype(np.int64)

    def _permute(self, numbers: np.ndarray) -> np.ndarray:
        left, right = numbers >> self._half, numbers & self._mask
        for key in self._keys:
            left, right = right, left ^ (_mixed(right + key) & self._mask)
        return (left << self._half) | right


def _mixed(x: np.ndarray) -> np.ndarray:
    """Every bit depends on every bit (the finalizer of SplitMix64; Steele, Lea & Flood, OOPSLA 2014)."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
