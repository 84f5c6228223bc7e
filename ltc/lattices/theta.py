"""Theta series: how many points of a lattice there are at each distance from the origin.

A third semiring of the trellis: polynomials in z, in which coordinate k_i weighs z^(w_i k_i^2). The coefficient of z^N
in the sum over all paths is the number of points of squared norm N, in units of the smallest squared step. Lattices
without a trellis are enumerated (Fincke & Pohst 1985).
"""

from __future__ import annotations

import math

import numpy as np

from ltc.lattices.lattice import Lattice
from ltc.lattices.sphere import lll
from ltc.lattices.trellis_lattice import TrellisLattice

__all__ = ["shortest_norm", "theta_series"]

# Counts must stay exact in 64 bits: a limit on a ball's volume, which is about the number of its points.
_LARGEST_COUNT = 1e17

# Numbers in a list of points: an enumeration must fit in memory.
_LARGEST_LIST = 1 << 26

# Dimensions in which a basis is reduced.
_LARGEST_REDUCED = 48


def theta_series(lattice: Lattice, bound: float) -> tuple[np.ndarray, np.ndarray]:
    """The squared norms that occur up to a bound, and the number of points of each.

    Args:
        lattice: any lattice; of a trellis code, its sequences of ``lattice.dim`` samples are counted.
        bound: the largest squared norm, at unit volume.

    Returns:
        norms: float64 [m], ascending, the first is 0.
        counts: int64 [m].

    Raises:
        ValueError: if there are too many points up to ``bound`` to count.

    Examples:
        >>> import ltc.lattices
        >>> norms, counts = theta_series(ltc.lattices.get("e8"), 6.0)
        >>> norms.round(9).tolist(), counts.tolist()
        ([0.0, 2.0, 4.0, 6.0], [1, 240, 2160, 6720])
    """
    if _ball(lattice.dim, bound) > _LARGEST_COUNT:
        raise _too_many(lattice, bound)
    weights = _weights(lattice) if isinstance(lattice, TrellisLattice) else None
    if isinstance(lattice, TrellisLattice) and weights is not None:
        unit = float(lattice.steps.min()) ** 2
        series = _count_paths(lattice, weights, math.floor(bound / unit * (1 + 1e-9)))
        norms = np.flatnonzero(series)
        return norms * unit, series[norms]
    listed = _short_norms(_reduced(lattice), bound * (1 + 1e-9))
    if listed is None:
        raise _too_many(lattice, bound)
    found = np.sort(listed)
    # Equal norms differ by rounding only.
    first = np.flatnonzero(np.diff(found, prepend=-1.0) > 1e-7)
    return found[first], np.diff(first, append=len(found))


def shortest_norm(lattice: Lattice) -> float:
    """The least squared norm of a lattice point other than 0.

    Raises:
        ValueError: for a trellis code, or in too many dimensions.
    """
    if lattice.generator is None:
        raise ValueError(f"{lattice.name} is a trellis code: it has no least norm of its own.")
    # A basis vector bounds it from above; that of a reduced basis is rarely much longer.
    bound = float((_reduced(lattice) ** 2).sum(1).min())
    return float(theta_series(lattice, bound)[0][1])


def _reduced(lattice: Lattice) -> np.ndarray:
    """The generator with shorter vectors; in many dimensions, where that takes long, as it is."""
    assert lattice.generator is not None
    generator = lattice.generator.numpy()
    return lll(generator) if lattice.dim <= _LARGEST_REDUCED else generator


def _too_many(lattice: Lattice, bound: float) -> ValueError:
    return ValueError(f"{lattice.name} has too many points of squared norm up to {bound:.4g} to count.")


def _ball(dim: int, squared_radius: float) -> float:
    """Volume of a ball."""
    log = dim / 2 * math.log(math.pi * max(squared_radius, 1e-300)) - math.lgamma(dim / 2 + 1)
    return math.exp(min(log, 700.0))


def _weights(lattice: TrellisLattice) -> np.ndarray | None:
    """The squared steps in units of the smallest, where all are integers."""
    ratios = (lattice.steps / lattice.steps.min()).square().numpy()
    whole = np.rint(ratios).astype(np.int64)
    return whole if np.allclose(ratios, whole, rtol=0, atol=1e-9) else None


def _count_paths(lattice: TrellisLattice, weights: np.ndarray, bound: int) -> np.ndarray:
    """int64 [bound + 1], the number of points with ``sum(weights * k^2) = N``."""
    q = lattice.trellis.modulus
    table = np.zeros((1, bound + 1), dtype=np.int64)
    table[0, 0] = 1
    sections = zip(lattice.trellis.sections, lattice.trellis.state_counts[1:], weights, strict=True)
    for section, count, weight in sections:
        grown = np.zeros((count, bound + 1), dtype=np.int64)
        largest = math.isqrt(bound // weight)
        # The polynomial of each residue class, as the powers it multiplies with.
        for residue in np.unique(section.residue):
            powers = [weight * k * k for k in range(-largest, largest + 1) if k % q == residue]
            edges = section.residue == residue
            source = table[section.source[edges]]
            moved = np.zeros_like(source)
            for power in powers:
                moved[:, power:] += source[:, : bound + 1 - power]
            np.add.at(grown, section.target[edges], moved)
        table = grown
    return table.sum(0)


def _short_norms(basis: np.ndarray, bound: float) -> np.ndarray | None:
    """The squared norms up to a bound of all combinations of the rows of ``basis``; None if they are too many."""
    _, r = np.linalg.qr(basis.T)  # |z B|^2 = |R z|^2
    n = len(basis)
    z, norm = np.zeros((1, n)), np.zeros(1)
    for i in reversed(range(n)):
        rest = z[:, i + 1 :] @ r[i, i + 1 :]
        half = np.sqrt(np.maximum(bound - norm, 0)) / abs(r[i, i])
        first, last = np.ceil(-rest / r[i, i] - half), np.floor(-rest / r[i, i] + half)
        counts = np.maximum(last - first + 1, 0).astype(np.int64)
        if counts.sum() * n > _LARGEST_LIST:
            return None
        row = np.repeat(np.arange(len(z)), counts)
        value = first[row] + np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
        norm = norm[row] + (rest[row] + value * r[i, i]) ** 2
        z = z[row]
        z[:, i] = value
    return norm
