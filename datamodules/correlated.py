"""`CorrelatedGaussian`: i.i.d. vectors N(0, covariance)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from datamodules.source import Source

if TYPE_CHECKING:
    from ltc.theory.rate_distortion import RateDistortionFunction

__all__ = ["CorrelatedGaussian"]


class CorrelatedGaussian(Source):
    r"""A source of independent Gaussian vectors, x ~ N(0, C), whose components may be correlated.

    R(D) is reverse water-filling on the eigenvalues v_i of C: with D per component,

    $$
    R(D) = \sum_i \max(0, ½ \log_2 (v_i / θ)), \qquad D = \frac1d \sum_i \min(θ, v_i)
    $$

    (Cover & Thomas, *Elements of Information Theory*, 2nd ed., theorem 10.3.3).

    Args:
        covariance: C, [d, d], symmetric and positive definite; a tensor, an array or nested lists.

    Raises:
        ValueError: C is not square, finite, symmetric and positive definite, or the measure is unknown.

    Examples:
        >>> source = CorrelatedGaussian([[1.0, 0.9], [0.9, 1.0]])
        >>> x = source.sample(100_000, torch.Generator().manual_seed(0))
        >>> x.shape, round((x[:, 0] * x[:, 1]).mean().item(), 1)
        (torch.Size([100000, 2]), 0.9)
    """

    name = "correlated_gaussian"

    def __init__(
        self, covariance: Tensor | NDArray[np.floating] | Sequence[Sequence[float]], measure: str = "mse"
    ) -> None:
        matrix = np.asarray(covariance, dtype=np.float64)
        if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not matrix.size:
            raise ValueError(f"correlated_gaussian: covariance must be square [d, d], got shape {matrix.shape}.")
        if not np.isfinite(matrix).all() or not np.allclose(matrix, matrix.T, rtol=1e-6, atol=0):
            raise ValueError("correlated_gaussian: covariance must be finite and symmetric.")
        super().__init__(dim=len(matrix), measure=measure)
        try:
            factor = np.linalg.cholesky(matrix)
        except np.linalg.LinAlgError:
            smallest = np.linalg.eigvalsh(matrix)[0]
            raise ValueError(
                f"correlated_gaussian: covariance must be positive definite, its smallest eigenvalue is {smallest:.3g}."
            ) from None
        self.covariance = torch.from_numpy(matrix.copy())
        self._factor = torch.from_numpy(factor)

    def sample(self, count: int, generator: torch.Generator) -> Tensor:
        white = torch.randn(count, self.dim, generator=generator, device=generator.device)
        return white @ self._factor.T.to(white)

    def log_density(self, x: Tensor) -> Tensor:
        """ln p(x) in nats, for x [..., d]; the shape is [...]."""
        normal = torch.distributions.MultivariateNormal(
            torch.zeros(self.dim).to(x), scale_tril=self._factor.to(x), validate_args=False
        )
        return normal.log_prob(x)

    def rate_distortion(self) -> RateDistortionFunction:
        from ltc.theory import WaterfillingRD

        return WaterfillingRD(self.covariance)
