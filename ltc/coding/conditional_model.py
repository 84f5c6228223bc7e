"""Bitstreams of lattice points whose coordinates have Gaussians of different scales: residues first, then integers.

A conditional prior has another table for every element: the table depends on the scale, of which there are a few
hundred levels, and on how the trellis can go on, which depends on all later scales. Only the *residue* of an integer
has to do with the trellis. So each coordinate's residue is coded with a table of its own, of q entries,
``P(r | state) ~ S_level(r) beta(s')``; given its residue an integer depends on the scale alone, and these tables are
made once.
"""

from __future__ import annotations

import abc
from collections.abc import Sequence

import numba
import numpy as np

from ltc.coding.errors import CorruptStream
from ltc.coding.frequencies import counts
from ltc.coding.range_coder import Decoder, Encoder, symbol_model
from ltc.coding.residue_tables import ResidueTables
from ltc.coding.trellis_steps import LEAST_SUM, MEMORY, PARITIES, after_residues, code_steps, follow, odd_states
from ltc.lattices import TrellisLattice

__all__ = ["ConditionalModel", "distinct_steps", "level_model"]

# Fewer vectors than these are decoded symbol by symbol.
_FEW = 7


class ConditionalModel(abc.ABC):
    """Codes points of a lattice given the levels of their coordinates' scales.

    Attributes:
        dim: the lattice's dimension.
    """

    dim: int

    @abc.abstractmethod
    def encode(self, encoder: Encoder, k: np.ndarray, levels: np.ndarray) -> None:
        """Writes integer vectors.

        Args:
            encoder: where to.
            k: int64 [count, dim], points of the lattice.
            levels: integers [count, dim], each coordinate's level.

        Raises:
            ValueError: if a vector is no point of the lattice.
        """

    @abc.abstractmethod
    def decode(self, decoder: Decoder, levels: np.ndarray) -> np.ndarray:
        """Reads integer vectors: int64 [count, dim].

        Raises:
            CorruptStream: if no encoder wrote them.
        """


def level_model(lattice: TrellisLattice, weights: Sequence[Sequence[np.ndarray]]) -> ConditionalModel:
    """The bitstream of a lattice with a trellis, or of a trellis code, from each level's weights.

    Args:
        lattice: the lattice.
        weights: for each of the ``distinct_steps``, for each level, positive weights float64 [integers] of the
            integers from -radius on; radius is a multiple of the modulus, and so is the number of integers.
    """
    return (_CodeModel if lattice.is_code else _LatticeModel)(lattice, weights)


def distinct_steps(lattice: TrellisLattice) -> tuple[np.ndarray, np.ndarray]:
    """The different steps of a lattice's coordinates, and which of them each coordinate has: float64, int64 [n].

    A root was drawn for the steps: without their last digits they are the same on every machine.
    """
    steps, kinds = np.unique(np.round(lattice.steps.cpu().numpy() * 2.0**24) / 2.0**24, return_inverse=True)
    return steps, kinds.astype(np.int64)


class _TrellisModel(ConditionalModel):
    """What lattices with a trellis and trellis codes share: integers given their residues."""

    def __init__(self, lattice: TrellisLattice, weights: Sequence[Sequence[np.ndarray]]) -> None:
        self.dim, self.modulus = lattice.dim, lattice.trellis.modulus
        self._base = distinct_steps(lattice)[1] * len(weights[0])  # of each coordinate, added to its level
        self.tables = ResidueTables([row for rows in weights for row in rows], self.modulus)

    def encode(self, encoder: Encoder, k: np.ndarray, levels: np.ndarray) -> None:
        for part in self._batches(len(k)):
            at = levels[part] + self._base
            residues = k[part] % self.modulus
            self._encode_residues(encoder, residues, at)
            self.tables.encode(encoder, k[part].ravel(), residues.ravel(), at.ravel())

    def decode(self, decoder: Decoder, levels: np.ndarray) -> np.ndarray:
        found = np.empty(levels.shape, dtype=np.int64)
        for part in self._batches(len(levels)):
            at = levels[part] + self._base
            residues = self._decode_residues(decoder, at)
            found[part] = self.tables.decode(decoder, residues.ravel(), at.ravel()).reshape(at.shape)
        return found

    def _batches(self, count: int) -> list[slice]:
        return [slice(0, count)]

    @abc.abstractmethod
    def _encode_residues(self, encoder: Encoder, residues: np.ndarray, at: np.ndarray) -> None:
        """Residues int64 [count, dim], with class sums number ``at`` [count, dim]."""

    @abc.abstractmethod
    def _decode_residues(self, decoder: Decoder, at: np.ndarray) -> np.ndarray:
        """int64 [count, dim]."""


