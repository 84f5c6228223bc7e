"""No transform but a scale: the fineness of the lattice is one learned number."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

__all__ = ["Gain"]


class Gain(nn.Module):
    """Multiplies by one learned positive factor.

    Args:
        inputs: dimension of the input.
        outputs: the same dimension.
        initial: the factor to start from.

    Raises:
        ValueError: if the dimensions differ or the factor is not positive.
    """

    def __init__(self, inputs: int, outputs: int, initial: float = 1.0) -> None:
        super().__init__()
        if inputs != outputs:
            raise ValueError(f"A gain keeps the dimension, but was asked to map {inputs} to {outputs}.")
        if not initial > 0:
            raise ValueError(f"A gain is positive, got {initial}.")
        self.log_gain = nn.Parameter(torch.tensor(math.log(initial)))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.log_gain.exp()
