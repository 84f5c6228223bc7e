"""Nonlinear transforms: multilayer perceptrons."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

from torch import Tensor, nn

__all__ = ["MLP"]


class MLP(nn.Module):
    """A multilayer perceptron.

    Args:
        inputs: dimension of the input.
        outputs: dimension of the output.
        hidden: widths of the hidden layers.
        activation: makes the activation (the LTC paper uses Softplus, CELU and LeakyReLU).
        bias: whether each layer adds a learned vector.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        hidden: Sequence[int] = (100, 100),
        activation: Callable[[], nn.Module] = nn.Softplus,
        bias: bool = True,
    ) -> None:
        super().__init__()
        widths = [inputs, *hidden, outputs]
        layers: list[nn.Module] = []
        for a, b in itertools.pairwise(widths):
            layers += [nn.Linear(a, b, bias=bias), activation()]
        self.layers = nn.Sequential(*layers[:-1])

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)
