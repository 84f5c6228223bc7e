"""Block lattice transform coding: each vector is transformed on its own, each latent is quantized along the block."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ltc.entropy import TableModel
from ltc.models.block_search import BlockSearch
from ltc.models.coder import Coder
from ltc.models.lattice_bottleneck import LatticeBottleneck
from ltc.models.rd_search import RDSearch

__all__ = ["BlockCoder"]


class BlockCoder(Coder):
    """Block-LTC (Lei, Hassani & Saeedi Bidokhti, ICLR 2025, section 4): n i.i.d. vectors, a lattice for each latent.

    The analysis transform maps each of the block's n vectors to d latents. The n values of latent i, which are
    independent and have one distribution, go through the latent's compander and to its own copies of the lattice. So
    the lattice's gain comes from the block, and the transform stays that of a single vector.

    Args:
        analysis: maps a vector [batch, dim] to its latents [batch, d].
        bottleneck: of d * n latents, latent after latent.
        synthesis: maps latents [batch, d] to a vector.
        n: vectors of a block, a multiple of the lattice's dimension.
        compress: compander before the lattice, [batch, d, n] to the same shape; None for none.
        expand: compander after it.
        center: whether the latents' running mean is subtracted before the compander and added after.
        gain: scale of the latents to start from.

    Attributes:
        mean: [d], the latents' running mean, 0 without ``center``.

    Raises:
        ValueError: if only one compander is given, or the lattice does not tile n values.
    """

    mean: Tensor

    def __init__(
        self,
        analysis: nn.Module,
        bottleneck: LatticeBottleneck,
        synthesis: nn.Module,
        n: int,
        latents: int,
        compress: nn.Module | None = None,
        expand: nn.Module | None = None,
        center: bool = False,
        gain: float = 1.0,
    ) -> None:
        super().__init__(analysis, bottleneck, synthesis, gain)
        if (compress is None) != (expand is None):
            raise ValueError("A compander has two sides: give compress and expand, or neither.")
        tile = bottleneck.lattice.dim
        if n % tile:
            raise ValueError(f"The n={n} values of a latent are quantized together: n must be a multiple of {tile}.")
        self.n, self.center = n, center
        self.before, self.after = compress, expand
        self.register_buffer("mean", torch.zeros(latents))

    def latents(self, x: Tensor) -> Tensor:
        y = self.analysis(x.reshape(len(x) * self.n, -1)).reshape(len(x), self.n, -1)
        if self.center and self.training:
            with torch.no_grad():
                self.mean.lerp_(y.mean((0, 1)), 0.05)
        y = (y - self.mean).transpose(1, 2)
        return self.gain * (y if self.before is None else self.before(y)).flatten(1)

    def decode(self, point: Tensor) -> Tensor:
        y = (point / self.gain).reshape(len(point), -1, self.n)
        y = (y if self.after is None else self.after(y)).transpose(1, 2) + self.mean
        return self.synthesis(y.reshape(len(point) * self.n, -1)).reshape(len(point), -1)

    def closed_search(self, objective: RDSearch) -> BlockSearch:
        """A search with the decoder in its loop, for ``neighbours``.

        Args:
            objective: the price of distortion and its measure.

        Raises:
            ValueError: if latents of different vectors are decoded together, or the prior has no trellis search.
        """
        if self.after is not None or not isinstance(self.bottleneck.entropy_model, TableModel):
            raise ValueError(
                "A block's search with the decoder in its loop is for a prior that is a product along a trellis "
                "(entropy_model=exact, with any lattice but an, an_dual and their like) and for no compander."
            )
        return BlockSearch(float(objective.price), self.n, objective.measure)

    def _closed_search_of(self, state: dict[str, Tensor], measure: str) -> BlockSearch:
        return BlockSearch(1.0, self.n, measure)
