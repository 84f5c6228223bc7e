"""D_n: the checkerboard lattice, the integer vectors with an even sum."""

from __future__ import annotations

import numpy as np

from ltc.lattices.coset_lattice import CosetLattice
from ltc.lattices.registry import register

__all__ = ["checkerboard"]


@register("dn", dim=4, fixed=False)
def checkerboard(dim: int) -> CosetLattice:
    """D_n, n >= 2.

    G(D_n) = 2^(-2/n) (1/12 + 1/(2 n (n+1))) (Conway & Sloane 1982, equation 21; n >= 4 here exact for D_n, n >= 2).

    Raises:
        ValueError: for n = 1.
    """
    if dim < 2:
        raise ValueError(f"D_n needs a dimension of 2 or more, got {dim}.")
    return CosetLattice(
        "dn",
        codewords=np.zeros((1, dim), dtype=np.int64),
        spacing=1,
        even=True,
        checks=np.ones((1, dim), dtype=np.int64),
        moduli=[2],
        nsm=2 ** (-2 / dim) * (1 / 12 + 1 / (2 * dim * (dim + 1))),
    )
