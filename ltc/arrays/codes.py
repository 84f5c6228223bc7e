"""The quantizers of packed arrays: trellis codes, and rounding."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np

from ltc.lattices.trellis_codes import CODES, encoder_tables

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
        back: of ``ltc.lattices.kernels.rated_viterbi.backward_edges``.
        weight: lambda times the squared step at high rate, where both belong together.
        moment: mean squared error at high rate, in squared steps.
    """

    name: str
    states: int
    after: np.ndarray
    back: np.ndarray
    weight: float
    moment: float

    @property
    def parities(self) -> int:
        """Tables of a class: in each state of a trellis code follow the integers of one parity."""
        return 1 if self.states == 1 else 2

    @property
    def length(self) -> int:
        """Numbers of a sequence."""
        # A sequence's ends cost a few bits; its decisions, a bit a state and number, take memory.
        return 1 << (13 if self.states <= 512 else 12)


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
        empty = np.zeros((1, 2), np.int64)
        return Code(name, 1, empty, np.zeros((1, 2, 2), np.intp), 6 / math.log(2), 1 / 12)
    from ltc.lattices.kernels.rated_viterbi import backward_edges

    states = int(name.removeprefix("tcq"))
    h0, h1, nsm, _ = CODES[states]
    after, residue = encoder_tables(states, h0, h1)
    # A point for every two steps.
    moment = 4 * nsm
    return Code(name, states, after, backward_edges(after, residue), 1 / (2 * math.log(2) * moment), moment)
