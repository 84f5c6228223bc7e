"""The test of an image network: every image through a real file and back, ``images.csv`` and reconstructions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from omegaconf import DictConfig, OmegaConf

from datamodules.images import names_in_common
from experiment.image_table import write_images
from experiment.reconstructions import reconstruction_names, write_reconstruction
from ltc.codec.image_checkpoint import ImageCheckpoint, save_network
from ltc.codec.image_evaluation import evaluate

__all__ = ["ImageEvaluation"]


class ImageEvaluation(pl.Callback):
    """Writes the network as ``coder.pt`` and evaluates it on the test images (`ltc.codec.image_evaluation`).

    Under DDP each process has its share of images. The rows of the images, in their order, become the module's ``rows``
    in the first process.

    Args:
        folder: the run's folder.
        config: the network's configuration.
        description: what the network was trained on and how.
        reconstructions: whether to write each decoded image, beside the original.
    """

    def __init__(self, folder: str, config: Any, description: dict[str, Any], reconstructions: bool = True) -> None:
        self.folder, self.description, self.reconstructions = Path(folder), dict(description), reconstructions
        self.config: Any = OmegaConf.to_container(config, resolve=True) if isinstance(config, DictConfig) else config

    def on_test_start(self, trainer: pl.Trainer, pl_module: Any) -> None:
        network = pl_module.network.eval()
        network.update(force=True)
        fingerprint = b"\0" * 8
        if trainer.is_global_zero:
            fingerprint = save_network(self.folder / "coder.pt", network, self.config, self.description)
        self._checkpoint = ImageCheckpoint(network, self.description, fingerprint)
        _, self._names = names_in_common(trainer.datamodule.test_images.files)  # type: ignore[attr-defined]
        self._pictures = reconstruction_names(self._names)
        self._mine: dict[int, dict[str, Any]] = {}

    def on_test_batch_end(self, trainer: pl.Trainer, pl_module: Any, outputs: Any, batch: Any, *_: Any) -> None:
        index, pixels = batch
        (found,) = evaluate(self._checkpoint, [(self._names[index], pixels)], [outputs["estimate"]])
        self._mine[index] = found.row
        if self.reconstructions:
            write_reconstruction(self.folder, self._pictures[index], found.decoded, pixels)

    def on_test_epoch_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        gathered: list[Any] = [self._mine]
        if trainer.world_size > 1:
            gathered = [None] * trainer.world_size
            torch.distributed.all_gather_object(gathered, self._mine)
        if trainer.is_global_zero:
            pl_module.rows = [row for _, row in sorted(pair for rows in gathered for pair in rows.items())]
            write_images(self.folder, pl_module.rows)
