"""What searches in long trellis codes are made of: add, compare, select over all states in place, and the way back.

One sequence at a time, its states in SIMD lanes, in the order of ``ltc.lattices.kernels.phases``. Costs of paths are
short integers, set back to a least one of 0 now and then: the best path never saturates, and a path that has is none.
"""

from __future__ import annotations

import numpy as np

from ltc.lattices.kernels.compilation import inlined
from ltc.lattices.kernels.shorts import (
    SHORTS,
    added,
    least,
    lesser,
    load_block,
    reduced,
    selected,
    store_block,
    swapped,
    which,
)

__all__ = ["DEAREST", "aligned", "begin_at", "best_state", "read", "retrace", "step"]

DEAREST = 1 << 13
"""No sample's residue costs more than this above the cheapest, but one that is not allowed."""

_LARGEST = 0x7FFF
_BITS = SHORTS.bit_length() - 1
_ONE, _TWO, _FOUR, _EIGHT, _SIXTEEN = swapped


@inlined
def aligned(count):  # type: ignore[no-untyped-def]
    """An int16 array whose blocks are cache lines."""
    room = np.empty(count + SHORTS, np.int16)
    shift = (-room.ctypes.data % (2 * SHORTS)) // 2
    return room[shift : shift + count]


@inlined
def begin_at(paths, state):  # type: ignore[no-untyped-def]
    """All paths start in one state."""
    paths[:] = _LARGEST
    paths[state] = 0


@inlined
def _least_cost(paths):  # type: ignore[no-untyped-def]
    low = load_block(paths, 0)
    for b in range(1, len(paths) // SHORTS):
        low = lesser(low, load_block(paths, b))
    return least(low)


@inlined
def _set_back(paths):  # type: ignore[no-untyped-def]
    lowest = _least_cost(paths)
    for b in range(len(paths) // SHORTS):
        store_block(paths, b, reduced(load_block(paths, b), lowest))


@inlined
def _across(paths, choices, row, branch, order, ends, phase):  # type: ignore[no-untyped-def]
    """A step whose bit numbers blocks: pairs of them change."""
    stride = np.intp(1) << (phase - _BITS)
    for label in range(4):
        near, far = load_block(branch, label), load_block(branch, label ^ 2)
        for i in range(ends[phase, label], ends[phase, label + 1]):
            b = np.intp(order[phase, i])
            zero, one = load_block(paths, b), load_block(paths, b + stride)
            stay, come = added(zero, near), added(one, far)
            choices[row, b] = which(come, stay)
            store_block(paths, b, lesser(come, stay))
            stay, come = added(one, near), added(zero, far)
            choices[row, b + stride] = which(come, stay)
            store_block(paths, b + stride, lesser(come, stay))


@inlined
def _within(paths, choices, row, branch, order, ends, phase, swap):  # type: ignore[no-untyped-def]
    """A step whose bit numbers lanes: each block changes for itself."""
    for label in range(4):
        near, far = load_block(branch, label), load_block(branch, label ^ 2)
        for i in range(ends[phase, label], ends[phase, label + 1]):
            b = np.intp(order[phase, i])
            here = load_block(paths, b)
            stay, come = added(here, near), added(swap(here), far)
            choices[row, b] = which(come, stay)
            store_block(paths, b, lesser(come, stay))


@inlined
def step(paths, choices, costs, row, branch, phase, lanes, order, ends, risen):  # type: ignore[no-untyped-def]
    """Add, compare, select for one sample.

    Args:
        paths: int16 [states], least costs of the paths to each state, changed in place.
        choices: uint32 [rows, blocks]; row ``row`` becomes whether the state before differs in the step's bit, a bit a
            state.
        costs: int16 [rows, 4], of the residues; row ``row`` is the sample's.
        branch: int16 [4 * SHORTS], scratch.
        phase: number of the step mod nu.
        lanes, order, ends: of ``Phases``.
        risen: by how much the least cost can have risen since it was 0.

    Returns:
        The same after this step.
    """
    c0, c1, c2, c3 = costs[row, 0], costs[row, 1], costs[row, 2], costs[row, 3]
    rise = np.intp(max(min(c0, c2), min(c1, c3)))
    if risen + rise > _LARGEST - 2 * DEAREST:
        _set_back(paths)
        risen = 0
    low, high = lanes[phase, 0], lanes[phase, 1]
    zero, two = selected(low, c1, c0), selected(low, c3, c2)
    one, three = selected(low, c0, c1), selected(low, c2, c3)
    store_block(branch, 0, selected(high, two, zero))
    store_block(branch, 1, selected(high, three, one))
    store_block(branch, 2, selected(high, zero, two))
    store_block(branch, 3, selected(high, one, three))
    if phase >= _BITS:
        _across(paths, choices, row, branch, order, ends, phase)
    elif phase == 0:
        _within(paths, choices, row, branch, order, ends, phase, _ONE)
    elif phase == 1:
        _within(paths, choices, row, branch, order, ends, phase, _TWO)
    elif phase == 2:
        _within(paths, choices, row, branch, order, ends, phase, _FOUR)
    elif phase == 3:
        _within(paths, choices, row, branch, order, ends, phase, _EIGHT)
    else:
        _within(paths, choices, row, branch, order, ends, phase, _SIXTEEN)
    return risen + rise


@inlined
def best_state(paths):  # type: ignore[no-untyped-def]
    """The state of least cost."""
    lowest = _least_cost(paths)
    for state in range(len(paths)):
        if paths[state] == lowest:
            return state
    return 0


@inlined
def _back(choices, row, phase, state):  # type: ignore[no-untyped-def]
    """The state before a step."""
    return state ^ ((np.int64(choices[row, state >> _BITS] >> np.uint32(state & (SHORTS - 1))) & 1) << phase)


@inlined
def retrace(choices, first, last, state, nu):  # type: ignore[no-untyped-def]
    """The way back from a state after step ``last - 1`` to the one before step ``first``, which is returned.

    Args:
        choices: uint32 [rows, blocks], that of step t in row t mod rows.
        first, last: of the steps.
        state: after the last one.
        nu: of ``Phases``.
    """
    rows = len(choices)
    row, phase = (last - 1) % rows, (last - 1) % nu
    for _ in range(last - first):
        state = _back(choices, row, phase, state)
        row = row - 1 if row else rows - 1
        phase = phase - 1 if phase else nu - 1
    return state


@inlined
def read(choices, first, last, state, nu, masks, path):  # type: ignore[no-untyped-def]
    """``retrace`` that tells the residues k mod 4 on the way.

    Args:
        choices, first, last, state, nu: of ``retrace``.
        masks: of ``Phases``.
        path: uint8 [rows], that of step t in place t mod rows.
    """
    rows = len(choices)
    row, phase = (last - 1) % rows, (last - 1) % nu
    for _ in range(last - first):
        after, state = state, _back(choices, row, phase, state)
        # Both parities at once, one a half.
        both = (state & masks[phase, 0]) | ((state & masks[phase, 1]) << 32)
        both ^= both >> 16
        both ^= both >> 8
        both ^= both >> 4
        both ^= both >> 2
        both ^= both >> 1
        path[row] = (both & 1) | ((((both >> 32) ^ ((state ^ after) >> phase)) & 1) << 1)
        row = row - 1 if row else rows - 1
        phase = phase - 1 if phase else nu - 1
    return state
