"""What all tables over a trellis stand on: states after residues, class sums, and what is too rare for an entry."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ltc.coding.errors import CorruptStream
from ltc.coding.frequencies import ordered_sum
from ltc.lattices import TrellisLattice
from ltc.lattices.trellis import Section

__all__ = [
    "LEAST_SUM",
    "MEMORY",
    "PARITIES",
    "RARE",
    "after_residues",
    "code_steps",
    "follow",
    "odd_states",
    "residue_sums",
    "scaled_sums",
]

RARE = 2.0**-26
"""Integers less likely than this, of all that share a residue, are escaped."""

LEAST_SUM = 2.0**-600
"""Backward sums are at least this, of the largest: a state that hardly any weight goes on from must not become a dead
end, nor a number without full precision."""

MEMORY = 1 << 24
"""Numbers that the backward sums of a batch may take."""

PARITIES = np.array([[True, False, True, False], [False, True, False, True]])
"""[parity, residue]: the residues mod 4 that follow in an even state of a trellis code, and in an odd one."""


def residue_sums(w: np.ndarray, modulus: int) -> np.ndarray:
    """Sums of the weights [tables, integers] over the integers of each residue class: [tables, q]."""
    return np.stack([ordered_sum(w[:, r::modulus].T) for r in range(modulus)], 1)


def scaled_sums(beta: np.ndarray) -> np.ndarray:
    """Backward sums [..., states], positive, over their largest and not below ``LEAST_SUM``."""
    return np.maximum(beta / beta.max(1, keepdims=True), LEAST_SUM)


def after_residues(sections: Sequence[Section], states: Sequence[int], modulus: int) -> list[np.ndarray]:
    """For each section [states, q], the state after each residue, -1 where it is not allowed.

    Args:
        sections: of a trellis.
        states: how many there are before each section.
        modulus: q.
    """
    found = []
    for section, count in zip(sections, states, strict=False):
        after = np.full((count, modulus), -1, dtype=np.int64)
        after[section.source, section.residue] = section.target
        found.append(after)
    return found


def code_steps(lattice: TrellisLattice) -> list[np.ndarray]:
    """``after_residues`` of a trellis code's first coordinate, and of any later one, which are all alike."""
    trellis = lattice.trellis
    sections = [trellis.sections[0], trellis.sections[min(1, lattice.dim - 1)]]
    return after_residues(sections, trellis.state_counts, trellis.modulus)


def odd_states(after: np.ndarray) -> np.ndarray:
    """Which states of a trellis code odd integers follow in: bool [states]."""
    return after[:, 0] < 0


def follow(after: np.ndarray, state: np.ndarray, residue: np.ndarray) -> np.ndarray:
    """The states after decoded residues [count].

    Raises:
        CorruptStream: if one is not allowed.
    """
    if len(residue) and residue.max() < after.shape[1]:
        state = after[state, residue]
        if (state >= 0).all():
            return state
    elif not len(residue):
        return state
    raise CorruptStream("the bitstream holds a vector that is no point of the lattice")
