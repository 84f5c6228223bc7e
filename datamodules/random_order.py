"""`RandomOrder`: a random order of so many rows that it could not be written down, as a formula."""

from __future__ import annotations

import math

import numpy as np

__all__ = ["RandomOrder"]

_ROUNDS = 3


class RandomOrder:
    """A permutation of 0 to count - 1 that is made by a seed and takes no memory, whatever the count.

    Positions are pairs (l, r) of Z_a x Z_b, where a·b is hardly more than the count. Rounds add a function of one half
    to the other, modulo a and modulo b in turn, which can be undone whatever the function is (a Feistel network). What
    ends beyond the count is sent through again until it is inside, which keeps it a permutation.

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
        left = math.isqrt(count - 1) + 1
        self._sides = np.uint64(left), np.uint64(-(-count // left))
        self._keys = np.random.SeedSequence(seed).generate_state(2 * _ROUNDS, np.uint64).reshape(-1, 2)

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
        a, b = self._sides
        left, right = numbers // b, numbers % b
        for first, second in self._keys:
            left = (left + _mixed(right + first) % a) % a
            right = (right + _mixed(left + second) % b) % b
        return left * b + right


def _mixed(x: np.ndarray) -> np.ndarray:
    """Every bit depends on every bit (the finalizer of SplitMix64; Steele, Lea & Flood, OOPSLA 2014)."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