class _LatticeModel(_TrellisModel):
    def __init__(self, lattice: TrellisLattice, weights: Sequence[Sequence[np.ndarray]]) -> None:
        super().__init__(lattice, weights)
        trellis = lattice.trellis
        self._after = after_residues(trellis.sections, trellis.state_counts, self.modulus)
        self._edges = (
            np.concatenate([s.source for s in trellis.sections]).astype(np.int64),
            np.concatenate([s.target for s in trellis.sections]).astype(np.int64),
            np.concatenate([s.residue for s in trellis.sections]).astype(np.int64),
            np.cumsum([0] + [len(s) for s in trellis.sections]).astype(np.int64),
        )
        # Where the backward sums after i coordinates begin.
        self._offset = np.cumsum([0, *trellis.state_counts]).astype(np.int64)
        self._batch = max(1, MEMORY // int(self._offset[-1]))

    def _batches(self, count: int) -> list[slice]:
        return [slice(first, min(first + self._batch, count)) for first in range(0, count, self._batch)]

    def _encode_residues(self, encoder: Encoder, residues: np.ndarray, at: np.ndarray) -> None:
        if self.modulus == 1:
            return
        state, betas = np.zeros(len(at), dtype=np.int64), self._backward(at)
        for i in range(self.dim):
            encoder.symbols(residues[:, i], self._counts(i, state, at, betas), None)
            state = self._after[i][state, residues[:, i]]
            if (state < 0).any():
                raise ValueError("A vector is no point of the lattice.")

    def _decode_residues(self, decoder: Decoder, at: np.ndarray) -> np.ndarray:
        found = np.zeros(at.shape, dtype=np.int64)
        if self.modulus == 1:
            return found
        state, betas = np.zeros(len(at), dtype=np.int64), self._backward(at)
        for i in range(self.dim):
            residue = decoder.symbols(len(at), self._counts(i, state, at, betas), None)
            state = follow(self._after[i], state, residue)
            found[:, i] = residue
        return found

    def _backward(self, at: np.ndarray) -> np.ndarray:
        betas = np.empty((len(at), self._offset[-1]))
        _backward(np.ascontiguousarray(at), self.tables.sums, *self._edges, self._offset, betas)
        return betas

    def _counts(self, i: int, state: np.ndarray, at: np.ndarray, betas: np.ndarray) -> np.ndarray:
        weights = np.empty((len(at), self.modulus))
        _onward(
            self.tables.sums, np.ascontiguousarray(at[:, i]), state, self._after[i], betas, self._offset[i + 1], weights
        )
        return counts(weights)


class _CodeModel(_TrellisModel):
    """Of a trellis code: in each state two residues are allowed, with tables that depend on its parity alone."""

    def __init__(self, lattice: TrellisLattice, weights: Sequence[Sequence[np.ndarray]]) -> None:
        super().__init__(lattice, weights)
        self._first, self._later = code_steps(lattice)
        # Of each level and parity.
        self._counts = counts((self.tables.sums[:, None, :] * PARITIES).reshape(-1, self.modulus))
        self._models: dict[int, object] = {}
        self._steps = [(after, odd_states(after)) for after in (self._first, self._later)]
        self._plain = [(after.tolist(), odd.tolist()) for after, odd in self._steps]

    def _encode_residues(self, encoder: Encoder, residues: np.ndarray, at: np.ndarray) -> None:
        rows = np.empty(at.T.shape, dtype=np.int64)
        if not _follow_paths(residues, at, self._first, self._later, rows):
            raise ValueError("A vector is no path of the trellis code.")
        encoder.symbols(residues.T.ravel(), self._counts, rows.ravel())

    def _decode_residues(self, decoder: Decoder, at: np.ndarray) -> np.ndarray:
        if len(at) < _FEW:
            return self._decode_few(decoder, at)
        columns, found = np.ascontiguousarray(at.T), np.empty(at.T.shape, dtype=np.int64)
        state, tables = (
            np.zeros(len(at), dtype=np.int64),
            np.empty((len(at), self._counts.shape[1]), self._counts.dtype),
        )
        _tables_here(self._counts, columns[0], self._steps[0][1], state, tables)
        (_, odd), last = self._steps[1], self.dim - 1
        for i in range(self.dim):
            residues, levels = decoder.symbols(len(at), tables, None), columns[min(i + 1, last)]
            if not _advance(self._steps[min(i, 1)][0], residues, state, found[i], self._counts, levels, odd, tables):
                raise CorruptStream("the bitstream holds a vector that is no point of the lattice")
        return found.T

    def _decode_few(self, decoder: Decoder, at: np.ndarray) -> np.ndarray:
        """The same, symbol by symbol: with one path at a time, arrays of one number would take twenty times as long."""
        found, states = [], [0] * len(at)
        for i, levels in enumerate(at.T.tolist()):
            after, odd = self._plain[min(i, 1)]
            for b, level in enumerate(levels):
                residue = decoder.symbol(self._model(2 * level + odd[states[b]]))
                states[b] = after[states[b]][residue] if residue < self.modulus else -1
                if states[b] < 0:
                    raise CorruptStream("the bitstream holds a vector that is no point of the lattice")
                found.append(residue)
        return np.array(found, dtype=np.int64).reshape(self.dim, len(at)).T

    def _model(self, row: int) -> object:
        if row not in self._models:
            self._models[row] = symbol_model(self._counts[row])
        return self._models[row]


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _tables_here(counts, levels, odd, state, tables):  # type: ignore[no-untyped-def]
    """tables[b] becomes that of vector b's level and of its state's parity."""
    for b in range(len(levels)):
        tables[b] = counts[2 * levels[b] + odd[state[b]]]


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _advance(after, residue, state, found, counts, levels, odd, tables):  # type: ignore[no-untyped-def]
    """Takes the states one coordinate on and keeps its residues; whether all were allowed. Then the next tables."""
    allowed = True
    for b in range(len(residue)):
        r = residue[b]
        reached = after[state[b], r] if 0 <= r < after.shape[1] else -1
        allowed &= reached >= 0
        state[b], found[b] = max(reached, 0), r
        tables[b] = counts[2 * levels[b] + odd[state[b]]]
    return allowed


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _backward(at, sums, source, target, residue, start, offset, betas):  # type: ignore[no-untyped-def]
    """betas[b, offset[i] + s] becomes the sum over all ways on from state s after i coordinates, up to a factor."""
    count, n = at.shape
    for b in range(count):
        betas[b, offset[n] : offset[n + 1]] = 1.0
        for i in range(n - 1, 0, -1):
            before, onward = offset[i], offset[i + 1]
            betas[b, before:onward] = 0.0
            for e in range(start[i], start[i + 1]):
                betas[b, before + source[e]] += sums[at[b, i], residue[e]] * betas[b, onward + target[e]]
            top = 0.0
            for s in range(before, onward):
                top = max(top, betas[b, s])
            for s in range(before, onward):
                betas[b, s] = max(betas[b, s] / top, LEAST_SUM)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _onward(sums, at, state, after, betas, offset, weights):  # type: ignore[no-untyped-def]
    """weights[b, r] becomes the weight of residue r in the state of vector b."""
    for b in range(len(at)):
        for r in range(weights.shape[1]):
            reached = after[state[b], r]
            weights[b, r] = sums[at[b], r] * betas[b, offset + reached] if reached >= 0 else 0.0


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _follow_paths(residues, at, first, later, rows):  # type: ignore[no-untyped-def]
    """rows[i, b] becomes the table of coordinate i of path b, by its level and its state's parity; False if none is."""
    for b in range(len(at)):
        state = 0
        for i in range(at.shape[1]):
            after = later if i else first
            rows[i, b] = 2 * at[b, i] + (1 if after[state, 0] < 0 else 0)
            state = after[state, residues[b, i]]
            if state < 0:
                return False
    return True
