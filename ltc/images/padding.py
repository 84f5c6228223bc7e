"""Sides of images that networks take: multiples of a number, by repeating the last row and column."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

__all__ = ["pad_to_multiple", "padded_size"]


def padded_size(height: int, width: int, factor: int) -> tuple[int, int]:
    """Height and width rounded up to multiples of ``factor``.

    Examples:
        >>> padded_size(512, 321, 64)
        (512, 384)
    """
    return -(-height // factor) * factor, -(-width // factor) * factor


def pad_to_multiple(x: Tensor, factor: int) -> Tensor:
    """Images [batch, 3, height, width], longer at their lower and right edges; cut these off to have them back."""
    height, width = x.shape[2:]
    tall, wide = padded_size(height, width, factor)
    return F.pad(x, (0, wide - width, 0, tall - height), mode="replicate")
