"""What an entropy model is to the rest of the project: lattice points in, bits out."""

from __future__ import annotations

import abc
import math

import torch
from torch import Tensor, nn

from ltc.lattices import Lattice
from ltc.lattices.arguments import check_like, check_vectors

__all__ = ["EntropyModel"]

LOG2 = math.log(2.0)


class EntropyModel(nn.Module, abc.ABC):
    """A probability model on the points of a product of m copies of a lattice.

    Args:
        lattice: the lattice.
        dim: latent dimensions, m * lattice.dim.

    Attributes:
        exact: whether ``forward`` is the length of a real code (probabilities that sum to 1), not an estimate.
        searches: whether ``rd_optimal_point`` weighs rate against distance.

    Raises:
        ValueError: if ``dim`` is no multiple of the lattice's dimension.
    """

    exact: bool = True
    searches: bool = False

    def __init__(self, lattice: Lattice, dim: int) -> None:
        super().__init__()
        if dim < 1 or dim % lattice.dim:
            raise ValueError(f"{lattice.name} tiles multiples of {lattice.dim} latent dimensions, got {dim}.")
        self.lattice, self.dim = lattice, dim

    @abc.abstractmethod
    def log_prob(self, points: Tensor, dither: Tensor | None = None) -> Tensor:
        """Natural logarithm of P(point), or of P(point | dither).

        Args:
            points: lattice points [..., dim]. Their gradient is that of the model's smooth functions f_i at the
                points, which is what the straight-through estimator needs.
            dither: what was subtracted before quantization [..., dim], if anything.

        Returns:
            [...], one number for each vector of points.

        Raises:
            TypeError: if something is no tensor.
            ValueError: if the last axis is not ``dim``, or the dither's shape is not that of the points.
        """

    def check_points(self, points: Tensor, dither: Tensor | None = None, method: str = "log_prob") -> None:
        """Makes sure that points are vectors of ``dim`` latents, and the dither is one for each of them.

        Raises:
            TypeError: if something is no tensor.
            ValueError: if a shape does not fit.
        """
        check_vectors(points, self.dim, self, method)
        if dither is not None:
            check_like(dither, points, "a dither", self, method)

    def log_noisy_mass(self, y: Tensor, width: float) -> Tensor:
        """Natural logarithm of the mass of boxes around latents with noise, at any place: the product of the f_i alone.

        In training with noise it takes the place of ``log_prob``, as in scalar transform coding (Ballé et al.,
        2017): latents that say nothing cost nothing.

        Args:
            y: latents with noise [..., dim], not on the lattice.
            width: of the uniform noise of each coordinate.

        Raises:
            ValueError: if the model has none.
        """
        raise ValueError(f"{type(self).__name__} has no density, which training with noise needs.")

    def support(self) -> Tensor:
        """[dim] or [1]: a coordinate beyond this in absolute value is negligible; infinite where nothing is known."""
        return torch.tensor([math.inf])

    def rd_optimal_point(self, y: Tensor, mu: float, power: int = 2) -> Tensor:
        """A point with a small ``sum |y_i - point_i|^p + mu * rate``; the nearest one where there is no search.

        Args:
            y: latents [batch, dim].
            mu: latent error that one bit is worth.
            power: p, 2 for squared error or 1 for absolute error.

        Returns:
            [batch, dim], in the dtype of ``y``.
        """
        return self.lattice.quantize(y)

    def admit(self, y: Tensor, points: Tensor) -> Tensor:
        """Points near ``y`` that the model has codewords for: the nearest ones themselves, if it has one for each.

        Args:
            y: latents [batch, dim].
            points: their nearest points [batch, dim].
        """
        return points

    def to_integers(self, points: Tensor) -> Tensor:
        """The integers that a bitstream holds for points [batch, dim]: int64."""
        return self.lattice.to_integers(points)

    def to_points(self, k: Tensor) -> Tensor:
        """The points of integers [batch, dim]: float32."""
        return self.lattice.to_points(k)

    def figures(self) -> dict[str, float]:
        """What else an evaluation has shown, by name."""
        return {}

    def forward(self, points: Tensor, dither: Tensor | None = None) -> Tensor:
        """Rate of each vector of points in bits: ``-log2 P``, shape [...]."""
        return self.log_prob(points, dither) / -LOG2
