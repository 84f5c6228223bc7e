"""Probability models on lattice points: rates in bits, as code lengths wherever ``exact`` is true.

- ``entropy_model`` the interface
- ``exact`` the exact prior of any lattice (the default): ``trellis_prior`` and ``trellis_code_prior``
  (both a ``table_model``), or ``triangular_prior``
- ``mixture_prior`` a mixture of exact priors, for latents that depend on each other
- ``nested_prior`` fixed rate: the points of a lattice in the Voronoi cell of a coarser copy
- ``conditional`` the exact prior given a scale for each coordinate (``conditional_prior`` is what it is to others):
  ``conditional_trellis``, with the ``class_sums`` and ``class_costs`` of Gaussians, or ``conditional_triangular``
- ``families`` the functions f_i of a product-form prior: mixtures
- ``errors`` what is wrong when latents run away
- ``monte_carlo`` the paper's Monte-Carlo rate, with ``densities`` (factorized, flows) and ``voronoi_points``
"""

from ltc.entropy.conditional import conditional_prior
from ltc.entropy.conditional_prior import ConditionalPrior
from ltc.entropy.densities import Density, FactorizedDensity, FlowDensity
from ltc.entropy.entropy_model import EntropyModel
from ltc.entropy.errors import LatentsTooFar
from ltc.entropy.exact import exact_prior
from ltc.entropy.families import Family, GaussianMixture, LaplaceMixture, LogisticMixture
from ltc.entropy.mixture_prior import MixturePrior
from ltc.entropy.monte_carlo import MonteCarloPrior
from ltc.entropy.nested_prior import NestedPrior
from ltc.entropy.table_model import TableModel
from ltc.entropy.trellis_code_prior import TrellisCodePrior
from ltc.entropy.trellis_prior import TrellisPrior
from ltc.entropy.triangular_prior import TriangularPrior
from ltc.entropy.voronoi_points import voronoi_points

__all__ = [
    "ConditionalPrior",
    "Density",
    "EntropyModel",
    "FactorizedDensity",
    "Family",
    "FlowDensity",
    "GaussianMixture",
    "LaplaceMixture",
    "LatentsTooFar",
    "LogisticMixture",
    "MixturePrior",
    "MonteCarloPrior",
    "NestedPrior",
    "TableModel",
    "TrellisCodePrior",
    "TrellisPrior",
    "TriangularPrior",
    "conditional_prior",
    "exact_prior",
    "voronoi_points",
]
