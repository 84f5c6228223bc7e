"""Latents in three stages of positions, and what each stage knows of its neighbours.

Every other row and column first, then the positions diagonally between them, then all others: the second stage has four
neighbours around it, the third one four beside it. Each stage is a small image, so that its networks see nothing else.
The order is that of quincunx interpolation; two stages of it are the checkerboard of He, Zheng, Sun, Wang & Qin, CVPR
2021, arXiv:2103.15306.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["STAGES", "joined", "neighbours", "stage"]

STAGES = 3


def stage(t: Tensor, number: int) -> Tensor:
    """The positions of a stage of maps [batch, channels, height, width] with even sides.

    Returns:
        [batch, channels, height / 2, width / 2], of the last stage twice as wide.
    """
    if number < 2:
        return t[:, :, number::2, number::2]
    return torch.cat([t[:, :, 0::2, 1::2], t[:, :, 1::2, 0::2]], 3)


def joined(stages: Sequence[Tensor]) -> Tensor:
    """The maps of all three stages: the inverse of ``stage``."""
    first, second = stages[:2]
    right, below = stages[2].chunk(2, 3)
    rows = [torch.stack(pair, -1).flatten(3) for pair in ((first, right), (below, second))]
    return torch.stack(rows, 3).flatten(2, 3)


def neighbours(stages: Sequence[Tensor]) -> list[Tensor]:
    """The four known neighbours of the next stage, given those before it; beyond the edges the nearest ones inside.

    Args:
        stages: the first, or the first two.
    """
    first = F.pad(stages[0], (0, 1, 0, 1), mode="replicate")
    corner, right = first[:, :, :-1, :-1], first[:, :, :-1, 1:]
    below, across = first[:, :, 1:, :-1], first[:, :, 1:, 1:]
    if len(stages) == 1:
        return [corner, right, below, across]
    second = F.pad(stages[1], (1, 0, 1, 0), mode="replicate")
    here, left, above = stages[1], second[:, :, 1:, :-1], second[:, :, :-1, 1:]
    of_right = corner, right, above, here  # left, right, above and below of positions in even rows
    of_below = left, here, corner, below
    return [torch.cat(pair, 3) for pair in zip(of_right, of_below, strict=True)]
