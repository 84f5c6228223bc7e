"""Cells around the coordinates of points: how wide they are, and what a mass on them adds to a derivative.

Each exact prior is a product of masses f_i on cells that tile a line: of the values that a coordinate may have once
those before it are known. Their widths and the derivatives by point and width are the same for unconditional,
conditional and image priors, and are defined here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ltc.lattices import Lattice, TrellisLattice

__all__ = ["spacing", "trellis_cells", "triangular_steps", "with_slope", "with_slope_by_width"]


def spacing(lattice: TrellisLattice) -> int:
    """How many steps lie between integers that may follow one another in a state of the trellis code; of a lattice 1.

    In each state of a trellis code follow the integers of one parity. Cells that are two steps wide tile these, so that
    a coordinate's mass is its probability; cells of a lattice are a step wide, and Z makes probabilities of them.
    """
    return 2 if lattice.is_code else 1


def trellis_cells(lattice: TrellisLattice) -> Tensor:
    """The width of the cells around each coordinate's values: float64 [n]."""
    return spacing(lattice) * lattice.steps


def triangular_steps(lattice: Lattice) -> Tensor:
    """The diagonal of a lattice's generator: float64 [n]; of a learned one that of the moment, with its derivative.

    Coordinate i of a point z B, for upper triangular B, is ``z_i B_ii`` plus what z_1 .. z_{i-1} fixed: cells of width
    ``B_ii`` tile the line of its values.

    Raises:
        ValueError: if the generator is missing or not upper triangular.
    """
    if lattice.generator is None:
        raise ValueError(f"{lattice.name} has no upper triangular generator matrix.")
    basis = lattice.basis()
    if not torch.allclose(basis, basis.triu(), atol=1e-9):
        raise ValueError(f"{lattice.name} has no upper triangular generator matrix.")
    return basis.diagonal().abs()


def with_slope(log_f: Tensor, points: Tensor, slope: Tensor) -> Tensor:
    """``log_f`` with a derivative by the points, for the straight-through estimator.

    Args:
        log_f: log f at lattice points [...].
        points: the points' coordinates [...].
        slope: of log f there [...], a constant.

    Returns:
        [...], the same numbers.
    """
    return _WithSlope.apply(log_f, points, slope)


def with_slope_by_width(
    log_mass: Tensor, points: Tensor, width: Tensor, log_density: Callable[[Tensor], Tensor]
) -> Tensor:
    """log masses of cells with their derivative by the cells' width, where a learned lattice moves both.

    By w, the log mass of [x - w/2, x + w/2] has the derivative ``(f(x - w/2) + f(x + w/2)) / (2 mass)``: half the
    density at both ends, over the mass. Where points do not move with the basis (refits with a fixed encoder), neither
    do their cells with it.

    Args:
        log_mass: of the cells [..., n].
        points: their centres [..., n].
        width: float64 [n], with a derivative if the lattice learns.
        log_density: gives log f at both ends of the cells: float64 [2, ..., n] to the same shape.

    Returns:
        [..., n], the same numbers.
    """
    if not (width.requires_grad and points.requires_grad):
        return log_mass
    with torch.no_grad():
        center = points.double()
        ends = torch.stack([center - width / 2, center + width / 2])
        slope = ((log_density(ends) - log_mass).exp().sum(0) / 2).to(log_mass.dtype)
    return log_mass + slope * (width - width.detach()).to(slope)


class _WithSlope(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, log_f: Tensor, points: Tensor, slope: Tensor) -> Tensor:
        ctx.save_for_backward(slope.to(points.dtype))
        return log_f.clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None]:
        (slope,) = ctx.saved_tensors
        return gradient, gradient.to(slope.dtype) * slope, None
