"""Points that fill the Voronoi cell of a lattice evenly: random, antithetic, Sobol, scrambled Sobol."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.quasirandom import SobolEngine

from ltc.lattices import Lattice

__all__ = ["CUBE_POINTS", "voronoi_points"]


def _standard(count: int, dim: int) -> Tensor:
    return torch.rand(count, dim)


def _antithetic(count: int, dim: int) -> Tensor:
    # v and 1 - v reduce to u and -u: the cell is symmetric.
    half = torch.rand(-(-count // 2), dim)
    return torch.cat([half, 1 - half])[:count]


def _sobol(count: int, dim: int) -> Tensor:
    return SobolEngine(dim).draw(count)


def _scrambled_sobol(count: int, dim: int) -> Tensor:
    seed = int(torch.randint(2**31, ()))
    return SobolEngine(dim, scramble=True, seed=seed).draw(count)


CUBE_POINTS: dict[str, Callable[[int, int], Tensor]] = {
    "standard": _standard,
    "antithetic": _antithetic,
    "sobol": _sobol,
    "scrambled_sobol": _scrambled_sobol,
}
"""How the unit cube is filled: ``(count, dim) -> [count, dim]``, drawn from torch's global generator."""


def voronoi_points(lattice: Lattice, count: int, dim: int, kind: str = "standard") -> Tensor:
    """Points of the Voronoi cell of a product of copies of a lattice, by reducing points of a fundamental cell.

    Args:
        lattice: a lattice with a generator matrix.
        count: number of points.
        dim: m * lattice.dim.
        kind: a key of ``CUBE_POINTS``.

    Returns:
        float32 [count, dim], (quasi-)uniform over the cell.

    Raises:
        ValueError: for an unknown kind, or a lattice without a generator matrix.

    Examples:
        >>> from ltc import lattices
        >>> voronoi_points(lattices.get("z"), 4, 2).abs().max() <= 0.5
        tensor(True)
    """
    if kind not in CUBE_POINTS:
        raise ValueError(f"There are no points of kind {kind!r}; there are {', '.join(CUBE_POINTS)}.")
    if lattice.generator is None:
        raise ValueError(f"{lattice.name} has no generator matrix, and so no Voronoi cell to fill.")
    cube = CUBE_POINTS[kind](count, dim).double().reshape(count, dim // lattice.dim, lattice.dim)
    inside = (cube @ lattice.generator).reshape(count, dim)
    return (inside - lattice.quantize(inside)).float()
