"""One image's latents to the points of least cost, given the levels of their scales."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from ltc.coding.conditional_search import ConditionalSearch
from ltc.images.layout import Layout, Segment, nearest, shared_points
from ltc.lattices import TrellisLattice

__all__ = ["LatentSearch"]


class LatentSearch:
    """Quantizes latents as ``ltc.images.latent_coder.LatentCoder`` does, but to the cheapest points.

    Args:
        cut: from a run's length to its segments.
        scales: float64 [levels], standard deviations.
        along: what runs are, one of ``ltc.images.layout.ALONG``.
        by_scale: whether a run's elements are ordered by their levels.
    """

    def __init__(self, cut: Callable[[int], list[Segment]], scales: np.ndarray, along: str, by_scale: bool) -> None:
        self._cut, self._scales, self._along, self._by_scale = cut, scales, along, by_scale
        self._searches: dict[tuple[str, int], ConditionalSearch] = {}

    def __call__(self, inputs: Tensor, levels: Tensor, weights: Tensor) -> Tensor:
        """The points of least ``weight * squared error + bits``.

        Args:
            inputs: latents without their means [batch, channels, …].
            levels: of their scales, of the same shape.
            weights: bits for a unit of squared error of each latent, positive, of the same shape.

        Returns:
            Of the same shape. Of vectors of a lattice without a trellis they are the nearest points.
        """
        layout = Layout(inputs.shape, self._along, levels if self._by_scale else None)
        x, at, prices = (layout.runs(t) for t in (inputs, levels, weights))
        points = []
        for segment in self._cut(x.shape[-1]):
            lattice, inside = segment.lattice, slice(segment.start, segment.stop)
            if isinstance(lattice, TrellisLattice):
                rows = (t[..., inside].reshape(-1, lattice.dim) for t in (x, at, prices))
                k = self._search(lattice)(*rows).reshape(x[..., inside].shape).to(x.device)
            else:
                k = lattice.to_integers(nearest(lattice, x[..., inside]))
            points.append(shared_points(lattice, k, x.dtype))
        return layout.latents(torch.cat(points, -1))

    def _search(self, lattice: TrellisLattice) -> ConditionalSearch:
        key = (lattice.name, lattice.dim)
        if key not in self._searches:
            self._searches[key] = ConditionalSearch(lattice, self._scales)
        return self._searches[key]
