"""Companders of block coding: for each latent, a map of its n values in a block, and one back."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["LinearCompander", "MLPCompander"]


class _Grouped(nn.Module):
    """A matrix (and a vector) for each latent: [batch, latents, inputs] -> [batch, latents, outputs] at once."""

    def __init__(self, latents: int, inputs: int, outputs: int, bias: bool, scale: float | None = None) -> None:
        super().__init__()
        if scale is None:
            weight = torch.eye(outputs, inputs).repeat(latents, 1, 1)
        else:
            weight = scale * (2 * torch.rand(latents, outputs, inputs) - 1)
        self.weight = nn.Parameter(weight)
        self.bias = nn.Parameter(torch.zeros(latents, outputs)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        y = torch.bmm(x.transpose(0, 1), self.weight.transpose(1, 2)).transpose(0, 1)
        return y if self.bias is None else y + self.bias


class LinearCompander(nn.Module):
    """A matrix for each latent, the identity at first.

    Args:
        latents: d_y.
        n: values of a latent in a block.
        bias: whether a learned vector is added.
    """

    def __init__(self, latents: int, n: int, bias: bool = False) -> None:
        super().__init__()
        self.layer = _Grouped(latents, n, n, bias)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, latents, n] -> the same shape."""
        return self.layer(x)


class MLPCompander(nn.Module):
    """A perceptron for each latent beside the identity: x + W_2 softplus(W_1 x), which starts as the identity.

    Args:
        latents: d_y.
        n: values of a latent in a block.
        hidden: width.
        bias: whether each layer adds a learned vector.
    """

    def __init__(self, latents: int, n: int, hidden: int = 100, bias: bool = True) -> None:
        super().__init__()
        self.enter = _Grouped(latents, n, hidden, bias, scale=n**-0.5)
        self.leave = _Grouped(latents, hidden, n, bias, scale=0.0)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, latents, n] -> the same shape."""
        return x + self.leave(nn.functional.softplus(self.enter(x)))
