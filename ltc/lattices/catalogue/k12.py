"""K12: the Coxeter-Todd lattice, the densest known lattice and a very good quantizer in twelve dimensions."""

from __future__ import annotations

import math

import numpy as np

from ltc.lattices.congruence_lattice import CongruenceLattice, eisenstein_parities
from ltc.lattices.registry import register

__all__ = ["coxeter_todd"]


@register("k12", dim=12)
def coxeter_todd(dim: int) -> CongruenceLattice:
    """K12 as six Eisenstein integers x = (a + b sqrt(-3)) / 2, all equal modulo sqrt(-3), with sum 0 modulo 3.

    This is its 3-base (SPLAG, chapter 4, section 9). Modulo sqrt(-3), x is -a mod 3, so all a are equal mod 3; then
    sum(a) = 6 a = 0 mod 3 anyway, and the sum of the x is a multiple of 3 when sum(b) = 0 mod 3.
    G = 797361941 / (6567561000 sqrt(3)) (Dutour Sikiric, Schuermann & Vallentin, "Complexity and algorithms for
    computing Voronoi cells of lattices", Math. Comp. 78 (2009)).
    """
    neighbours = np.kron(np.eye(5, 6, dtype=np.int64) - np.eye(5, 6, 1, dtype=np.int64), np.array([[1, 0]]))
    total = np.array([[0, 1] * 6])
    return CongruenceLattice(
        "k12",
        checks=np.vstack([eisenstein_parities(6), neighbours, total]),
        moduli=[2] * 6 + [3] * 6,
        nsm=797361941 / (6567561000 * math.sqrt(3)),
        aspect=[1.0, math.sqrt(3)] * 6,
    )
