"""The exact prior of a trellis code: in each state only k of one parity follow, and each parity has its own table."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ltc.entropy.cells import spacing
from ltc.entropy.families import Family
from ltc.entropy.table_model import LEAST, TableModel
from ltc.lattices import Lattice

__all__ = ["TrellisCodePrior"]


class TrellisCodePrior(TableModel):
    """P(k) = prod_i f_i^p(k_i) / Z_i^p, with p the parity of k_i and Z_i^p the sum of f_i^p over that parity.

    The encoder's state fixes the parity of the next k, so the factors are the conditional probabilities of k_i given
    the path so far: locally normalized, coded without backward sums (entropy-coded TCQ: Fischer & Wang 1992,
    Marcellin 1994).

    Args:
        lattice: a trellis code.
        dim: latent dimensions, a multiple of the code's length.
        family: makes the f of ``period`` coordinates, one for each parity.
        period: how many different f there are. A code runs over a long stationary sequence, so the period is the
            number of latents of one symbol.
        run: coordinate i has the f of number ``i // run mod period``.

    Raises:
        ValueError: if the period and the run do not divide ``dim``.
    """

    def __init__(
        self, lattice: Lattice, dim: int, family: Callable[[int], Family], period: int = 1, run: int = 1
    ) -> None:
        super().__init__(lattice, dim)
        if period < 1 or run < 1 or dim % (period * run):
            raise ValueError(
                f"Period times run of a trellis code's prior divide its {dim} coordinates, got {period} times {run}."
            )
        self.period, self.run = period, run
        self.even, self.odd = family(period), family(period)

    def tables(self, radius: int) -> tuple[Tensor, Tensor, Tensor]:
        step = self.step[: self.period]
        at, cells = self.grid(radius)[:, None] * step, spacing(self.lattice) * step
        tables, slopes = [], []
        for family, points in ((self.even, at[0::2]), (self.odd, at[1::2])):
            log_f, slope = family.log_mass_and_slope(points, cells, least=LEAST)
            tables.append(log_f - log_f.logsumexp(0))
            slopes.append(slope)
        # The grid starts at an even number: interleaved, the two parities are the grid again.
        table, slope = (torch.stack(pair, 1).flatten(0, 1) for pair in (tables, slopes))
        return self._to_coordinates(table), self._to_coordinates(slope), table.new_zeros(())

    def _to_coordinates(self, table: Tensor) -> Tensor:
        """[grid, period] -> [grid, dim]."""
        repeats = self.dim // (self.period * self.run)
        return (table if self.run == 1 else table.repeat_interleave(self.run, 1)).repeat(1, repeats)

    def log_noisy_mass(self, y: Tensor, width: float) -> Tensor:
        cell = torch.full_like(self.step, width)
        which = (torch.arange(self.dim, device=y.device) // self.run) % self.period
        # Half of the time a coordinate is even.
        both = torch.logaddexp(self.even.log_mass(y, cell, which), self.odd.log_mass(y, cell, which))
        return (both - math.log(2)).sum(-1).to(y.dtype)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        # A lattice's prior has one density where a code has two, of which neither knows more at the start.
        for name in [name for name in state_dict if name.startswith(f"{prefix}family.")]:
            value = state_dict.pop(name)
            for parity in ("even", "odd"):
                state_dict[f"{prefix}{parity}.{name.removeprefix(f'{prefix}family.')}"] = value
        super()._load_from_state_dict(state_dict, prefix, *rest)

    def support(self) -> Tensor:
        return torch.maximum(self.even.support(), self.odd.support()).amax()
