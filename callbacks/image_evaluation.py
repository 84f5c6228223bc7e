"""What a trained image network does to test images: real files, PSNR, MS-SSIM, reconstructions, ``images.csv``."""

from __future__ import annotations

import io
import math
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytorch_lightning as pl
import torch
from omegaconf import DictConfig, OmegaConf
from pytorch_msssim import ms_ssim
from torch import Tensor

from datamodules.images import names_in_common
from ltc.codec.images import ImageCheckpoint, compress_image, decompress_image, save_network
from ltc.files import whole_file
from ltc.pixels import write_image

__all__ = ["ImageEvaluation", "reconstruction_names", "similarity"]

# pytorch-msssim: five scales of windows of 11 pixels.
_SMALLEST = 161


class ImageEvaluation(pl.Callback):
    """Writes the network as ``coder.pt``; codes every test image into a file and back; writes ``images.csv``.

    Every image goes through the very functions of ``python -m ltc.codec``: its rate is that of all bytes of the file,
    and PSNR and MS-SSIM are those of the pixels that were decoded from it. That these are the network's own
    reconstruction, pixel for pixel, is noted in the column ``exact``. Under DDP each process has its share of images.

    Args:
        folder: the run's folder.
        config: the network's configuration.
        description: what the network was trained on and how.
        reconstructions: whether to write each decoded image as a PNG, beside the original, to ``reconstructions/``.

    Attributes:
        rows: a dictionary for each image, in the order of the test images, after the test; None in other processes than
            the first.
    """

    def __init__(self, folder: str, config: Any, description: dict[str, Any], reconstructions: bool = True) -> None:
        self.folder, self.description, self.reconstructions = Path(folder), dict(description), reconstructions
        self.config: Any = OmegaConf.to_container(config, resolve=True) if isinstance(config, DictConfig) else config
        self.rows: list[dict[str, Any]] | None = None

    def on_test_start(self, trainer: pl.Trainer, pl_module: Any) -> None:
        network = pl_module.network.eval()
        network.update(force=True)
        fingerprint = b"\0" * 8
        if trainer.is_global_zero:
            fingerprint = save_network(self.folder / "coder.pt", network, self.config, self.description)
        self._checkpoint = ImageCheckpoint(network, self.description, fingerprint)
        _, self._names = names_in_common(trainer.datamodule.test_images.files)  # type: ignore[attr-defined]
        self._pictures = reconstruction_names(self._names)
        self._mine: list[dict[str, Any]] = []

    def on_test_batch_end(self, trainer: pl.Trainer, pl_module: Any, outputs: Any, batch: Any, *_: Any) -> None:
        index, pixels = outputs["index"], outputs["pixels"]
        file = io.BytesIO()
        start = time.perf_counter()
        encoded = compress_image(self._checkpoint, pixels, file)
        middle = time.perf_counter()
        length = file.tell()
        file.seek(0)
        decoded, same = decompress_image(self._checkpoint, file)
        end = time.perf_counter()
        pixels, reconstruction = pixels.cpu(), outputs["reconstruction"].cpu()
        exact = same and torch.equal(decoded, encoded) and torch.equal(decoded, reconstruction)
        height, width = pixels.shape[1:]
        error = (pixels.double() - decoded.double()).square().mean().item()
        self._mine.append(
            {
                "index": index,
                "image": self._names[index],
                "width": width,
                "height": height,
                "bytes": length,
                "bpp": 8 * length / (width * height),
                "estimated_bpp": outputs["bits"] / (width * height),
                "mse": error,
                "psnr": 10 * math.log10(255**2 / error) if error else math.inf,
                "ms_ssim": similarity(pixels, decoded),
                "exact": exact,
                "encode_seconds": round(middle - start, 3),
                "decode_seconds": round(end - middle, 3),
            }
        )
        if self.reconstructions:
            for name, image in zip(self._pictures[index], (decoded, pixels), strict=True):
                with whole_file(self.folder / "reconstructions" / name) as temporary:
                    write_image(temporary, image)

    def on_test_epoch_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        gathered: list[Any] = [self._mine]
        if trainer.world_size > 1:
            gathered = [None] * trainer.world_size
            torch.distributed.all_gather_object(gathered, self._mine)
        if not trainer.is_global_zero:
            return
        self.rows = sorted((row for rows in gathered for row in rows), key=lambda row: row["index"])
        table = pd.DataFrame(self.rows).drop(columns="index")
        mean = {
            "image": "mean",
            **table.drop(columns=["image", "exact"]).mean().to_dict(),
            "exact": table["exact"].all(),
        }
        with whole_file(self.folder / "images.csv") as temporary:
            pd.concat([table, pd.DataFrame([mean])]).to_csv(temporary, index=False)


def reconstruction_names(names: list[str]) -> list[tuple[str, str]]:
    """The names of the decoded image and of the original of each test image, all different.

    Args:
        names: of the test images, all different, with suffixes.

    Example:
        >>> reconstruction_names(["kodim01.png"])
        [('kodim01.png', 'kodim01_original.png')]
        >>> reconstruction_names(["x.png", "x.jpg"])
        [('x.png.png', 'x.png_original.png'), ('x.jpg.png', 'x.jpg_original.png')]
    """
    found = [(f"{stem}.png", f"{stem}_original.png") for stem in (name.rpartition(".")[0] for name in names)]
    if len({picture for pair in found for picture in pair}) == 2 * len(names):
        return found
    # With their suffixes no two can meet: none of the names ends in "_original".
    return [(f"{name}.png", f"{name}_original.png") for name in names]


def similarity(pixels: Tensor, decoded: Tensor) -> float | None:
    """MS-SSIM of two images uint8 [3, height, width]; None where they are too small for its five scales.

    Reference: Wang, Simoncelli & Bovik, "Multiscale structural similarity for image quality assessment", 2003;
    pytorch-msssim's implementation.
    """
    if min(pixels.shape[1:]) < _SMALLEST:
        return None
    return float(ms_ssim(pixels[None].float(), decoded[None].float(), data_range=255))
