"""A2: the hexagonal lattice, the best quantizer of the plane."""

from __future__ import annotations

import math

import numpy as np

from ltc.lattices.coset_lattice import CosetLattice
from ltc.lattices.registry import register

__all__ = ["hexagonal"]


@register("a2", dim=2)
def hexagonal(dim: int) -> CosetLattice:
    """A2 as the points (k1/2, k2 sqrt(3)/2), k1 = k2 mod 2, at unit volume; G = 5 / (36 sqrt(3))."""
    return CosetLattice(
        "a2",
        codewords=np.array([[0, 0], [1, 1]]),
        spacing=2,
        even=False,
        checks=np.array([[1, 1]]),
        moduli=[2],
        nsm=5 / (36 * math.sqrt(3)),
        aspect=[1.0, math.sqrt(3)],
    )
