"""The exact prior of a lattice, whichever applies to it: of a trellis, a trellis code or a triangular basis."""

from __future__ import annotations

from collections.abc import Callable

from ltc.entropy.entropy_model import EntropyModel
from ltc.entropy.families import Family, GaussianMixture
from ltc.entropy.trellis_code_prior import TrellisCodePrior
from ltc.entropy.trellis_prior import TrellisPrior
from ltc.entropy.triangular_prior import TriangularPrior
from ltc.lattices import Lattice, TrellisLattice

__all__ = ["exact_prior"]


def exact_prior(
    lattice: Lattice,
    dim: int,
    family: Callable[[int], Family] = GaussianMixture,
    period: int = 1,
    run: int = 1,
) -> EntropyModel:
    """An entropy model whose rates are code lengths.

    Args:
        lattice: any lattice.
        dim: latent dimensions.
        family: makes the f_i from a number of coordinates.
        period: for trellis codes, the latents of one symbol: as many different f.
        run: coordinate i has the f of number ``i // run mod period``; for other lattices a run of 1 means an f for
            each coordinate, whatever the period.

    Examples:
        >>> from ltc import lattices
        >>> type(exact_prior(lattices.get("an", 3), 3)).__name__
        'TriangularPrior'
        >>> type(exact_prior(lattices.get("tcq8", 64), 64)).__name__
        'TrellisCodePrior'
    """
    if lattice.is_code:
        return TrellisCodePrior(lattice, dim, family, period, run)
    kind = TrellisPrior if isinstance(lattice, TrellisLattice) else TriangularPrior
    return kind(lattice, dim, family(period if run > 1 else dim), run)
