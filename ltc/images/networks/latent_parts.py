"""Latents of one image as a walk takes them: all at once, or in parts in the order in which they are coded."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor

__all__ = ["LatentParts", "Latents", "Select", "everything"]

Select = Callable[[Tensor], Tensor]

Latents = Tensor | Sequence[Tensor]
"""y of one image [1, channels, height, width], or its parts in the order in which Gaussians code them."""


class LatentParts:
    """Hands out the parts of latents."""

    def __init__(self, y: Latents) -> None:
        self._y, self._taken = y, 0

    @property
    def whole(self) -> Tensor:
        """All of them, for the hyper-analysis.

        Raises:
            ValueError: if there are only parts.
        """
        if not isinstance(self._y, Tensor):
            raise ValueError("Latents in parts come with their hyper-latents.")
        return self._y

    def next(self, select: Select) -> Tensor:
        if isinstance(self._y, Tensor):
            return select(self._y)
        self._taken += 1
        return self._y[self._taken - 1]


def everything(y: Tensor) -> Tensor:
    """The part of the latents that is all of them."""
    return y
