"""Fixed rate by nested lattices: the codewords are the points of a lattice in the Voronoi cell of a coarser copy."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ltc.entropy.entropy_model import EntropyModel
from ltc.lattices import Lattice

__all__ = ["NestedPrior"]

# Halvings of the way from the origin to a latent vector in overload.
_HALVINGS = 20


class NestedPrior(EntropyModel):
    """A Voronoi code (Conway & Sloane 1983): the q^n cosets of q Lambda in Lambda, each by its shortest point.

    Every vector takes exactly ``n log2 q`` bits. A vector whose nearest point is none of these leaders is in
    *overload*: it gets the leader found by moving towards the origin, and is counted.

    Args:
        lattice: the fine lattice, with a generator matrix.
        dim: latent dimensions, a multiple of the lattice's.
        q: nesting ratio, at least 2: log2(q) bits per dimension.

    Raises:
        ValueError: if q is no whole number of at least 2, or the lattice has no generator.

    Examples:
        >>> from ltc import lattices
        >>> code = NestedPrior(lattices.get("e8"), 8, q=4)
        >>> y = 3 * torch.randn(1000, 8)
        >>> code(code.admit(y, code.lattice.quantize(y))).mean()  # 8 dimensions, 2 bits each
        tensor(16.)
    """

    def __init__(self, lattice: Lattice, dim: int, q: int = 4) -> None:
        super().__init__(lattice, dim)
        if q != int(q) or q < 2:
            raise ValueError(f"A nesting ratio is a whole number of at least 2, got {q}.")
        if lattice.generator is None:
            raise ValueError(f"{lattice.name} has no generator matrix, so it cannot be nested.")
        self.q = int(q)
        self._vectors = self._overloads = 0

    def log_prob(self, points: Tensor, dither: Tensor | None = None) -> Tensor:
        self.check_points(points, dither)
        # No gradient: every codeword costs the same.
        return points.new_full(points.shape[:-1], -self.dim * math.log(self.q))

    def leaders(self, points: Tensor) -> Tensor:
        """The shortest point of each point's coset (one of them, on the border of the coarse cell): [..., dim]."""
        # A small fixed offset settles ties alike for all points of a coset: no difference of two points that tie, whose
        # coordinates are a few steps, is orthogonal to powers of 0.9.
        wide = points.double()
        tilt = 1e-3 / self.q * 0.9 ** torch.arange(self.dim, dtype=torch.float64, device=points.device)
        leader = wide - self.q * self.lattice.quantize((wide + tilt) / self.q)
        return leader.to(points.dtype)

    @torch.no_grad()
    def admit(self, y: Tensor, points: Tensor) -> Tensor:
        near = self._is_leader(points)
        if not self.training:
            self._vectors += near.numel()
            self._overloads += int((~near).sum())
        if bool(near.all()):
            return points
        # The origin is a leader; between it and y the last one met is taken.
        far = ~near
        y, found = y[far], torch.zeros_like(points[far])
        inside, outside = y.new_zeros(len(y), 1), y.new_ones(len(y), 1)
        for _ in range(_HALVINGS):
            middle = (inside + outside) / 2
            point = self.lattice.quantize(middle * y)
            leads = self._is_leader(point)[:, None]
            found = torch.where(leads, point, found)
            inside, outside = torch.where(leads, middle, inside), torch.where(leads, outside, middle)
        result = points.clone()
        result[far] = found
        return result

    def figures(self) -> dict[str, float]:
        return {"overload": self._overloads / self._vectors} if self._vectors else {}

    def to_integers(self, points: Tensor) -> Tensor:
        z = torch.linalg.solve(self._basis().T, self._by_copy(points.double()).transpose(-1, -2)).transpose(-1, -2)
        return torch.round(z).long().remainder(self.q).reshape(points.shape)

    def to_points(self, k: Tensor) -> Tensor:
        return self.leaders((self._by_copy(k.double()) @ self._basis()).reshape(k.shape)).float()

    def _is_leader(self, points: Tensor) -> Tensor:
        return (self.leaders(points) - points).abs().amax(-1) < 1e-3

    def _by_copy(self, x: Tensor) -> Tensor:
        return x.reshape(-1, self.dim // self.lattice.dim, self.lattice.dim)

    def _basis(self) -> Tensor:
        assert self.lattice.generator is not None
        return self.lattice.generator
