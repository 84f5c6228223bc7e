"""Transforms that are told what the source is like before training begins."""

from __future__ import annotations

import abc

import torch
from torch import Tensor, nn

__all__ = ["Fitted"]


class Fitted(nn.Module, abc.ABC):
    """A transform with numbers that follow from covariance and mean of the source (``ltc.training.fitting``).

    Attributes:
        fitted: whether they have been taken; a checkpoint says so, too.
    """

    fitted: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("fitted", torch.tensor(False))

    @torch.no_grad()
    def fit(self, covariance: Tensor, mean: Tensor) -> None:
        """Takes the source's statistics.

        Args:
            covariance: [dim, dim] of a symbol; what the transform maps is one symbol or several.
            mean: [dim].
        """
        self._take(covariance, mean)
        self.fitted.fill_(True)

    @abc.abstractmethod
    def _take(self, covariance: Tensor, mean: Tensor) -> None:
        """Sets the numbers; see ``fit``."""
