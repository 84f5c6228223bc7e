"""D_n*: the dual of the checkerboard lattice, Z^n and Z^n moved by (1/2, ..., 1/2)."""

from __future__ import annotations

import numpy as np

from ltc.lattices.coset_lattice import CosetLattice
from ltc.lattices.registry import register

__all__ = ["dual_checkerboard"]

# Conway & Sloane, SPLAG, table 2.3 and chapter 21; D3* = A3*, D4* = D4 up to scale.
_NSM = {2: 1 / 12, 3: 19 / (192 * 2 ** (1 / 3)), 4: 0.076603, 5: 0.075625}


@register("dn_dual", dim=4, fixed=False)
def dual_checkerboard(dim: int) -> CosetLattice:
    """D_n* as k/2 with all k of one parity, n >= 2.

    Raises:
        ValueError: for n = 1.
    """
    if dim < 2:
        raise ValueError(f"D_n* needs a dimension of 2 or more, got {dim}.")
    neighbours = np.eye(dim - 1, dim, dtype=np.int64) + np.eye(dim - 1, dim, 1, dtype=np.int64)
    return CosetLattice(
        "dn_dual",
        codewords=np.array([[0] * dim, [1] * dim]),
        spacing=2,
        even=False,
        checks=neighbours,
        moduli=[2] * (dim - 1),
        nsm=_NSM.get(dim),
    )
