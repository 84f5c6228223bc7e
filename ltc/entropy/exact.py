"""The exact prior of a lattice, whichever applies to it: on its trellis, or on a triangular generator."""

from __future__ import annotations

from collections.abc import Callable

from ltc.entropy.entropy_model import EntropyModel
from ltc.entropy.families import Family, GaussianMixture
from ltc.entropy.trellis_prior import TrellisPrior
from ltc.entropy.triangular_prior import TriangularPrior
from ltc.lattices import Lattice

__all__ = ["exact_prior"]


def exact_prior(lattice: Lattice, dim: int, family: Callable[[int], Family] = GaussianMixture) -> EntropyModel:
    """An entropy model whose rates are code lengths.

    Args:
        lattice: any lattice.
        dim: latent dimensions.
        family: makes the f_i from ``dim``.

    Example:
        >>> from ltc import lattices
        >>> type(exact_prior(lattices.get("an", 3), 3)).__name__
        'TriangularPrior'
    """
    model = TriangularPrior if lattice.trellis is None else TrellisPrior
    return model(lattice, dim, family(dim))
