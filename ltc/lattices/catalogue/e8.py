"""E8: the Gosset lattice, the best known quantizer in eight dimensions."""

from __future__ import annotations

import numpy as np

from ltc.lattices.coset_lattice import CosetLattice
from ltc.lattices.registry import register

__all__ = ["gosset"]


@register("e8", dim=8)
def gosset(dim: int) -> CosetLattice:
    """E8 = D8 and D8 moved by (1/2, ..., 1/2): k/2 with all k of one parity and sum(k) = 0 mod 4; G = 929/12960."""
    neighbours = np.eye(7, 8, dtype=np.int64) + np.eye(7, 8, 1, dtype=np.int64)
    return CosetLattice(
        "e8",
        codewords=np.array([[0] * 8, [1] * 8]),
        spacing=2,
        even=True,
        checks=np.vstack([neighbours, np.ones((1, 8), dtype=np.int64)]),
        moduli=[2] * 7 + [4],
        nsm=929 / 12960,
    )
