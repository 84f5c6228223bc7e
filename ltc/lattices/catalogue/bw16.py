"""Lambda16: the Barnes-Wall lattice, the best known quantizer in sixteen dimensions."""

from __future__ import annotations

import numpy as np

from ltc.lattices.codes import codewords, reed_muller
from ltc.lattices.coset_lattice import CosetLattice
from ltc.lattices.kernels.barnes_wall import BarnesWallSearch
from ltc.lattices.registry import register

__all__ = ["barnes_wall"]


@register("bw16", dim=16)
def barnes_wall(dim: int) -> CosetLattice:
    """Lambda16: k mod 2 in RM(1, 4) and sum(k) = 0 mod 4 (SPLAG, chapter 4, section 10)."""
    return CosetLattice(
        "bw16",
        codewords=codewords(reed_muller(1, 4)),
        spacing=2,
        even=True,
        # RM(2, 4) is the dual of RM(1, 4).
        checks=np.vstack([reed_muller(2, 4), np.ones((1, 16), dtype=np.int64)]),
        moduli=[2] * 11 + [4],
        nsm=0.068298,
        kernel=BarnesWallSearch(),
    )
