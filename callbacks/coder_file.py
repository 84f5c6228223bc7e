"""The trained coder as a file that reads and writes files, ``coder.pt``, and what its bitstream really costs."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from omegaconf import DictConfig, OmegaConf
from torch import Tensor

from ltc.codec import save_coder
from ltc.codec.stream import CHUNK
from ltc.coding import NoBitstream

__all__ = ["CoderFile"]

log = logging.getLogger(__name__)


class CoderFile(pl.Callback):
    """Before the test, writes the coder with its tables; in the test, compresses the blocks and counts the bytes.

    Coders without a bitstream (estimated rates) write no file, and have no coded rate. Under DDP the first process
    codes its share of the test.

    Args:
        folder: where ``coder.pt`` goes.
        config: the coder's configuration.
        n: symbols of a block.
        dim: components of a symbol.
        description: what the coder was trained on and how.
        symbols: symbols of the test that are coded, at most.

    Attributes:
        coded_rate: bits of the bitstream per symbol, after the test; None where there is none.
        seconds: how long compressing took.
    """

    def __init__(
        self, folder: str, config: Any, n: int, dim: int, description: dict[str, Any], symbols: int = 4_000_000
    ) -> None:
        self.path = Path(folder) / "coder.pt"
        self.config: Any = OmegaConf.to_container(config, resolve=True) if isinstance(config, DictConfig) else config
        self.n, self.dim, self.symbols, self.description = n, dim, symbols, dict(description)
        self.coded_rate: float | None = None
        self.seconds = 0.0

    def on_test_start(self, trainer: pl.Trainer, pl_module: Any) -> None:
        self.coded_rate, self.seconds = None, 0.0
        self._waiting: list[Tensor] = []
        self._bytes = self._symbols = 0
        try:
            pl_module.coder.eval().update()
        except NoBitstream as error:
            log.debug("No bitstream: %s", error)
            return
        if trainer.is_global_zero:
            save_coder(self.path, pl_module.coder, self.config, self.n, self.dim, pl_module.measure, self.description)

    def on_test_batch_end(self, trainer: pl.Trainer, pl_module: Any, outputs: Any, batch: Tensor, *_: Any) -> None:
        taken = self._symbols + self.n * sum(len(x) for x in self._waiting)
        if pl_module.coder.tables is None or not trainer.is_global_zero or taken >= self.symbols:
            return
        self._waiting.append(batch)
        # As many as a file has in a chunk.
        if sum(x.numel() for x in self._waiting) >= CHUNK:
            self._compress(pl_module.coder)

    def on_test_epoch_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        if self._waiting:
            self._compress(pl_module.coder)
        if self._symbols:
            self.coded_rate = 8 * self._bytes / self._symbols
        pl_module.coder.tables = None

    def _compress(self, coder: Any) -> None:
        start = time.perf_counter()
        blocks = torch.cat(self._waiting)
        for part in blocks.split(coder.tables.batch):
            self._bytes += len(coder.compress(part, seed=self._symbols))
            self._symbols += self.n * len(part)
        self._waiting = []
        self.seconds += time.perf_counter() - start
