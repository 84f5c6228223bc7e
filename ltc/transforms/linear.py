"""Linear transforms: one matrix, or a product of matrices through hidden layers."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from torch import Tensor, nn

__all__ = ["Linear"]


class Linear(nn.Module):
    """x -> W_k ... W_1 x (+ b).

    Args:
        inputs: dimension of the input.
        outputs: dimension of the output.
        hidden: widths between; with any, the transform is still linear, but trains as a deep one does.
        bias: whether each layer adds a learned vector.
    """

    def __init__(self, inputs: int, outputs: int, hidden: Sequence[int] = (), bias: bool = False) -> None:
        super().__init__()
        widths = [inputs, *hidden, outputs]
        layers = [nn.Linear(a, b, bias=bias) for a, b in itertools.pairwise(widths)]
        for layer in layers:
            # The product starts as the identity as far as the widths allow: analysis and synthesis agree.
            nn.init.eye_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)
