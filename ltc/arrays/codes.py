"""The quantizers of packed arrays: trellis codes, and rounding."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ltc.lattices.trellis_codes import CODES, LONG, encoder_tables

__all__ = ["DEFAULT", "Code", "code_names", "get_code"]

DEFAULT = "tcq256"
"""The code unless one is asked for."""


@dataclass(frozen=True)
class Code:
    """A quantizer of sequences of numbers to integers.

    Attributes:
        name: ``z`` or ``tcq8``, …
        states: of the trellis; 1 for rounding.
        after: the state after each state, by the second bit of the integer: [states, 2].
        tables: what its search needs to know of it.
        weight: lambda times the squared step at high rate, where both belong together.
        moment: mean squared error at high rate, in squared steps.
    """

    name: str
    states: int
    after: np.ndarray
    tables: tuple[Any, ...]
    weight: float
    moment: float

    @property
    def parities(self) -> int:
        """Tables of a class: in each state of a trellis code follow the integers of one parity."""
        return 1 if self.states == 1 else 2

    @property
    def length(self) -> int:
        """Numbers of a sequence."""
        # A sequence's ends cost a few bits. Without a window its decisions, a bit a state and number, take memory.
        return 1 << (13 if self.states < LONG else 19)

    @property
    def at_once(self) -> int:
        """Sequences that one thread searches at once."""
        from ltc.lattices.kernels.simd import LANES

        return LANES if self.states < LONG else 1

    def quantize(  # type: ignore[no-untyped-def]
        self, y, kind, bits, inward, weight, length, out
    ) -> None:
        """The integers of the least cost.

        Args:
            y, kind, bits, inward, weight, length, out: of ``ltc.lattices.kernels.rated_viterbi.quantize_sequences``.
        """
        from ltc.lattices.kernels.rated_viterbi import quantize_each, quantize_sequences
        from ltc.lattices.kernels.windowed_rated import quantize_long_sequences

        if self.states == 1:
            quantize_each(y, kind, bits, inward, weight, out)
        elif self.states < LONG:
            quantize_sequences(y, kind, bits, inward, weight, *self.tables, length, out)
        else:
            quantize_long_sequences(y, kind, bits, inward, weight, *self.tables, length, out)


def code_names() -> list[str]:
    """All there are.

    Examples:
        >>> code_names()[:3]
        ['z', 'tcq4', 'tcq8']
    """
    return ["z", *(f"tcq{states}" for states in CODES)]


@functools.cache
def get_code(name: str) -> Code:
    """The code of this name.

    Raises:
        ValueError: if there is none.
    """
    if name not in code_names():
        raise ValueError(f"There is no code {name!r}; there are {', '.join(code_names())}.")
    if name == "z":
        return Code(name, 1, np.zeros((1, 2), np.int64), (), 6 / math.log(2), 1 / 12)
    states = int(name.removeprefix("tcq"))
    h0, h1, nsm, _ = CODES[states]
    after, residue = encoder_tables(states, h0, h1)
    # A point for every two steps.
    moment = 4 * nsm
    return Code(name, states, after, _tables(states, h0, h1, after, residue), 1 / (2 * math.log(2) * moment), moment)


def _tables(states: int, h0: int, h1: int, after: np.ndarray, residue: np.ndarray) -> tuple[Any, ...]:
    from ltc.lattices.kernels.phases import phases_of
    from ltc.lattices.kernels.rated_viterbi import backward_edges
    from ltc.lattices.kernels.windowed_search import ROWS

    if states < LONG:
        return (backward_edges(after, residue),)
    found = phases_of(h0, h1)
    return found.nu, found.masks, found.lanes, found.order, found.ends, ROWS
