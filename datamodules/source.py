"""`Source`: where symbols come from, how their distortion is measured, and what R(D) allows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor

if TYPE_CHECKING:
    from ltc.theory.rate_distortion import RateDistortionFunction

__all__ = ["Source"]


class Source(ABC):
    """A memoryless source of symbols x in R^dim.

    A subclass sets `name` and `measures`, calls this constructor, and defines `sample`.

    Attributes:
        name: what the source is called in result tables.
        dim: components of one symbol.
        measure: the distortion measure, "mse" for the mean over components of (x - y)^2 or "l1" for that
            of |x - y|.
        measures: the measures that make sense for this source.
        latents: latent dimensions per symbol that a one-shot coder should use unless told otherwise.
        energy: E|x|^2 per component where it is known exactly, else None; evaluation is more precise with it.

    Args:
        dim: components of one symbol, at least 1.
        measure: one of `measures`.
        latents: at least 1; `dim` if not given.

    Raises:
        ValueError: a number is below 1, or the measure is not one of `measures`.

    Examples:
        >>> class Coin(Source):
        ...     name = "coin"
        ...
        ...     def sample(self, count, generator):
        ...         return torch.randint(2, (count, self.dim), generator=generator).float()
        >>> coin = Coin(dim=3)
        >>> coin.sample(5, torch.Generator().manual_seed(0)).shape, coin.latents, coin.measure
        (torch.Size([5, 3]), 3, 'mse')
    """

    name: ClassVar[str]
    measures: ClassVar[tuple[str, ...]] = ("mse",)

    def __init__(self, dim: int, measure: str = "mse", latents: int | None = None) -> None:
        latents = dim if latents is None else latents
        if dim < 1 or latents < 1:
            raise ValueError(f"{self.name}: dim and latents must be at least 1, got {dim} and {latents}.")
        if measure not in self.measures:
            raise ValueError(f"{self.name}: measure must be one of {', '.join(self.measures)}, got {measure!r}.")
        self.dim = dim
        self.measure = measure
        self.latents = latents
        self.energy: float | None = None

    @abstractmethod
    def sample(self, count: int, generator: torch.Generator) -> Tensor:
        """Independent symbols, a function of the generator's state alone.

        A finite data set draws rows of its *training* split, with replacement.

        Args:
            count: how many symbols.
            generator: where randomness comes from; the symbols are made on its device.

        Returns:
            [count, dim], float32.
        """

    def validation_set(self) -> Tensor | None:
        """Symbols [N, dim] of a finite data set that neither `sample` draws nor the test has, to choose between coders
        by; None where fresh samples do."""
        return None

    def test_set(self) -> Tensor | None:
        """The symbols [N, dim] of a finite data set that training never sees; None for a synthetic source,
        which can be evaluated on as many fresh samples as one likes."""
        return None

    def rate_distortion(self) -> RateDistortionFunction | None:
        """R(D) of this source under its measure, bits per symbol at distortion D per component; None where
        it is unknown."""
        return None

    def __repr__(self) -> str:
        return f"{type(self).__name__}(dim={self.dim}, measure={self.measure!r}, latents={self.latents})"
