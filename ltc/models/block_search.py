"""The search of a block coder with the decoder in its loop: a lattice's own search, at costs that were decoded."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ltc.entropy import TableModel
from ltc.models.closed_search import ClosedSearch

__all__ = ["BlockSearch"]

# Numbers of reconstructions that are held at a time.
_AT_ONCE = 1 << 22


def candidates(modulus: int) -> int:
    """How many integers are looked at: the nearest ones of each residue class to the present one, and its neighbours.

    Twice the modulus is up to twice as many, and brings nothing in trained coders (Physics, Sawbridge, Speech).

    Examples:
        >>> candidates(1), candidates(2), candidates(4)
        (3, 3, 5)
    """
    return max(modulus // 2 * 2 + 1, 3)


class BlockSearch(ClosedSearch):
    """Minimizes ``bits + price * distortion`` over the points of a block, latent after latent of all its vectors.

    A block's vectors are decoded one by one, so with all other latents held fixed the distortion is a sum over the
    vectors of what each one's decoder makes of its own integer. A few integers around the present one are decoded for
    each vector, and the trellis search finds the best point of the lattice, or the best path of a code, for these
    costs and the prior's bits: exactly, if the best integers are among them. A search in the latent space
    (`ltc.models.RDSearch`) takes the decoder for a scaled isometry instead. The point that there was is among the
    candidates, so that a search never costs more.

    Args:
        price: lambda * n, bits for a unit of distortion.
        n: vectors of a block.
        measure: the distortion, a key of ``ltc.models.distortion.DISTORTIONS``.
        passes: over all latents, at most.
    """

    def __init__(self, price: float, n: int, measure: str = "mse", passes: int = 2) -> None:
        super().__init__(price, measure)
        self.n, self.passes = n, passes

    @torch.no_grad()
    def forward(
        self,
        x: Tensor,
        point: Tensor,
        decode: Callable[[Tensor], Tensor],
        model: TableModel,
        most: int | None = None,
    ) -> Tensor:
        """Points that cost no more than ``point``.

        Args:
            x: blocks [batch, n * components].
            point: lattice points [batch, latents * n], latent after latent.
            decode: maps points to blocks, each vector by its own latents.
            model: the prior of the points.
            most: candidates for each vector in all, of some latents at random; None for all latents.

        Returns:
            Points [batch, latents * n].
        """
        width = candidates(model.modulus)
        blocks = x.split(max(1, _AT_ONCE // x.shape[1])), point.split(max(1, _AT_ONCE // x.shape[1]))
        found = []
        for block, at in zip(*blocks, strict=True):
            best = at
            for _ in range(self.passes):
                before = best
                for latent in self._latents(point.shape[1] // self.n, width, most):
                    best = self._better(block, best, latent, width, decode, model)
                if torch.equal(before, best):
                    break
            found.append(best)
        return torch.cat(found)

    def _latents(self, count: int, width: int, most: int | None) -> list[int]:
        if most is None or most >= count * width:
            return list(range(count))
        return torch.randperm(count)[: max(1, most // width)].tolist()

    def _better(
        self,
        x: Tensor,
        point: Tensor,
        latent: int,
        width: int,
        decode: Callable[[Tensor], Tensor],
        model: TableModel,
    ) -> Tensor:
        """The best points that differ in one latent."""
        part = slice(latent * self.n, (latent + 1) * self.n)
        step = model.step[part].to(point.dtype)
        lowest = torch.round(point[:, part] / step).long() - width // 2
        vectors, tried, costs = x.reshape(len(x) * self.n, -1), point.clone(), []
        for offset in range(width):
            tried[:, part] = (lowest + offset) * step
            each = self.distortion(vectors, decode(tried).reshape(len(vectors), -1))
            costs.append(self.price / self.n * each.view(len(x), self.n))
        tried[:, part] = model.cheapest_of(lowest, torch.stack(costs, -1), part) * step
        return tried
