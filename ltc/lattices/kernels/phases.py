"""The states of a trellis code in an order in which each step works in place. Needs no torch.

Labels z with ``h0 z0 + h1 z1 = 0`` over the field of two elements are ``z0 = h1 u``, ``z1 = h0 u`` for a sequence of
bits u: the code is that of a shift register, whose states are the last nu bits. At step t the newest bit takes the
place of the oldest: bit ``t mod nu`` of the state's number. So a step joins the two states that differ in this bit
alone, and leaves the two that follow in their places, as a Fourier transform in place does. Both edges of a state
have the same z0, and changing either the old bit or the new one changes z1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ltc.lattices.kernels.shorts import SHORTS

__all__ = ["Phases", "phases_of"]


@dataclass(frozen=True)
class Phases:
    """What a search needs to know of a code, for each of the nu steps after which all begins again.

    Attributes:
        nu: bits of a state.
        masks: int64 [nu, 2]: z0 is the parity of the state's number and the first, z1 that of it and the second, plus
            the old bit, plus the new one.
        lanes: uint32 [nu, 2]: z0 and z1 of a block's states for bits of 0, exclusive-or those of its first state: a bit
            a state.
        order: int32 [nu, blocks]: blocks in the order of the labels of their first states; where the step's bit numbers
            blocks, only those with a bit of 0, and the rest unused.
        ends: int64 [nu, 5]: where in ``order`` the blocks of each label begin and end.
    """

    nu: int
    masks: np.ndarray
    lanes: np.ndarray
    order: np.ndarray
    ends: np.ndarray


def phases_of(h0: int, h1: int) -> Phases:
    """Of the code with these parity polynomials, of degree 5 at least, ``h0_0 = h0_nu = 1`` and ``h1_0 = h1_nu = 0``.

    Raises:
        ValueError: if the polynomials are no such ones.

    Examples:
        >>> phases_of(0o45, 0o10).masks[0].tolist()
        [4, 8]
    """
    nu = h0.bit_length() - 1
    if nu < 5 or not h0 & 1 or h1 & 1 or h1 >> nu:
        raise ValueError(f"No trellis code of 32 states or more has the parity polynomials {h0:o}, {h1:o}.")
    blocks = (1 << nu) // SHORTS
    masks = np.zeros((nu, 2), np.int64)
    lanes = np.empty((nu, 2), np.uint32)
    order = np.zeros((nu, blocks), np.int32)
    ends = np.zeros((nu, 5), np.int64)
    for phase in range(nu):
        for which, h in enumerate((h1, h0)):
            masks[phase, which] = sum((h >> i & 1) << (phase - i) % nu for i in range(1, nu))
        label = _labels(np.arange(SHORTS), masks[phase])
        lanes[phase] = [sum(int(z >> which & 1) << lane for lane, z in enumerate(label)) for which in range(2)]
        block = np.arange(blocks)
        bit = phase - (SHORTS.bit_length() - 1)
        if bit >= 0:
            block = block[block >> bit & 1 == 0]
        label = _labels(block * SHORTS, masks[phase])
        order[phase, : len(block)] = block[np.argsort(label, kind="stable")]
        ends[phase, 1:] = np.cumsum(np.bincount(label, minlength=4))
    return Phases(nu, masks, lanes, order, ends)


def _labels(states: np.ndarray, masks: np.ndarray) -> np.ndarray:
    odd = [np.array([int(s & m).bit_count() & 1 for s in states]) for m in masks]
    return odd[0] + 2 * odd[1]
