"""The exact conditional prior of a lattice, whichever applies to it."""

from __future__ import annotations

from ltc.entropy.conditional_base import ConditionalPrior
from ltc.entropy.conditional_trellis import ConditionalCodePrior, ConditionalTrellisPrior
from ltc.entropy.conditional_triangular import ConditionalTriangularPrior
from ltc.lattices import Lattice, TrellisLattice

__all__ = ["conditional_prior"]


def conditional_prior(lattice: Lattice) -> ConditionalPrior:
    """The prior of a lattice's points given the scales of their coordinates; its probabilities sum to 1.

    Raises:
        ValueError: if the lattice has neither a trellis nor a triangular generator.

    Examples:
        >>> from ltc import lattices
        >>> type(conditional_prior(lattices.get("tcq8"))).__name__
        'ConditionalCodePrior'
    """
    if not isinstance(lattice, TrellisLattice):
        return ConditionalTriangularPrior(lattice)
    return (ConditionalCodePrior if lattice.is_code else ConditionalTrellisPrior)(lattice)
