"""The Karhunen-Loève transform: the orthonormal basis in which a source's components are uncorrelated."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ltc.transforms.fitted import Fitted

__all__ = ["KLT", "InverseKLT", "klt_basis"]


class _Affine(Fitted):
    """A matrix and a mean, which training moves or not.

    Args:
        inputs: dimension of the input.
        outputs: dimension of the output.
        components: of the vectors outside, whose mean it is.
        trained: whether training moves them.
    """

    def __init__(self, inputs: int, outputs: int, components: int, trained: bool) -> None:
        super().__init__()
        matrix, mean = torch.eye(outputs, inputs), torch.zeros(components)
        self.matrix = nn.Parameter(matrix, requires_grad=trained)
        self.mean = nn.Parameter(mean, requires_grad=trained)


class KLT(_Affine):
    """x -> V (x - m): the analysis, where rows of V are eigenvectors of the covariance, largest eigenvalue first.

    It is the identity until ``fit`` tells it covariance and mean of the source. With fewer outputs than inputs those of
    least variance are left out.

    Args:
        inputs: dimension of the input.
        outputs: dimension of the output, at most that.
        trained: whether training goes on from the KLT; False keeps it.

    Raises:
        ValueError: if there are more outputs than inputs.

    Examples:
        >>> x = torch.randn(1000, 2) @ torch.tensor([[2.0, 1.0], [0.0, 1.0]]) + 5
        >>> klt = KLT(2, 2, trained=False)
        >>> klt.fit(torch.cov(x.T), x.mean(0))
        >>> y = klt(x)
        >>> bool(torch.cov(y.T)[0, 1].abs() < 1e-4), bool((y.mean(0).abs() < 1e-4).all())
        (True, True)
    """

    def __init__(self, inputs: int, outputs: int, trained: bool = True) -> None:
        if outputs > inputs:
            raise ValueError(f"A KLT has no more latents than components, got {outputs} of {inputs}.")
        super().__init__(inputs, outputs, inputs, trained)

    def _take(self, covariance: Tensor, mean: Tensor) -> None:
        outputs, inputs = self.matrix.shape
        self.matrix.copy_(klt_basis(covariance, outputs, inputs))
        self.mean.copy_(mean.repeat(inputs // len(mean)))

    def forward(self, x: Tensor) -> Tensor:
        return (x - self.mean) @ self.matrix.T


class InverseKLT(_Affine):
    """y -> V^T y + m: the synthesis to ``KLT``.

    Args:
        inputs: dimension of the input, the latents.
        outputs: dimension of the output, at least that.
        trained: whether training goes on from the inverse KLT.

    Raises:
        ValueError: if there are more inputs than outputs.

    Examples:
        >>> there, back = KLT(3, 3), InverseKLT(3, 3)
        >>> covariance = torch.tensor([[2.0, 1.0, 0.0], [1.0, 2.0, 0.0], [0.0, 0.0, 1.0]])
        >>> for transform in (there, back):
        ...     transform.fit(covariance, torch.ones(3))
        >>> x = torch.randn(5, 3)
        >>> bool((back(there(x)) - x).abs().max() < 1e-5)
        True
    """

    def __init__(self, inputs: int, outputs: int, trained: bool = True) -> None:
        if inputs > outputs:
            raise ValueError(f"A KLT has no more latents than components, got {inputs} of {outputs}.")
        super().__init__(inputs, outputs, outputs, trained)

    def _take(self, covariance: Tensor, mean: Tensor) -> None:
        outputs, inputs = self.matrix.shape
        self.matrix.copy_(klt_basis(covariance, inputs, outputs).T)
        self.mean.copy_(mean.repeat(outputs // len(mean)))

    def forward(self, y: Tensor) -> Tensor:
        return y @ self.matrix.T + self.mean


def klt_basis(covariance: Tensor, outputs: int, inputs: int) -> Tensor:
    """The rows of the KLT of a block of independent symbols: [outputs, inputs], orthonormal.

    Latents of one eigenvalue, one from each symbol, stand side by side, the largest eigenvalue's first.

    Args:
        covariance: [dim, dim] of a symbol; ``inputs`` is a multiple of dim.
        outputs: rows.
        inputs: columns.

    Examples:
        >>> klt_basis(torch.diag(torch.tensor([1.0, 4.0])), 4, 4).abs().tolist()
        [[0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0], [1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]]
    """
    vectors = torch.linalg.eigh(covariance.double())[1].flip(1).T.contiguous()
    symbols = torch.eye(inputs // len(covariance), dtype=torch.float64)
    # [latent, symbol, symbol, component]
    basis = vectors[:, None, None, :] * symbols[:, :, None]
    return basis.reshape(-1, inputs)[:outputs].float()
