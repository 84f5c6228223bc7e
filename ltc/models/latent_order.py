"""Which latents share a lattice vector: an order of the latents between transforms and lattice."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["LatentOrder", "order_by_use"]


class LatentOrder(nn.Module):
    """A permutation of the latents.

    A lattice has its gain only where all coordinates of a vector are in use: D4 with two latents in use and two that
    are always 0 has the errors of integers. Analysis transforms leave latents in any order; in the order of their use
    those in use share vectors.

    Args:
        order: int64 [dim]; latent ``order[i]`` becomes number i.
    """

    order: Tensor
    inverse: Tensor

    def __init__(self, order: Tensor) -> None:
        super().__init__()
        self.register_buffer("order", order)
        self.register_buffer("inverse", order.argsort())

    def forward(self, y: Tensor) -> Tensor:
        """Latents [batch, dim] in this order."""
        return y[:, self.order]

    def back(self, y: Tensor) -> Tensor:
        """Latents in this order [batch, dim] in the transform's."""
        return y[:, self.inverse]


def order_by_use(y: Tensor) -> Tensor:
    """The order of latents by the entropy of their integers, most bits first: int64 [dim].

    Args:
        y: latents [batch, dim].

    Examples:
        >>> order_by_use(torch.randn(1000, 3) * torch.tensor([1.0, 0.01, 9.0])).tolist()
        [2, 0, 1]
    """
    bits = []
    for latent in y.round().T:
        share = latent.unique(return_counts=True)[1] / len(latent)
        bits.append(-(share * share.log2()).sum())
    # Among those that say nothing, by spread.
    return (torch.stack(bits) + 1e-3 * y.std(0) / y.std()).argsort(descending=True)
