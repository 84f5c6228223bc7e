"""E7: the densest lattice in seven dimensions."""

from __future__ import annotations

from ltc.lattices.codes import codewords, hamming_pair
from ltc.lattices.coset_lattice import CosetLattice
from ltc.lattices.registry import register

__all__ = ["root_lattice_e7"]


@register("e7", dim=7)
def root_lattice_e7(dim: int) -> CosetLattice:
    """E7 as the integer k with k mod 2 in the [7, 3] simplex code (SPLAG, chapter 4, section 8.2).

    The simplex code is the extended Hamming code shortened; its dual is the same code punctured.
    G = 163 / 2016 * 2^(-1/7) (SPLAG, table 2.3).
    """
    extended = hamming_pair()[0]
    words = codewords(extended)
    return CosetLattice(
        "e7",
        codewords=words[words[:, -1] == 0, :-1],
        spacing=2,
        even=False,
        checks=extended[:, :-1],
        moduli=[2] * 4,
        nsm=163 / 2016 * 2 ** (-1 / 7),
    )
