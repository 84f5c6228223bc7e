"""E6*: the dual of the root lattice E6, the best known quantizer in six dimensions."""

from __future__ import annotations

import math

import numpy as np

from ltc.lattices.congruence_lattice import CongruenceLattice, eisenstein_parities
from ltc.lattices.registry import register

__all__ = ["dual_of_e6"]


@register("e6_dual", dim=6)
def dual_of_e6(dim: int) -> CongruenceLattice:
    """E6* as triples of Eisenstein integers x = (a + b sqrt(-3)) / 2 whose sum is a multiple of sqrt(-3).

    That is Construction A of the ternary code of words with sum 0 (SPLAG, chapter 7, section 8; its dual code, of
    constant words, gives E6). Modulo sqrt(-3), x is -a mod 3, so the check is sum(a) = 0 mod 3.
    G = 12619 / 204120 * 3^(1/6) (Worley 1987).
    """
    total = np.array([[1, 0] * 3])
    return CongruenceLattice(
        "e6_dual",
        checks=np.vstack([eisenstein_parities(3), total]),
        moduli=[2] * 3 + [3],
        nsm=12619 / 204120 * 3 ** (1 / 6),
        aspect=[1.0, math.sqrt(3)] * 3,
    )
