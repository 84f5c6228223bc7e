"""What a bottleneck is to a coder: latents in, what the synthesis transform sees and bits out."""

from __future__ import annotations

import abc
import math

import numpy as np
import torch
from torch import Tensor, nn

from ltc.coding import PointModel
from ltc.lattices import Lattice
from ltc.lattices.arguments import check_floating, check_vectors

__all__ = ["Bottleneck"]


class Bottleneck(nn.Module, abc.ABC):
    """Quantizes latents [batch, dim] and says what they cost.

    Attributes:
        exact: whether the rate in evaluation is a valid code length.
    """

    exact: bool

    @property
    def lattice(self) -> Lattice | None:
        """That of the quantized latents; None for a codebook that is no lattice's."""
        return None

    @abc.abstractmethod
    def forward(self, y: Tensor) -> tuple[Tensor, Tensor]:
        """Returns (what the synthesis transform sees [batch, dim], rate in bits of each vector [batch]).

        Raises:
            TypeError: if ``y`` is no tensor.
            ValueError: if it has another number of latents, or no floating-point ones.
        """

    def check_latents(self, y: Tensor, dim: int, method: str) -> None:
        """Makes sure that ``y`` holds vectors of ``dim`` latents; see ``forward``."""
        check_vectors(y, dim, self, method)
        check_floating(y, self, method)

    def relax(self, y: Tensor) -> tuple[Tensor, Tensor]:
        """``forward`` with uniform noise in the place of quantization, for the first part of a training.

        Noise has honest gradients at low rate too, where those of the straight-through estimator lead into bad optima.
        """
        return self(y)

    @abc.abstractmethod
    def quantize(self, y: Tensor, mu: float = 0.0, power: int = 2) -> Tensor:
        """The quantized latents alone, without dither or gradient.

        Args:
            y: latents [batch, dim].
            mu: latent error that a bit is worth; where the bottleneck has a search for it, the point with the least
                ``sum |y_i - point_i|^power + mu * bits`` is found instead of the nearest one.
            power: 2 for squared, 1 for absolute error.
        """

    #: Whether ``quantize`` heeds ``mu``.
    searches: bool = False

    def refit(self, y: Tensor, mu: float = 0.0, power: int = 2) -> tuple[Tensor, Tensor]:
        """``forward`` for training the decoder and the prior alone: as in evaluation, without a derivative by y.

        Args:
            y: latents [batch, dim].
            mu: as for ``quantize``.
            power: likewise.
        """
        point = self.quantize(y, mu, power)
        return point, self.rate(point)

    def seek(self, batch: int) -> None:
        """Says which batch of an evaluation comes next: where chance takes part, each has numbers of its own.

        Without it, batches count from 0 after each change to evaluation mode. (Of several processes, each has to say
        the number that its batch has among all.)
        """

    @abc.abstractmethod
    def rate(self, point: Tensor) -> Tensor:
        """Bits of each vector of quantized latents [batch, dim]: [batch]."""

    @abc.abstractmethod
    def point_model(self, weights: dict[str, np.ndarray] | None = None) -> PointModel:
        """The tables of the bitstream of quantized latents.

        Args:
            weights: those of a checkpoint; made from the entropy model by default.

        Raises:
            NoBitstream: if the entropy model has none.
        """

    @abc.abstractmethod
    def to_integers(self, point: Tensor) -> Tensor:
        """The integers that the bitstream holds for quantized latents [batch, dim]: int64."""

    @abc.abstractmethod
    def to_points(self, k: Tensor) -> Tensor:
        """The quantized latents of integers [batch, dim]."""

    def reach(self) -> Tensor:
        """[dim] or [1]: latents beyond this in absolute value are outside the entropy model's range."""
        return torch.tensor([math.inf])

    def dither(self, model: PointModel, count: int, seed: int) -> Tensor | None:
        """What is subtracted from latents before quantization and added after, [count, dim]; None for nothing."""
        return None

    def figures(self) -> dict[str, float]:
        """What else an evaluation has shown, by name."""
        return {}

    def auxiliary_loss(self) -> Tensor | float:
        """A loss of the entropy model alone, added to rate + lambda * distortion; 0 where there is none."""
        return 0.0
