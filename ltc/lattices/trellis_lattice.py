"""Lattices whose integer coordinates pass a trellis, and trellis codes: what the trellis does for them."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ltc.lattices.arguments import check_vectors
from ltc.lattices.lattice import Lattice
from ltc.lattices.trellis import Trellis

__all__ = ["TrellisLattice"]


class TrellisLattice(Lattice):
    """A lattice, or a trellis code, whose points are ``steps * k`` for the paths k of a trellis.

    Attributes:
        trellis: the finite-state check of the integer coordinates k.
        steps: float64 [n]; coordinate i of a point is ``steps[i] * k_i``.
    """

    trellis: Trellis
    steps: Tensor
    # The search of `cheapest` compiled for the CPU, for float32 and float64 [batch, dim, q]; or None.
    _cheapest_kernel: Callable[[Tensor], Tensor] | None = None

    @property
    def is_code(self) -> bool:  # type: ignore[override]
        """Whether paths may end in several states: a trellis code."""
        return self.trellis.state_counts[-1] > 1

    def nearest_on_trellis(self, x: Tensor) -> Tensor:
        """``nearest`` by the trellis search: the nearest k of each residue class, then the cheapest path."""
        q, steps = self.trellis.modulus, self.steps.to(x)[:, None]
        residue = torch.arange(q, device=x.device, dtype=x.dtype)
        k = residue + q * torch.round((x[..., None] / steps - residue) / q)
        points = steps * k
        choice = self.cheapest_in_torch((x[..., None] - points).square())
        return points.gather(-1, choice[..., None])[..., 0]

    def cheapest(self, costs: Tensor) -> Tensor:
        """The residues k mod q of the point with the least sum of any additive costs: the trellis search.

        Args:
            costs: [batch, dim, q], the cost of the best k of each residue class at each coordinate.

        Returns:
            int64 [batch, dim].

        Raises:
            TypeError: if ``costs`` is no tensor.
            ValueError: if the costs' shape is another one.
        """
        check_vectors(costs, self.trellis.modulus, self, "cheapest")
        if costs.ndim != 3 or costs.shape[1] != self.dim:
            raise ValueError(
                f"{self.name}.cheapest takes [batch, {self.dim}, {self.trellis.modulus}], got {tuple(costs.shape)}."
            )
        compiled = costs.device.type == "cpu" and costs.dtype in (torch.float32, torch.float64)
        search = self._cheapest_kernel if self._cheapest_kernel is not None and compiled else self.cheapest_in_torch
        return search(costs)

    def cheapest_in_torch(self, costs: Tensor) -> Tensor:
        """``cheapest`` on any device: the reference of the compiled kernels."""
        return self.trellis.viterbi(costs)

    def to_integers(self, points: Tensor) -> Tensor:
        """The k of points [..., m * dim]: int64, same shape."""
        check_vectors(points, self.dim, self, "to_integers", copies=True)
        copies = points.unflatten(-1, (points.shape[-1] // self.dim, self.dim))
        return torch.round(copies / self.steps.to(points)).long().reshape(points.shape)

    def to_points(self, k: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
        """The points ``steps * k`` [..., m * dim]."""
        check_vectors(k, self.dim, self, "to_points", copies=True)
        copies = k.to(dtype).unflatten(-1, (k.shape[-1] // self.dim, self.dim))
        return (copies * self.steps.to(copies)).reshape(k.shape)
