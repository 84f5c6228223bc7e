"""The exact prior of a lattice with a trellis: P(k) = prod_i f_i(k_i) / Z, with Z summed over the whole lattice."""

from __future__ import annotations

import torch
from torch import Tensor

from ltc.entropy.entropy_model import EntropyModel
from ltc.entropy.families import Family
from ltc.lattices import Lattice

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

    def __init__(self, lattice: Lattice, dim: int, family: Family) -> None:
        super().__init__(lattice, dim)
        if lattice.trellis is None or lattice.steps is None or lattice.trellis.state_counts[-1] != 1:
            raise ValueError(f"{lattice.name} has no trellis with one final state; use the triangular prior.")
        self.family, self.trellis = family, lattice.trellis
        self.register_buffer("step", lattice.steps.repeat(dim // lattice.dim), persistent=False)

    def log_prob(self, points: Tensor, dither: Tensor | None = None) -> Tensor:
        k = self.lattice.to_integers(points.detach())
        if dither is not None:
            return self._log_prob_dithered(points, k, dither)
        radius = self.radius(k)
        grid = self.grid(radius)
        with torch.enable_grad():
            at = (grid[:, None] * self.step).requires_grad_()
            table = self.family.log_mass(at, self.step)  # [grid, dim]
        log_z = self.log_partition(table)
        inside = (k + radius).clamp(0, len(grid) - 1)
        column = torch.arange(self.dim, device=k.device)
        flat = inside * self.dim + column
        log_f = table.flatten()[flat]
        if points.requires_grad:
            (slope,) = torch.autograd.grad(table.sum(), at, retain_graph=True)
            # Worth zero; carries the slope of log f to the points (straight-through).
            log_f = log_f + (points - points.detach()) * slope.flatten()[flat]
        far = k.abs() > radius
        if far.any():
            log_f = torch.where(far, self.family.log_mass(points, self.step), log_f)
        return (log_f.sum(-1) - log_z).to(points.dtype)

    def log_partition(self, log_f: Tensor) -> Tensor:
        """log Z from tables of log f over a grid that starts at a multiple of q: [..., grid, dim] -> [...]."""
        n, q = self.lattice.dim, self.trellis.modulus
        shape = log_f.shape[:-2]
        by_residue = log_f.reshape(*shape, -1, q, self.dim).logsumexp(-3)  # [..., q, dim]
        copies = by_residue.transpose(-1, -2).reshape(*shape, self.dim // n, n, q)
        alpha = self.trellis.forward(copies, lambda t: t.logsumexp(-1), worst=-torch.inf)[-1]
        return alpha[..., 0].sum(-1)

    def radius(self, k: Tensor) -> int:
        """Half the length of a table that holds the f_i's mass and, if it is sane, all of ``k``; a multiple of q.

        Raises:
            ValueError: if the f_i span too many lattice steps for a table.
        """
        need = int((self.family.support() / self.step).amax()) + 1
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

    def _log_prob_dithered(self, points: Tensor, k: Tensor, dither: Tensor) -> Tensor:
        # P(k | u) with f_i moved by the dither: a table and a Z for every vector.
        moved = points + dither
        log_f = self.family.log_mass(moved, self.step).sum(-1)
        reach = torch.ceil(dither.abs().amax() / self.step.amin()).long()
        grid = self.grid(self.radius(reach + torch.zeros_like(k[..., :1])))
        tables = self.family.log_mass(grid[:, None] * self.step + dither[..., None, :], self.step)
        return (log_f - self.log_partition(tables)).to(points.dtype)
