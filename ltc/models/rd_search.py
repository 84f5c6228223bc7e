"""Rate-distortion optimal quantization (RDOQ) in a coder: what a bit is worth, and which point wins."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from ltc.models.distortion import DISTORTIONS

__all__ = ["RDSearch", "decoder_gain"]


class RDSearch(nn.Module):
    """The encoder's search for ``|y - point|^2 + mu * bits`` instead of the nearest point.

    A block costs ``bits + price * distortion``, with price = lambda * n: distortion is a mean over the block's
    components, rate is counted per symbol. Where the decoder multiplies squared latent errors by g^2, so that
    ``distortion = g^2 |y - point|^2 / components``, both objectives have the same minimum for

        mu = components / (price g^2).

    For a decoder that is no scaled isometry this is an approximation; therefore :meth:`better` compares the true costs
    of both points, and the search never raises rate + lambda * distortion.

    Args:
        price: lambda * n, bits for a unit of distortion.
        measure: the distortion, a key of ``DISTORTIONS``.

    Attributes:
        mu: squared latent distance that a bit is worth; 0 switches the search off.
    """

    mu: Tensor
    price: Tensor

    def __init__(self, price: float, measure: str = "mse") -> None:
        super().__init__()
        self.distortion: Callable[[Tensor, Tensor], Tensor] = DISTORTIONS[measure]
        self.register_buffer("price", torch.tensor(float(price)))
        self.register_buffer("mu", torch.zeros(()))

    def cost(self, x: Tensor, reconstruction: Tensor, bits: Tensor) -> Tensor:
        """``bits + price * distortion`` of each block: [batch]."""
        return bits + self.price * self.distortion(x, reconstruction)

    def better(self, x: Tensor, one: tuple[Tensor, Tensor], other: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """The cheaper of two codings (reconstruction, bits) of each block."""
        pick = self.cost(x, *other) < self.cost(x, *one)
        return torch.where(pick[:, None], other[0], one[0]), torch.where(pick, other[1], one[1])

    def set_mu(self, components: int, gain_squared: float) -> None:
        """mu for blocks of so many components and a decoder with squared gain g^2."""
        self.mu.fill_(components / (float(self.price) * gain_squared))


@torch.no_grad()
def decoder_gain(decode: Callable[[Tensor], Tensor], points: Tensor, size: float) -> float:
    """g^2: how much a decoder multiplies the energy of small errors of its input, on average.

    Args:
        decode: maps latents [batch, dim] to reconstructions.
        points: latents to measure around.
        size: standard deviation of the errors, about that of quantization.
    """
    error = size * torch.randn_like(points)
    change = decode(points + error) - decode(points)
    return float(change.square().sum() / error.square().sum())
