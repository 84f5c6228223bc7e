"""Lattices at unit volume, with exact nearest-point search: the mathematics that the rest stands on.

>>> import torch
>>> from ltc import lattices
>>> e8 = lattices.get("e8")
>>> point = e8.quantize(torch.randn(5, 16))  # five points of the product of two copies

One file a lattice (``z``, ``a2``, ``an``, ``dn``, ``dn_dual``, ``e8``, ``bw16``, ``leech``); what they share is in
``lattice`` (the interface), ``trellis`` (the finite-state check, in three semirings), ``coset_lattice`` (cosets of
a simple lattice), ``codes`` (binary codes), ``congruence`` and ``sphere`` (nearest point of any generator matrix).
``learned`` is a lattice with parameters, which is trained along with a network.
"""

from ltc.lattices.lattice import Lattice, ProductLattice
from ltc.lattices.learned import LearnedLattice
from ltc.lattices.registry import get, names, register
from ltc.lattices.trellis import Trellis

__all__ = ["Lattice", "LearnedLattice", "ProductLattice", "Trellis", "get", "names", "register"]
