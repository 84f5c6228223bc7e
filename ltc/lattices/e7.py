"""E7: the densest lattice in seven dimensions."""

from __future__ import annotations

from ltc.lattices.codes import codewords, hamming
from ltc.lattices.coset_lattice import CosetLattice
from ltc.lattices.registry import register

__all__ = ["root_lattice_e7"]
