"""The last phase of training: scale, decoder and prior on truly quantized latents."""

from __future__ import annotations

import time
from typing import Any

import pytorch_lightning as pl
from torch import Tensor

from ltc.models import LatticeBottleneck, RDSearch
from ltc.training import Calibration

__all__ = ["CalibrationPhase"]


class CalibrationPhase(pl.Callback):
    """Runs a :class:`~ltc.training.Calibration` when training ends, and renews the last checkpoint.

    Coders without a lattice bottleneck are left as they are. Under DDP every rank does the same with the same numbers,
    so that all of them keep the same coder.

    Args:
        calibration: the search.

    Attributes:
        seconds: how long it took.
        result: what the calibration returned, after training; None before, or where there was nothing to calibrate.
    """

    def __init__(self, calibration: Calibration) -> None:
        self.calibration = calibration
        self.result: dict[str, float] | None = None
        self.seconds = 0.0

    def on_train_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        if not isinstance(pl_module.coder.bottleneck, LatticeBottleneck):
            return
        start = time.perf_counter()
        data: Any = trainer.datamodule  # type: ignore[attr-defined]

        def draw(index: int) -> Tensor:
            return data.calibration_batch(index).to(pl_module.device)

        objective = RDSearch(pl_module.lmbda * pl_module.n, pl_module.measure).to(pl_module.device)
        self.result = self.calibration(pl_module.coder, objective, draw)
        self.seconds += time.perf_counter() - start
        checkpoint: Any = trainer.checkpoint_callback
        if checkpoint is not None and checkpoint.best_model_path:
            trainer.save_checkpoint(checkpoint.best_model_path)
