"""Before training: covariance and mean of the training data, for the transforms that start from them."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from ltc.transforms import Fitted

__all__ = ["fit_transforms"]

# Number of the first batch that is taken: nobody else asks for these.
_FIRST = 2_000_000


@torch.no_grad()
def fit_transforms(
    coder: nn.Module, draw: Callable[[int], Tensor], dim: int, numbers: int = 4_000_000, batches: int = 1_000
) -> None:
    """Fits the transforms of a coder to its source, those that nobody has fitted yet.

    Args:
        coder: with any number of `ltc.transforms.Fitted`.
        draw: ``draw(index)`` gives batch number ``index`` [blocks, components] of the training distribution.
        dim: components of a symbol.
        numbers: how many numbers the statistics are measured on.
        batches: at most so many, where batches are small; in any case twenty times as many symbols as components.
    """
    waiting = [part for part in coder.modules() if isinstance(part, Fitted) and not part.fitted]
    if not waiting:
        return
    # A symbol is as good a place to count from as any, and better than a far zero.
    symbols = draw(_FIRST).reshape(-1, dim).double()
    shift, index, count = symbols[0].clone(), _FIRST, 0
    total, products = torch.zeros_like(shift), torch.zeros(dim, dim).to(shift)
    while (count * dim < numbers and index < _FIRST + batches) or count < 20 * dim:
        symbols = draw(index).reshape(-1, dim).double() - shift
        total += symbols.sum(0)
        products += symbols.T @ symbols
        index, count = index + 1, count + len(symbols)
    mean = total / count
    covariance = products / count - torch.outer(mean, mean)
    for part in waiting:
        part.fit(covariance, (mean + shift).float())
