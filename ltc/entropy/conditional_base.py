"""What a conditional prior is to a bottleneck: points and a scale for each of their coordinates in, probability out."""

from __future__ import annotations

import abc

from torch import Tensor, nn

from ltc.lattices import Lattice
from ltc.lattices.arguments import check_like, check_vectors

__all__ = ["ConditionalPrior"]


class ConditionalPrior(nn.Module, abc.ABC):
    """Exact probabilities of lattice points under zero-mean Gaussians whose scales differ from element to element.

    A mean needs no place here: the lattice is moved along with it, ``Q(y - mean) + mean``.

    Args:
        lattice: the lattice.

    Attributes:
        group: consecutive coordinates that have one probability: n, or 1 where a coordinate's can be told apart.
    """

    group: int

    def __init__(self, lattice: Lattice) -> None:
        super().__init__()
        self.lattice, self.group = lattice, lattice.dim

    @abc.abstractmethod
    def log_prob(self, points: Tensor, scales: Tensor) -> Tensor:
        """Natural logarithm of each group's probability.

        Args:
            points: points of a product of m copies of the lattice [..., m * n].
            scales: standard deviations of their coordinates [..., m * n], positive.

        Returns:
            [..., m * n / group]; a point's is the sum of its groups'. Differentiable once by ``points`` (the slope of
            the smooth functions f_i there, for the straight-through estimator) and by ``scales``.

        Raises:
            TypeError: if something is no tensor.
            ValueError: if the last axis is no multiple of n, or the scales' shape is not that of the points.
        """

    def check_points(self, points: Tensor, scales: Tensor) -> None:
        """Makes sure that points are those of copies of the lattice, and each coordinate has a scale.

        Raises:
            TypeError: if something is no tensor.
            ValueError: if a shape does not fit.
        """
        check_vectors(points, self.lattice.dim, self, "log_prob", copies=True)
        check_like(scales, points, "scales", self, "log_prob")
