"""From a conditional prior to its bitstream, by the prior's kind."""

from __future__ import annotations

import functools
import math

import numpy as np

from ltc.coding.conditional_model import ConditionalModel, distinct_steps, level_model
from ltc.coding.conditional_triangular_model import ConditionalTriangularModel
from ltc.coding.errors import NoBitstream
from ltc.coding.gaussian_mass import REACH, gaussian_masses
from ltc.entropy.cells import spacing
from ltc.entropy.conditional_base import ConditionalPrior
from ltc.entropy.conditional_trellis import ConditionalCodePrior, ConditionalTrellisPrior
from ltc.entropy.conditional_triangular import ConditionalTriangularPrior
from ltc.entropy.trellis_sums import table_radius
from ltc.lattices import TrellisLattice

__all__ = ["conditional_point_model", "gaussian_weights"]


@functools.singledispatch
def conditional_point_model(prior: ConditionalPrior, scales: np.ndarray) -> ConditionalModel:
    """The bitstream of a conditional prior.

    Args:
        prior: the prior.
        scales: float64 [levels], standard deviations; the same ones wherever a stream is read.

    Raises:
        NoBitstream: if the prior has none.
    """
    raise NoBitstream(f"{type(prior).__name__} has no bitstream.")


@conditional_point_model.register
def _(prior: ConditionalTrellisPrior | ConditionalCodePrior, scales: np.ndarray) -> ConditionalModel:
    return level_model(prior.lattice, gaussian_weights(prior.lattice, scales))


@conditional_point_model.register
def _(prior: ConditionalTriangularPrior, scales: np.ndarray) -> ConditionalModel:
    return ConditionalTriangularModel(prior.lattice, scales)


def gaussian_weights(lattice: TrellisLattice, scales: np.ndarray) -> list[list[np.ndarray]]:
    q, width, found = lattice.trellis.modulus, spacing(lattice), []
    for step in distinct_steps(lattice)[0]:
        rows = []
        for scale in (scales / step).tolist():
            radius = table_radius(math.ceil(REACH * scale) + width, q)
            rows.append(gaussian_masses(scale, width, radius + q)[np.abs(np.arange(-radius, radius + q))])
        found.append(rows)
    return found
