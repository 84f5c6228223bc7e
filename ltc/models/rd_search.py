"""Rate-distortion optimal quantization (RDOQ) in a coder: what a bit is worth, and which point wins."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from ltc.models.distortion import DISTORTIONS, POWERS

__all__ = ["RDSearch", "decoder_gain"]


class RDSearch(nn.Module):
    """The encoder's search for ``sum |y_i - point_i|^p + mu * bits`` instead of the nearest point.

    A block costs ``bits + price * distortion``, with price = lambda * n: distortion is a mean over the block's
    components, rate is counted per symbol; p is 2 for squared and 1 for absolute error. Where the decoder multiplies
    latent errors by g, so that ``distortion = g^p sum |y_i - point_i|^p / components``, both objectives have the same
    minimum for

        mu = components / (price g^p),

    if y is what the decoder would have to see to give the input back. At low rate a decoder shrinks its points, and the
    analysis transform's latents fall short of that by a factor: ``tune`` measures it along with g.

    For a decoder that is no scaled isometry this is an approximation; therefore the coder compares the true costs
    of both points, and the search never raises rate + lambda * distortion.

    Args:
        price: lambda * n, bits for a unit of distortion.
        measure: the distortion, a key of ``DISTORTIONS``.

    Attributes:
        mu: latent error that a bit is worth; 0 switches the search off.
        stretch: factor of the latents before the search.
    """

    mu: Tensor
    stretch: Tensor
    price: Tensor

    def __init__(self, price: float, measure: str = "mse") -> None:
        super().__init__()
        self.distortion: Callable[[Tensor, Tensor], Tensor] = DISTORTIONS[measure]
        self.measure, self.power = measure, POWERS[measure]
        self.register_buffer("price", torch.tensor(float(price)))
        self.register_buffer("mu", torch.zeros(()))
        self.register_buffer("stretch", torch.ones(()))

    def cost(self, x: Tensor, reconstruction: Tensor, bits: Tensor) -> Tensor:
        """``bits + price * distortion`` of each block: [batch]."""
        return bits + self.price * self.distortion(x, reconstruction)

    def prefers(self, x: Tensor, one: tuple[Tensor, Tensor], other: tuple[Tensor, Tensor]) -> Tensor:
        """Which blocks the second of two codings (reconstruction, bits) is cheaper for: bool [batch]."""
        return self.cost(x, *other) < self.cost(x, *one)

    @torch.no_grad()
    def tune(self, x: Tensor, y: Tensor, decode: Callable[[Tensor], Tensor]) -> None:
        """Sets mu and the stretch for a decoder.

        Args:
            x: blocks [batch, components].
            y: their latents [batch, dim].
            decode: maps latents to reconstructions.
        """
        # Quantization errors have variance G per dimension at unit volume, and G is about 0.07 for every lattice.
        gain_squared = decoder_gain(decode, y, 0.07**0.5)
        self.mu.fill_(x.shape[1] / (float(self.price) * gain_squared ** (self.power / 2)))
        # Least squares for x = decode(stretch * y), exact where the decoder is affine.
        origin = decode(torch.zeros_like(y[:1]))
        direction = decode(y) - origin
        stretch = float(((x - origin) * direction).sum() / direction.square().sum())
        self.stretch.fill_(stretch if stretch > 0 else 1.0)


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
