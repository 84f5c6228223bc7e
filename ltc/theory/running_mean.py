"""The mean of a stream of numbers and its standard error, chunk by chunk."""

from __future__ import annotations

import math

from torch import Tensor

__all__ = ["RunningMean"]


class RunningMean:
    """Mean and standard error of independent numbers that come in chunks.

    Chan's update of mean and scatter (Chan, Golub & LeVeque, "Algorithms for computing the sample variance", The
    American Statistician 37, 1983): sums of squares would lose the variance of long runs to rounding.

    Attributes:
        count: how many numbers there were.
        mean: their mean, 0 of none.

    Examples:
        >>> import torch
        >>> running = RunningMean()
        >>> for chunk in torch.arange(4.0).split(3):
        ...     running.add(chunk)
        >>> running.mean, round(running.error, 4)
        (1.5, 0.6455)
    """

    def __init__(self) -> None:
        self.count, self.mean, self._scatter = 0, 0.0, 0.0

    def add(self, numbers: Tensor) -> None:
        """Takes in a chunk, of any shape and floating-point dtype."""
        size = numbers.numel()
        if not size:
            return
        numbers = numbers.double()
        mean = float(numbers.mean())
        self._scatter += float((numbers - mean).square().sum())
        self._scatter += (mean - self.mean) ** 2 * self.count * size / (self.count + size)
        self.mean += (mean - self.mean) * size / (self.count + size)
        self.count += size

    @property
    def error(self) -> float:
        """Standard error of the mean; infinite of fewer than two numbers."""
        return math.sqrt(self._scatter / (self.count - 1) / self.count) if self.count > 1 else math.inf
