"""The exact prior of a lattice with a trellis: P(k) = prod_i f_i(k_i) / Z, with Z summed over the whole lattice."""

from __future__ import annotations

import torch
from torch import Tensor

from ltc.entropy.families import Family
from ltc.entropy.table_model import LEAST, TableModel
from ltc.entropy.trellis_sums import log_class_sums
from ltc.lattices import Lattice
from ltc.lattices.path_sum import log_path_sum

__all__ = ["TrellisPrior"]


class TrellisPrior(TableModel):
    """Exact probabilities on a product of copies of a trellis lattice, with learned f_i.

    With ``S_i(r) = sum of f_i over k_i = r mod q``, the forward recursion over the trellis sums the product of the
    ``S_i`` over all paths: that is Z, exactly up to the f_i's negligible tails. For one prior there is one Z for the
    whole batch, and the f_i are tables: a rate costs n look-ups.

    Args:
        lattice: a lattice with a trellis that ends in one state.
        dim: latent dimensions, a multiple of the lattice's.
        family: the f_i, e.g. a ``ltc.entropy.families.GaussianMixture`` of ``dim`` coordinates.
        run: coordinate i has the f of number ``i // run``, modulo how many the family has.

    Raises:
        ValueError: if the family and the run do not fit the dimension.

    Examples:
        >>> from ltc import lattices
        >>> from ltc.entropy.families import GaussianMixture
        >>> prior = TrellisPrior(lattices.get("e8"), 16, GaussianMixture(16))
        >>> prior(prior.lattice.quantize(torch.randn(5, 16))).shape
        torch.Size([5])
    """

    _which: Tensor
    _used: Tensor
    _used_step: Tensor
    _column: Tensor

    def __init__(self, lattice: Lattice, dim: int, family: Family, run: int = 1) -> None:
        super().__init__(lattice, dim)
        which = family.which(dim, run)
        if self.lattice.is_code:
            raise ValueError(f"{lattice.name} has no trellis with one final state; use the trellis code's prior.")
        self.family, self.trellis = family, self.lattice.trellis
        # Coordinates with the same f and the same step share a column of the tables.
        steps, step = self.step.unique(return_inverse=True)
        used, column = (which * len(steps) + step).unique(return_inverse=True)
        self.register_buffer("_which", which, persistent=False)
        self.register_buffer("_used", used // len(steps), persistent=False)
        self.register_buffer("_used_step", steps[used % len(steps)], persistent=False)
        self.register_buffer("_column", column, persistent=False)
        self._tied = len(used) < dim

    def tables(self, radius: int) -> tuple[Tensor, Tensor, Tensor]:
        if not self._tied:
            table, slope = self.family.log_mass_and_slope(
                self.grid(radius)[:, None] * self.step, self.step, least=LEAST
            )
            return table, slope, self.log_partition(table)
        at = self.grid(radius)[:, None] * self._used_step
        table, slope = self.family.log_mass_and_slope(at, self._used_step, self._used, least=LEAST)
        table, slope = table.index_select(1, self._column), slope.index_select(1, self._column)
        return table, slope, self.log_partition(table)

    def log_noisy_mass(self, y: Tensor, width: float) -> Tensor:
        return self.family.log_box_mass(y, width, self._which)

    def support(self) -> Tensor:
        return self.family.support()[self._which]

    def log_partition(self, log_f: Tensor) -> Tensor:
        """log Z from tables of log f over a grid that starts at a multiple of q: [..., grid, dim] -> [...]."""
        sums = log_class_sums(log_f, self.modulus, dim=-2).transpose(-1, -2)  # [..., dim, q]
        return log_path_sum(self.trellis, sums.unflatten(-2, (-1, self.lattice.dim))).sum(-1)

    def log_prob_dithered(self, points: Tensor, dither: Tensor) -> Tensor:
        # P(k | u) with f_i moved by the dither: a table and a Z for every vector.
        log_f = self.family.log_mass(points + dither, self.step, self._which).sum(-1)
        reach = int(torch.ceil(dither.abs().amax() / self.step.amin())) if dither.numel() else 0
        steps = self.grid(self.radius(torch.zeros(1), spare=reach))[:, None] * self.step
        tables = self.family.log_mass(steps + dither[..., None, :], self.step, self._which)
        return (log_f - self.log_partition(tables)).to(points.dtype)
