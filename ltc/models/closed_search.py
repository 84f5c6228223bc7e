"""What an encoder's search with the decoder in its loop is."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from ltc.models.distortion import DISTORTIONS

__all__ = ["ClosedSearch"]


class ClosedSearch(nn.Module):
    """A search for points of less ``bits + price * distortion``, by what the decoder makes of them.

    Called with blocks [batch, components], their points [batch, dim], the decoder, the points' prior, and the most
    candidates to look at, it returns points that cost no more.

    Args:
        price: lambda * n, bits for a unit of distortion.
        measure: the distortion, a key of ``ltc.models.distortion.DISTORTIONS``.
    """

    price: Tensor

    def __init__(self, price: float, measure: str = "mse") -> None:
        super().__init__()
        self.distortion: Callable[[Tensor, Tensor], Tensor] = DISTORTIONS[measure]
        self.register_buffer("price", torch.tensor(float(price)))
