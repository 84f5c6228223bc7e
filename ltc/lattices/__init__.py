"""Lattices at unit volume, with exact nearest-point search: the mathematics that the rest stands on.

>>> import torch
>>> from ltc import lattices
>>> e8 = lattices.get("e8")
>>> point = e8.quantize(torch.randn(5, 16))  # five points of the product of two copies

- ``catalogue`` one file a lattice: ``z``, ``a2``, … ``leech``, and the trellis codes ``tcq``; ``registry`` finds them
- ``lattice`` what a lattice is to the rest of the project; ``product`` of lattices; ``arguments`` what they are given
- ``trellis_lattice`` those with a trellis, and trellis codes
- ``trellis`` the finite-state check, in three semirings; ``path_sum`` its log-sum-exp
- ``coset_lattice`` cosets of a simple lattice, from ``codes`` (binary); ``congruence_lattice`` from ``congruence``
- ``sphere`` the nearest point of any generator matrix
- ``kernels`` searches compiled for the CPU
- ``learned`` a lattice with parameters, which is trained along with a network
- ``nsm_optimizer`` descent on the second moment over all generator matrices
- ``trellis_codes`` polynomials of the trellis codes
- ``card``, ``card_plot``, ``theta`` a lattice at a glance (``python -m ltc.lattices``)

Names are loaded at their first use: the kernels and the trellis codes' polynomials need no torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ltc.lazy import lazy_names

if TYPE_CHECKING:
    from ltc.lattices.lattice import Lattice
    from ltc.lattices.learned import LearnedLattice
    from ltc.lattices.product import ProductLattice
    from ltc.lattices.registry import get, names, register
    from ltc.lattices.trellis import Trellis
    from ltc.lattices.trellis_lattice import TrellisLattice

__all__ = ["Lattice", "LearnedLattice", "ProductLattice", "Trellis", "TrellisLattice", "get", "names", "register"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "Lattice": "lattice",
        "LearnedLattice": "learned",
        "ProductLattice": "product",
        "Trellis": "trellis",
        "TrellisLattice": "trellis_lattice",
        "get": "registry",
        "names": "registry",
        "register": "registry",
    },
)
