"""The exact prior of a lattice with a trellis: P(k) = prod_i f_i(k_i) / Z, with Z summed over the whole lattice."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ltc.entropy.entropy_model import EntropyModel
from ltc.entropy.families import Family
from ltc.lattices import Lattice
from ltc.lattices.path_sum import log_path_sum

__all__ = ["TrellisPrior"]

# A coordinate that spans more lattice steps than this means 14 bits and more per coordinate, or divergence.
_LARGEST_RADIUS = 2**15


class TrellisPrior(EntropyModel):
    """Exact probabilities on a product of copies of a trellis lattice, with learned f_i.

    With ``S_i(r) = sum of f_i over k_i = r mod q``, the forward recursion over the trellis sums the product of the
    ``S_i`` over all paths: that is Z, exactly up to the f_i's negligible tails. For one prior there is one Z for the
    whole batch, and the f_i are tables: a rate costs n look-ups.

    Args:
        lattice: a lattice with a trellis that ends in one state.
        dim: latent dimensions, a multiple of the lattice's.
        family: makes the f_i from ``dim``, e.g. :class:`~ltc.entropy.families.GaussianMixture`.

    Example:
        >>> from ltc import lattices
        >>> from ltc.entropy.families import GaussianMixture
        >>> prior = TrellisPrior(lattices.get("e8"), 16, GaussianMixture(16))
        >>> prior(prior.lattice.quantize(torch.randn(5, 16))).shape
        torch.Size([5])
    """

    step: Tensor

    def __init__(self, lattice: Lattice, dim: int, family: Family) -> None:
        super().__init__(lattice, dim)
        if lattice.trellis is None or lattice.steps is None or lattice.trellis.state_counts[-1] != 1:
            raise ValueError(f"{lattice.name} has no trellis with one final state; use the triangular prior.")
        self.family, self.trellis = family, lattice.trellis
        self.register_buffer("step", lattice.steps.repeat(dim // lattice.dim), persistent=False)

    def log_prob(self, points: Tensor, dither: Tensor | None = None) -> Tensor:
        if dither is not None:
            return self._log_prob_dithered(points, dither)
        return self._log_prob(points.reshape(-1, self.dim)).reshape(points.shape[:-1])

    def _log_prob(self, points: Tensor) -> Tensor:
        k = torch.round(points.detach() / self.step.to(points.dtype)).long()
        radius = self.radius(k)
        table, slope = self.family.log_mass_and_slope(self.grid(radius)[:, None] * self.step, self.step)  # [grid, dim]
        at_k = (k + radius).clamp_(0, len(table) - 1)
        log_f = table.gather(0, at_k)
        if points.requires_grad:
            log_f = _WithSlope.apply(log_f, points, slope.gather(0, at_k))
        if radius >= _LARGEST_RADIUS:
            far = k.abs() > radius
            log_f = torch.where(far, self.family.log_mass(points, self.step), log_f)
        return (log_f.sum(-1) - self.log_partition(table)).to(points.dtype)

    def log_partition(self, log_f: Tensor) -> Tensor:
        """log Z from tables of log f over a grid that starts at a multiple of q: [..., grid, dim] -> [...]."""
        n, q = self.lattice.dim, self.trellis.modulus
        shape = log_f.shape[:-2]
        by_residue = log_f.reshape(*shape, log_f.shape[-2] // q, q, self.dim).logsumexp(-3)  # [..., q, dim]
        copies = by_residue.transpose(-1, -2).reshape(*shape, self.dim // n, n, q)
        return log_path_sum(self.trellis, copies).sum(-1)

    def radius(self, k: Tensor, spare: int = 0) -> int:
        """Half the length of a table that holds the f_i's mass and, if it is sane, all of ``k``; a multiple of q.

        Raises:
            ValueError: if the f_i span too many lattice steps for a table.
        """
        need = int((self.family.support() / self.step).amax()) + 1 + spare
        if need > _LARGEST_RADIUS:
            raise ValueError(
                f"The prior spans {need} lattice steps, more than {_LARGEST_RADIUS}: the latents have diverged; "
                "lower the learning rate or lambda."
            )
        largest = int(k.abs().amax()) if k.numel() else 0
        q = self.trellis.modulus
        return -(-max(need, min(largest, _LARGEST_RADIUS)) // q) * q

    def grid(self, radius: int) -> Tensor:
        """The integers of a table, from -radius (a multiple of q) on, whole periods of q: float64 [grid]."""
        device = self.step.device
        return torch.arange(-radius, radius + self.trellis.modulus, device=device, dtype=torch.float64)

    def _log_prob_dithered(self, points: Tensor, dither: Tensor) -> Tensor:
        # P(k | u) with f_i moved by the dither: a table and a Z for every vector.
        log_f = self.family.log_mass(points + dither, self.step).sum(-1)
        reach = torch.ceil(dither.abs().amax() / self.step.amin()).long() if dither.numel() else torch.zeros(())
        steps = self.grid(self.radius(reach, spare=int(reach)))[:, None] * self.step
        tables = self.family.log_mass(steps + dither[..., None, :], self.step)
        return (log_f - self.log_partition(tables)).to(points.dtype)


class _WithSlope(torch.autograd.Function):
    """log f at a lattice point, with the slope of log f there as derivative by the point (straight-through)."""

    @staticmethod
    def forward(ctx: Any, log_f: Tensor, points: Tensor, slope: Tensor) -> Tensor:
        ctx.save_for_backward(slope.to(points.dtype))
        return log_f.clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None]:
        (slope,) = ctx.saved_tensors
        return gradient, gradient.to(slope.dtype) * slope, None
