"""Distortion measures: mean over the components of a block, one number for each block."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

__all__ = ["DISTORTIONS", "POWERS", "absolute_error", "squared_error"]


def squared_error(x: Tensor, reconstruction: Tensor) -> Tensor:
    """Mean squared error of each block: [batch, components] twice -> [batch]."""
    return (x - reconstruction).square().mean(-1)


def absolute_error(x: Tensor, reconstruction: Tensor) -> Tensor:
    """Mean absolute error of each block: [batch, components] twice -> [batch]."""
    return (x - reconstruction).abs().mean(-1)


DISTORTIONS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"mse": squared_error, "l1": absolute_error}
"""Distortions by the name of a source's measure."""

POWERS: dict[str, int] = {"mse": 2, "l1": 1}
"""Of which power of the error a distortion is the mean."""
