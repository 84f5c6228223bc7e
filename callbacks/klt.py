"""Before training: the KLT of the training data, for the transforms that start there."""

from __future__ import annotations

from typing import Any

import pytorch_lightning as pl
import torch

from ltc.transforms import KLT, InverseKLT

__all__ = ["FitKLT"]

# Where the batches are taken from: nobody else asks for these.
_FIRST = 2_000_000


class FitKLT(pl.Callback):
    """Tells each `ltc.transforms.KLT` and its inverse covariance and mean of the source's symbols, if nobody has yet.

    Args:
        numbers: how many numbers of the training distribution they are measured on, at least, and twenty times as
            many symbols as components.
    """

    def __init__(self, numbers: int = 4_000_000) -> None:
        self.numbers = numbers

    @torch.no_grad()
    def on_fit_start(self, trainer: pl.Trainer, pl_module: Any) -> None:
        open_ = [m for m in pl_module.coder.modules() if isinstance(m, KLT | InverseKLT) and not m.fitted]
        if not open_:
            return
        data: Any = trainer.datamodule  # type: ignore[attr-defined]
        dim = data.source.dim
        # Its first symbol is as good a place to count from as any, and better than a far zero.
        shift = data.calibration_batch(_FIRST).reshape(-1, dim)[0].double()
        total, products, count = torch.zeros(dim).double(), torch.zeros(dim, dim).double(), 0
        while count * dim < self.numbers or count < 20 * dim:
            symbols = data.calibration_batch(_FIRST + count).reshape(-1, dim).double() - shift
            total += symbols.sum(0)
            products += symbols.T @ symbols
            count += len(symbols)
        mean = total / count
        covariance = products / count - torch.outer(mean, mean)
        for transform in open_:
            transform.fit(covariance, (mean + shift).float())
