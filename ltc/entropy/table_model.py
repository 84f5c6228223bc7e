"""Entropy models that are tables: log P(k) is a sum of one look-up for each coordinate, minus a constant."""

from __future__ import annotations

import abc
import math

import torch
from torch import Tensor

from ltc.entropy.cells import with_slope
from ltc.entropy.class_search import class_costs
from ltc.entropy.entropy_model import LOG2, EntropyModel
from ltc.entropy.errors import LatentsTooFar
from ltc.entropy.trellis_sums import table_integers, table_radius
from ltc.lattices import Lattice, TrellisLattice

__all__ = ["LEAST", "TableModel"]

LEAST = 0.09
"""The least scale of the f_i, as Gaussians: with it the origin of a lattice of unit volume is as good as certain. Below
it a point beside the origin costs hundreds of bits, and a latent that strays there throws training off its course."""

# A coordinate that spans more lattice steps than this means 14 bits and more per coordinate, or divergence.
_LARGEST_RADIUS = 2**15

# Vectors searched at once.
_CHUNK = 2**14


class TableModel(EntropyModel):
    """A model with a table of log f_i(k) for each coordinate's integers k, on a lattice with a trellis.

    Because the rate is a sum over coordinates, the trellis search that finds the nearest point also finds the point
    with the least ``sum |y_i - point_i|^p + mu * rate``: ``rd_optimal_point``.
    """

    lattice: TrellisLattice
    step: Tensor
    searches = True

    def __init__(self, lattice: Lattice, dim: int) -> None:
        super().__init__(lattice, dim)
        if not isinstance(lattice, TrellisLattice):
            raise ValueError(f"{lattice.name} has no trellis; use the triangular prior.")
        self.modulus = lattice.trellis.modulus
        self.register_buffer("step", lattice.steps.repeat(dim // lattice.dim), persistent=False)

    @abc.abstractmethod
    def tables(self, radius: int) -> tuple[Tensor, Tensor, Tensor]:
        """The model over the integers -radius, -radius + 1, … (see ``grid``).

        Returns:
            log f: float64 [grid, dim]; its slope by the point's coordinate [grid, dim]; the constant, log Z.
        """

    def log_prob(self, points: Tensor, dither: Tensor | None = None) -> Tensor:
        self.check_points(points, dither)
        if dither is not None:
            return self.log_prob_dithered(points, dither)
        return self._log_prob(points.reshape(-1, self.dim)).reshape(points.shape[:-1])

    def log_prob_dithered(self, points: Tensor, dither: Tensor) -> Tensor:
        """log P(point | dither); models that have none raise ValueError."""
        raise ValueError(f"{type(self).__name__} has no dithered form: its points are coded without dither.")

    def _log_prob(self, points: Tensor) -> Tensor:
        k = torch.round(points.detach() / self.step.to(points.dtype)).long()
        radius = self.radius(k)
        table, slope, log_z = self.tables(radius)
        at_k = (k + radius).clamp_(0, len(table) - 1)
        log_f = table.gather(0, at_k)
        if points.requires_grad:
            log_f = with_slope(log_f, points, slope.gather(0, at_k))
        return (log_f.sum(-1) - log_z).to(points.dtype)

    @torch.no_grad()
    def rd_optimal_point(self, y: Tensor, mu: float, power: int = 2) -> Tensor:
        """The point with the least ``sum |y_i - point_i|^p + mu * rate``: exact, by the trellis search."""
        q, n = self.modulus, self.lattice.dim
        radius = self.radius(torch.round(y / self.step.to(y.dtype)).long())
        table, _, _ = self.tables(radius)
        bits = table / -LOG2
        found = []
        for part in y.split(_CHUNK):
            costs, k = class_costs(part, bits, self.step, mu, q, power)  # [batch, dim, q]
            residue = self.lattice.cheapest(costs.reshape(-1, n, q)).reshape(len(part), self.dim, 1)
            found.append(k.gather(2, residue)[..., 0] * self.step.to(y.dtype))
        return torch.cat(found) if found else y.clone()

    @torch.no_grad()
    def cheapest_of(self, lowest: Tensor, costs: Tensor, part: slice) -> Tensor:
        """The integers with the least ``sum costs + rate``, each one of a few: exact, by the trellis search.

        Args:
            lowest: int64 [batch, coordinates], the least integer of each coordinate that may be chosen.
            costs: [batch, coordinates, width], in bits, of that integer and those that follow; at least one of each
                residue class.
            part: which coordinates these are, whole vectors of the lattice.

        Returns:
            int64 [batch, coordinates].
        """
        q, width = self.modulus, costs.shape[-1]
        radius = self.radius(torch.stack([lowest.amin(), lowest.amax() + width]))
        table = self.tables(radius)[0][:, part].T / -LOG2  # [coordinates, grid]
        offsets = torch.arange(width, device=lowest.device)
        rows = torch.arange(len(table), device=lowest.device)[:, None]
        total = costs + table[rows, lowest[..., None] + offsets + radius].to(costs)
        # By how many whole periods above the lowest, and by residue above it.
        total = torch.nn.functional.pad(total, (0, -width % q), value=math.inf).unflatten(-1, (-1, q))
        least, period = total.min(-2)
        above = (torch.arange(q, device=lowest.device) - lowest[..., None]) % q  # of each residue class
        n = self.lattice.dim
        residue = self.lattice.cheapest(least.gather(-1, above).reshape(-1, n, q)).reshape(*lowest.shape, 1)
        above = above.gather(-1, residue)
        return lowest + (period.gather(-1, above) * q + above)[..., 0]

    def radius(self, k: Tensor, spare: int = 0) -> int:
        """Half the length of a table that holds the model's mass and all of ``k``; a multiple of q.

        Raises:
            LatentsTooFar: if that spans too many lattice steps for a table.
        """
        largest = int(k.abs().amax()) if k.numel() else 0
        span = float((self.support() / self.step).amax())
        need = max(int(span) + 1 + spare if math.isfinite(span) else _LARGEST_RADIUS + 1, largest)
        if need > _LARGEST_RADIUS:
            raise LatentsTooFar(
                f"The latents span {need} lattice steps, more than {_LARGEST_RADIUS}: training diverged, or an input "
                "is far from all that was trained on; lower the learning rate or lambda."
            )
        return table_radius(need, self.modulus)

    def grid(self, radius: int) -> Tensor:
        """The integers of a table, from -radius (a multiple of q) on, whole periods of q: float64 [grid]."""
        return table_integers(radius, self.modulus, self.step.device).double()
