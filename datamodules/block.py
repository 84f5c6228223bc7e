"""`Blocks`: n symbols of a source at a time."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from datamodules.source import Source

__all__ = ["Blocks"]


@dataclass(frozen=True)
class Blocks:
    """Blocks of n symbols: row by row the components of symbol 0, then of symbol 1, and so on.

    Args:
        source: where symbols come from.
        n: symbols per block, at least 1.

    Raises:
        ValueError: n is below 1.
    """

    source: Source
    n: int

    def __post_init__(self) -> None:
        if self.n < 1:
            raise ValueError(f"n, the symbols per block, must be at least 1, got {self.n}.")

    @property
    def dim(self) -> int:
        """Numbers in a block."""
        return self.n * self.source.dim

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Fresh blocks, float32 [count, n·dim]."""
        return self.source.sample(count * self.n, generator).reshape(count, self.dim)
