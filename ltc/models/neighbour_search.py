"""The encoder's search among a point's neighbours, by what the decoder makes of each of them."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ltc.entropy import EntropyModel
from ltc.lattices import Lattice
from ltc.models.closed_search import ClosedSearch

__all__ = ["NeighbourSearch", "neighbours_of_zero"]

# Points that are decoded at a time.
_AT_ONCE = 1 << 16


class NeighbourSearch(ClosedSearch):
    """Looks for a point with less ``bits + price * distortion`` among those around one, decoder in the loop.

    A nonlinear decoder multiplies errors of different latents by different factors, and by others elsewhere; no search
    in the latent space sees that. Here each neighbour is decoded, and the true cost decides. A point is never changed
    for one that costs more.

    Args:
        price: lambda * n, bits for a unit of distortion.
        offsets: [neighbours, dim], from a point to its neighbours.
        measure: the distortion, a key of ``ltc.models.distortion.DISTORTIONS``.
    """

    offsets: Tensor

    def __init__(self, price: float, offsets: Tensor, measure: str = "mse") -> None:
        super().__init__(price, measure)
        self.register_buffer("offsets", offsets)

    @torch.no_grad()
    def forward(
        self,
        x: Tensor,
        point: Tensor,
        decode: Callable[[Tensor], Tensor],
        model: EntropyModel,
        most: int | None = None,
    ) -> Tensor:
        """The best of each point and its neighbours.

        Args:
            x: blocks [batch, components].
            point: lattice points [batch, dim].
            decode: maps points [m, dim] to reconstructions.
            model: the prior of the points.
            most: neighbours to look at, at random; None for all of them.

        Returns:
            Points [batch, dim].
        """
        offsets = self.offsets
        if most is not None and most < len(offsets):
            offsets = offsets[torch.randperm(len(offsets), device=offsets.device)[:most]]
        offsets = torch.cat([torch.zeros_like(offsets[:1]), offsets])
        best = []
        for blocks, near in zip(*(t.split(max(1, _AT_ONCE // len(offsets))) for t in (x, point)), strict=True):
            tried = near[:, None] + offsets.to(near)
            flat = tried.flatten(0, 1)
            distortion = self.distortion(blocks.repeat_interleave(len(offsets), 0), decode(flat))
            cost = (model(flat) + self.price * distortion).view(tried.shape[:2])
            best.append(tried[torch.arange(len(near)), cost.argmin(1)])
        return torch.cat(best)


def neighbours_of_zero(lattice: Lattice, dim: int, within: float = 1.51, samples: int = 1 << 13) -> Tensor:
    """The neighbours of 0 in a product of copies of a lattice: float32 [neighbours, dim].

    They are the vectors that are not much longer than the shortest ones. With the default these are all that make faces
    of the Voronoi cell of A2, A3*, D4, D5*, E6*, E7* and E8 (of integers, those with one step in one coordinate).
    They are found as nearest points of vectors on spheres.

    Args:
        lattice: a lattice, no trellis code.
        dim: a multiple of its dimension.
        within: longest squared length, in those of a shortest vector.
        samples: directions to look in.

    Examples:
        >>> from ltc import lattices
        >>> [len(neighbours_of_zero(lattices.get(name), 8)) for name in ("z", "a2", "e8")]
        [16, 24, 240]
    """
    generator = torch.Generator().manual_seed(0)
    direction = torch.randn(samples, lattice.dim, generator=generator, dtype=torch.float64)
    direction = direction / direction.norm(dim=1, keepdim=True)
    points = torch.cat([lattice.quantize(length * direction) for length in torch.linspace(0.4, 1.2, 9).tolist()])
    square = points.square().sum(1)
    near = points[(square > 1e-6) & (square < within * square[square > 1e-6].min())]
    _, which = near.mul(1e4).round().unique(dim=0, return_inverse=True)
    first = torch.full((int(which.max()) + 1,), len(near)).scatter_reduce(0, which, torch.arange(len(near)), "amin")
    copies = torch.eye(dim // lattice.dim)
    return torch.einsum("cd,ve->cvde", copies, near[first].float()).flatten(2).flatten(0, 1)
