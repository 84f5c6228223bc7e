"""Bitstreams of lattices with a triangular generator, given each coordinate's density: a table for each element.

Coordinate i of a point z B is ``B_ii (z_i + s_i)``, where s_i is what z_1 … z_{i-1} contribute: any real number, so
that there are no tables to be made once. They are made where they are needed, of as many integers as an element's scale
asks for; additions and products in a fixed order, like all that bitstreams stand on.
"""

from __future__ import annotations

import abc

import numba
import numpy as np

from ltc.coding.conditional_model import ConditionalModel
from ltc.coding.frequencies import counts
from ltc.coding.gaussian_mass import LEAST_MASS, REACH, cell_mass
from ltc.coding.range_coder import Decoder, Encoder
from ltc.lattices import Lattice

__all__ = ["ConditionalTriangularModel", "TabulatedTriangularModel"]

# Where no part of a cell has a mass that a table would tell from none, in scales.
_FURTHEST = 12.0

# A density's mass beyond the coordinates that have entries.
_TAIL = 1e-9

# Numbers of the tables that are laid out at once.
_MEMORY = 1 << 22


class _TriangularModel(ConditionalModel):
    """Codes integers z of points z B, coordinate by coordinate, all vectors at once.

    Args:
        lattice: with an upper triangular generator. A learned one is taken as it is at each call.
        reach: float64 [levels]; coordinates further from zero have no entry.
    """

    def __init__(self, lattice: Lattice, reach: np.ndarray) -> None:
        self.dim, self._lattice, self._reach = lattice.dim, lattice, reach

    @abc.abstractmethod
    def _fill(self, base: np.ndarray, levels: np.ndarray, step: float, weights: np.ndarray) -> None:
        """weights[b, j] becomes a mass of level levels[b] on a cell around base[b] + (j - radius) step."""

    def encode(self, encoder: Encoder, k: np.ndarray, levels: np.ndarray) -> None:
        walk = _Walk(self._basis(), len(k))
        for i in range(self.dim):
            middle, base = walk.middle(i)
            for here, weights in self._tables(i, levels[:, i], base, walk.basis):
                radius = weights.shape[1] // 2
                symbol = k[here, i] - middle[here] + radius
                inside = (symbol >= 0) & (symbol < weights.shape[1])
                encoder.symbols(np.where(inside, symbol, weights.shape[1]), counts(weights), None)
                if not inside.all():
                    encoder.integers(k[here, i][~inside])
            walk.advance(i, k[:, i])

    def decode(self, decoder: Decoder, levels: np.ndarray) -> np.ndarray:
        walk, found = _Walk(self._basis(), len(levels)), np.empty(levels.shape, dtype=np.int64)
        for i in range(self.dim):
            middle, base = walk.middle(i)
            for here, weights in self._tables(i, levels[:, i], base, walk.basis):
                symbol = decoder.symbols(len(here), counts(weights), None).astype(np.int64)
                value = symbol + middle[here] - weights.shape[1] // 2
                escaped = symbol == weights.shape[1]
                if escaped.any():
                    value[escaped] = decoder.escaped(int(escaped.sum()))
                found[here, i] = value
            walk.advance(i, found[:, i])
        return found

    def _basis(self) -> np.ndarray:
        generator = self._lattice.generator
        assert generator is not None
        # Without last digits, which may depend on the machine.
        return np.round(generator.double().cpu().numpy() * 2.0**24) / 2.0**24

    def _tables(
        self, i: int, levels: np.ndarray, base: np.ndarray, basis: np.ndarray
    ) -> list[tuple[np.ndarray, np.ndarray]]:
        """(elements, their weights [elements, 2 radius + 1]) for each radius, the powers of 2 that levels ask for."""
        step = abs(basis[i, i])
        # Bits of the number of steps: a double's exponent is exactly that.
        exponents = np.frexp(np.ceil(self._reach[levels] / step))[1]
        found = []
        for exponent in sorted(set(exponents.tolist())):
            radius, elements = 1 << exponent, np.flatnonzero(exponents == exponent)
            at_once = max(1, _MEMORY // (2 * radius + 1))
            for first in range(0, len(elements), at_once):
                here = elements[first : first + at_once]
                weights = np.empty((len(here), 2 * radius + 1))
                self._fill(base[here], levels[here], step, weights)
                found.append((here, weights))
        return found


class ConditionalTriangularModel(_TriangularModel):
    """Each level is a Gaussian of zero mean.

    Args:
        lattice: with an upper triangular generator. A learned one is taken as it is at each call.
        scales: float64 [levels], standard deviations.
    """

    def __init__(self, lattice: Lattice, scales: np.ndarray) -> None:
        super().__init__(lattice, REACH * scales)
        self._scales = scales

    def _fill(self, base: np.ndarray, levels: np.ndarray, step: float, weights: np.ndarray) -> None:
        _gaussian(base, self._scales[levels], step, weights)


class TabulatedTriangularModel(_TriangularModel):
    """Each level is a density that is constant on short intervals.

    Args:
        lattice: with an upper triangular generator. A learned one is taken as it is at each call.
        masses: float64 [levels, 2 m], not negative, of intervals of which the first m are below zero.
        width: of an interval.
    """

    def __init__(self, lattice: Lattice, masses: np.ndarray, width: float) -> None:
        self._cumulative = np.concatenate([np.zeros((len(masses), 1)), masses.cumsum(1)], 1)
        inside = (self._cumulative > _TAIL) & (self._cumulative < self._cumulative[:, -1:] - _TAIL)
        at = width * np.abs(np.arange(masses.shape[1] + 1) - masses.shape[1] // 2)
        super().__init__(lattice, width + np.where(inside, at, 0.0).max(1))
        self._width = width

    def _fill(self, base: np.ndarray, levels: np.ndarray, step: float, weights: np.ndarray) -> None:
        _tabulated(base, levels, self._cumulative, self._width, step, weights)


class _Walk:
    """Vectors on their way through the coordinates."""

    def __init__(self, basis: np.ndarray, count: int) -> None:
        self.basis = basis
        self._sums = np.zeros((len(basis), count))

    def middle(self, i: int) -> tuple[np.ndarray, np.ndarray]:
        """(the integer that puts coordinate i nearest to zero, that coordinate then)."""
        step = self.basis[i, i]
        middle = np.rint(-self._sums[i] / step)
        return middle.astype(np.int64), self._sums[i] + middle * step

    def advance(self, i: int, z: np.ndarray) -> None:
        # A product and a sum, rounded one after the other, on every machine.
        self._sums[i + 1 :] += z * self.basis[i, i + 1 :, None]


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _gaussian(base, scales, step, weights):  # type: ignore[no-untyped-def]
    """weights[b, j] becomes the mass of N(0, scales[b]^2) on a cell around base[b] + (j - radius) step."""
    radius = weights.shape[1] // 2
    for b in range(len(base)):
        for j in range(weights.shape[1]):
            low = base[b] + (j - radius) * step - 0.5 * step
            weights[b, j] = cell_mass(low, step, scales[b], _FURTHEST * scales[b])


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _tabulated(base, levels, cumulative, width, step, weights):  # type: ignore[no-untyped-def]
    """weights[b, j] becomes what a level's cumulative masses gain on a cell around base[b] + (j - radius) step."""
    radius, last = weights.shape[1] // 2, cumulative.shape[1] - 1
    for b in range(len(base)):
        known = cumulative[levels[b]]
        before = 0.0
        for j in range(weights.shape[1] + 1):
            at = (base[b] + (j - radius) * step - 0.5 * step) / width + last / 2
            at = min(max(at, 0.0), float(last))
            left = min(int(at), last - 1)
            here = known[left] + (at - left) * (known[left + 1] - known[left])
            if j > 0:
                weights[b, j - 1] = max(here - before, LEAST_MASS)
            before = here
