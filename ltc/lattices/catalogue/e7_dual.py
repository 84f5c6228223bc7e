"""E7*: the dual of the root lattice E7, the best known quantizer in seven dimensions."""

from __future__ import annotations

from ltc.lattices.codes import codewords, hamming_pair
from ltc.lattices.coset_lattice import CosetLattice
from ltc.lattices.registry import register

__all__ = ["dual_of_e7"]


@register("e7_dual", dim=7)
def dual_of_e7(dim: int) -> CosetLattice:
    """E7* as the integer k with k mod 2 in the [7, 4] Hamming code (SPLAG, chapter 4, section 8.2).

    G = 21361 / 322560 * 2^(1/7) (Worley 1988).
    """
    extended = hamming_pair()[0]
    words = codewords(extended)
    # The dual of the punctured extended code is the shortened one; words that repeat a check do no harm.
    checks = words[words[:, -1] == 0, :-1]
    return CosetLattice(
        "e7_dual",
        codewords=codewords(extended[:, :-1]),
        spacing=2,
        even=False,
        checks=checks,
        moduli=[2] * len(checks),
        nsm=21361 / 322560 * 2 ** (1 / 7),
    )
