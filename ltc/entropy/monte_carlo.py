"""The Monte-Carlo rate of the LTC paper: a density averaged over the Voronoi cell, to compare with."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from ltc.entropy.densities import Density
from ltc.entropy.entropy_model import EntropyModel
from ltc.entropy.voronoi_cell import CUBE_POINTS, voronoi_points
from ltc.lattices import Lattice

__all__ = ["MonteCarloPrior"]

# Floats of one chunk of density evaluations when no gradient is needed.
_CHUNK = 2**22


class MonteCarloPrior(EntropyModel):
    """P(point) estimated as the mean of a density over points of the cell around it, in the log domain.

    Lei, Hassani & Saeedi Bidokhti, "Approaching Rate-Distortion Limits in Neural Compression with Lattice Transform
    Coding", ICLR 2025, section 4. The density is evaluated jointly, not coordinate by coordinate. By Jensen's
    inequality the rate is biased upward, and no code can be built on it: ``exact`` is False.

    Args:
        lattice: a lattice with a generator matrix.
        dim: latent dimensions.
        density: makes the density from ``dim``.
        samples: points of the cell for each evaluation.
        points: how they are drawn, a key of ``CUBE_POINTS``.
    """

    exact = False

    def __init__(
        self,
        lattice: Lattice,
        dim: int,
        density: Callable[[int], Density],
        samples: int = 256,
        points: str = "scrambled_sobol",
    ) -> None:
        super().__init__(lattice, dim)
        if samples < 1:
            raise ValueError(f"A Monte-Carlo rate needs samples >= 1, got {samples}.")
        if points not in CUBE_POINTS:
            raise ValueError(f"There are no points of kind {points!r}; there are {', '.join(CUBE_POINTS)}.")
        self.density, self.samples, self.points = density(dim), samples, points

    def log_prob(self, points: Tensor, dither: Tensor | None = None) -> Tensor:
        self.check_points(points, dither)
        center = points if dither is None else points + dither
        cell = voronoi_points(self.lattice, self.samples, self.dim, self.points).to(center)
        flat = center.reshape(-1, self.dim)
        # With a gradient the graph is kept whole; without one, memory is bounded.
        size = len(flat) if torch.is_grad_enabled() else max(1, _CHUNK // (self.samples * self.dim))
        found = [
            self.density(part[:, None, :] + cell).logsumexp(-1) - math.log(self.samples)
            for part in flat.split(max(size, 1))
        ]
        return torch.cat(found).reshape(center.shape[:-1]) if found else center.new_zeros(center.shape[:-1])
