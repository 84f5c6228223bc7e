"""Probabilities as integer counts of 2^24: what makes encoder and decoder agree bit for bit on any machine.

Everything here is additions, multiplications, divisions and floors of IEEE doubles in a fixed order, which have one
result everywhere; logarithms and exponentials, which have not, come before (the weights of a model, which a checkpoint
carries) and never after.
"""

from __future__ import annotations

import numba
import numpy as np

__all__ = ["ESCAPE", "TOTAL", "counts", "ordered_sum"]

TOTAL = 1 << 24
"""Counts of a table sum to this; it is the range coder's precision."""

ESCAPE = 2.0**-20
"""Probability of the escape symbol, which is the last of each table."""


def counts(weights: np.ndarray) -> np.ndarray:
    """Counts of tables, each with an escape symbol added at the end.

    Entry j of a table with A entries gets ``1 + floor(p_j (2^24 - A))``, p_j being its weight over their sum, and what
    is left over goes to the first of the largest entries.

    Args:
        weights: float64 [tables, symbols], not negative, at least one of a table positive.

    Returns:
        float32 [tables, symbols + 1], the counts *less one*. A float32 holds them exactly; and constriction turns
        numbers that sum to 2^24 - A into counts that are larger by one, without rounding.

    Examples:
        >>> (counts(np.array([[3.0, 1.0, 0.0]])) + 1).tolist()
        [[12582899.0, 4194300.0, 1.0, 16.0]]
    """
    weights = np.ascontiguousarray(weights, dtype=np.float64)
    found = np.empty((len(weights), weights.shape[1] + 1), dtype=np.float32)
    _fill(weights, found)
    return found


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _fill(weights, found):  # type: ignore[no-untyped-def]
    rows, symbols = weights.shape
    free = TOTAL - (symbols + 1)
    escape = int(np.floor(ESCAPE * free))
    for r in range(rows):
        total = 0.0
        for j in range(symbols):
            total += weights[r, j]
        left, best = free - escape, 0
        for j in range(symbols):
            share = int(np.floor(weights[r, j] / total * (1.0 - ESCAPE) * free))
            found[r, j] = share
            left -= share
            if weights[r, j] > weights[r, best]:
                best = j
        # Rounding can only leave something over, or take the last count too much: the largest entry has it to give.
        found[r, best] += left
        found[r, symbols] = escape


def ordered_sum(values: np.ndarray) -> np.ndarray:
    """The sum over the first axis, term after term: numpy's own order depends on the machine."""
    total = np.zeros(values.shape[1:])
    for value in values:
        total = total + value
    return total
