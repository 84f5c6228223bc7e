"""Sources on a grid in one or two dimensions: a density or samples turned into a pmf on the cells' midpoints."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

__all__ = ["GridPmf", "density_on_grid", "halve_grid", "histogram_on_grid"]

GridPmf = tuple[Tensor, list[Tensor]]
"""A pmf of shape [k] or [k1, k2], float64, and for each dimension the coordinates of its grid points."""


def density_on_grid(
    log_density: Callable[[Tensor], Tensor],
    bounds: Sequence[tuple[float, float]],
    resolution: int,
    device: torch.device | str | None = None,
) -> GridPmf:
    """The density at the midpoints of ``resolution`` equal cells per dimension, normalized to a pmf.

    Args:
        log_density: maps points [N, dim] (float64) to log densities [N], in nats, up to a constant; may be -inf.
        bounds: (low, high) for each of 1 or 2 dimensions.
        resolution: cells per dimension, at least 4.
        device: where to compute.

    Raises:
        ValueError: if there are not 1 or 2 bounds with low < high, the resolution is below 4, or the log density is
            NaN, +inf, of the wrong shape, or -inf everywhere.

    Examples:
        >>> pmf, axes = density_on_grid(lambda x: torch.zeros(len(x)), [(0.0, 1.0)], 4)
        >>> pmf.tolist(), axes[0].tolist()
        ([0.25, 0.25, 0.25, 0.25], [0.125, 0.375, 0.625, 0.875])
    """
    axes = _midpoints(bounds, resolution, device)
    points = torch.cartesian_prod(*axes).reshape(-1, len(axes))
    logs = log_density(points).double()
    if logs.shape != points.shape[:1]:
        raise ValueError(f"log_density: returned shape {list(logs.shape)} for points {list(points.shape)}, not [N]")
    if bool((logs.isnan() | (logs == math.inf)).any()) or not bool(logs.isfinite().any()):
        raise ValueError("log_density: is NaN, +inf or everywhere -inf on the grid, but must be a log density")
    return torch.softmax(logs, 0).reshape([resolution] * len(axes)), axes


def histogram_on_grid(samples: Tensor, resolution: int) -> GridPmf:
    """The histogram of samples over ``resolution`` equal cells per dimension between their extremes.

    Args:
        samples: shape [N, 1] or [N, 2], finite.
        resolution: cells per dimension, at least 4.

    Raises:
        ValueError: if the samples are not of that shape, not finite, or constant in a component, or the resolution
            is below 4.

    Examples:
        >>> histogram_on_grid(torch.tensor([[0.0], [0.1], [0.9], [4.0]]), 4)[0].tolist()
        [0.75, 0.0, 0.0, 0.25]
    """
    if samples.ndim != 2 or samples.shape[1] not in (1, 2) or len(samples) == 0:
        raise ValueError(f"samples: got shape {list(samples.shape)}, but [N, 1] or [N, 2] is needed")
    x = samples.double()
    if not bool(x.isfinite().all()):
        raise ValueError("samples: has infinite or NaN entries, but all must be finite")
    low, high = x.amin(0), x.amax(0)
    axes = _midpoints(list(zip(low.tolist(), high.tolist(), strict=True)), resolution, x.device)
    shape = [resolution] * len(axes)
    cells = ((x - low) / (high - low) * resolution).long().clamp(max=resolution - 1)
    flat = cells[:, 0] if len(axes) == 1 else cells[:, 0] * resolution + cells[:, 1]
    return torch.bincount(flat, minlength=math.prod(shape)).double().reshape(shape) / len(x), axes


def halve_grid(pmf: Tensor, axes: Sequence[Tensor]) -> GridPmf:
    """Neighbouring cells merged in pairs along every axis, at the middle of the two; an odd cell joins the last pair.

    Raises:
        ValueError: if an axis has less than 4 cells.

    Examples:
        >>> pmf, axes = halve_grid(torch.full((4,), 0.25), [torch.tensor([0.0, 1.0, 2.0, 3.0])])
        >>> pmf.tolist(), axes[0].tolist()
        ([0.5, 0.5], [0.5, 2.5])
    """
    merged = []
    for dim, axis in enumerate(axes):
        pairs = len(axis) // 2
        if pairs < 2:
            raise ValueError(f"axes: axis {dim} has {len(axis)} cells, but halving needs at least 4")
        pair = (torch.arange(len(axis), device=pmf.device) // 2).clamp(max=pairs - 1)
        shape = [pairs if d == dim else size for d, size in enumerate(pmf.shape)]
        pmf = pmf.new_zeros(shape).index_add(dim, pair, pmf)
        merged.append(0.5 * (axis[0 : 2 * pairs : 2] + axis[1 : 2 * pairs : 2]))
    return pmf, merged


def _midpoints(
    bounds: Sequence[tuple[float, float]], resolution: int, device: torch.device | str | None
) -> list[Tensor]:
    if len(bounds) not in (1, 2) or any(not -math.inf < low < high < math.inf for low, high in bounds):
        raise ValueError(f"bounds: got {list(bounds)}, but 1 or 2 finite pairs (low, high), low < high, are needed")
    if resolution < 4:
        raise ValueError(f"resolution: got {resolution!r} cells per dimension, but at least 4 are needed")
    cells = torch.arange(resolution, dtype=torch.float64, device=device) + 0.5
    return [low + (high - low) / resolution * cells for low, high in bounds]
