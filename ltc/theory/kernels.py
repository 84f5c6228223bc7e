"""The kernel exp(-s d(x, y)) of the Blahut-Arimoto iteration, dense or factorized over the axes of a product grid.

Both kernels work in the linear domain, and are safe there. Each row x is divided by its largest entry
exp(-s min_y d(x, y)), which changes no posterior, and the iteration keeps every reproduction probability above
``FLOOR``. So a partition sum lies in [FLOOR, 1] whatever the slope; entries that underflow (below 1e-308) are
less than 1e-288 of it. A matrix product then costs what log-sum-exp would spend on exponentials many times over.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor

__all__ = ["FLOOR", "DenseKernel", "Kernel", "SeparableKernel"]

FLOOR = 1e-20
"""Least reproduction probability during the iteration: low enough to be irrelevant to every sum, high enough for
a point that died too early to come back."""


class Kernel(ABC):
    """Row-scaled A(x, y) = exp(-s (d(x, y) - d_min(x))), with d_min(x) = min_y d(x, y).

    Attributes:
        nearest: d_min, float64, the shape of the source alphabet.
        reproduction_shape: shape of the reproduction alphabet.
    """

    nearest: Tensor
    reproduction_shape: torch.Size

    @abstractmethod
    def partition(self, q: Tensor) -> Tensor:
        """Z(x) = sum_y q(y) A(x, y)."""

    @abstractmethod
    def correlate(self, weights: Tensor) -> Tensor:
        """c(y) = sum_x w(x) A(x, y)."""

    @abstractmethod
    def excess_distortion(self, weights: Tensor, q: Tensor) -> Tensor:
        """sum_{x,y} w(x) q(y) A(x, y) (d(x, y) - d_min(x)), a scalar."""


class DenseKernel(Kernel):
    """Any distortion matrix.

    Args:
        distortion_matrix: d, float64, shape [source, reproduction], finite.
        s: slope in nats per unit of distortion.

    Examples:
        >>> kernel = DenseKernel(torch.tensor([[0.0, 1.0], [1.0, 0.0]], dtype=torch.float64), s=1.0)
        >>> kernel.partition(torch.tensor([0.5, 0.5], dtype=torch.float64))
        tensor([0.6839, 0.6839], dtype=torch.float64)
    """

    def __init__(self, distortion_matrix: Tensor, s: float) -> None:
        self.nearest = distortion_matrix.amin(dim=1)
        self.reproduction_shape = distortion_matrix.shape[1:]
        self._excess = distortion_matrix - self.nearest[:, None]
        self._matrix = torch.exp(-s * self._excess)

    def partition(self, q: Tensor) -> Tensor:
        return self._matrix @ q

    def correlate(self, weights: Tensor) -> Tensor:
        return weights @ self._matrix

    def excess_distortion(self, weights: Tensor, q: Tensor) -> Tensor:
        return weights @ ((self._matrix * self._excess) @ q)


class SeparableKernel(Kernel):
    """A product grid with d((x1, x2), (y1, y2)) = d1(x1, y1) + d2(x2, y2): each application is two matrix products.

    For grids of k by k points an iteration costs O(k^3) operations instead of the O(k^4) of the dense kernel.

    Args:
        first: d1, float64, shape [source 1, reproduction 1].
        second: d2, float64, shape [source 2, reproduction 2].
        s: slope in nats per unit of distortion.

    Examples:
        >>> hamming = torch.tensor([[0.0, 1.0], [1.0, 0.0]], dtype=torch.float64)
        >>> kernel = SeparableKernel(hamming, hamming, s=1.0)
        >>> kernel.partition(torch.full((2, 2), 0.25, dtype=torch.float64))[0, 0]
        tensor(0.4678, dtype=torch.float64)
    """

    def __init__(self, first: Tensor, second: Tensor, s: float) -> None:
        self._first, self._second = DenseKernel(first, s), DenseKernel(second, s)
        self.nearest = self._first.nearest[:, None] + self._second.nearest[None, :]
        self.reproduction_shape = torch.Size([first.shape[1], second.shape[1]])

    def partition(self, q: Tensor) -> Tensor:
        return self._first._matrix @ q @ self._second._matrix.T

    def correlate(self, weights: Tensor) -> Tensor:
        return self._first._matrix.T @ weights @ self._second._matrix

    def excess_distortion(self, weights: Tensor, q: Tensor) -> Tensor:
        a, b = self._first, self._second
        along_first = (a._matrix * a._excess) @ q @ b._matrix.T
        along_second = a._matrix @ q @ (b._matrix * b._excess).T
        return (weights * (along_first + along_second)).sum()
