"""A crop of a photograph at the same number of bytes from several coders, side by side."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import matplotlib
import numpy as np
from torch import Tensor

from benchmarks.pillow_codecs import PillowCodec
from ltc.codec.image_checkpoint import ImageCheckpoint
from ltc.codec.images import compress_image
from ltc.files import whole_file
from ltc.images.quality import psnr, squared_error
from ltc.images.refinement import Refinement
from ltc.pixels import read_image

matplotlib.use("Agg")
import matplotlib.pyplot as plt

__all__ = ["by_network", "by_pillow", "draw"]

Coded = tuple[int, Tensor]
"""Bytes of a whole file, and the pixels decoded from it."""

# Halvings of the interval of a setting.
_HALVINGS = 8


def by_network(checkpoint: ImageCheckpoint, pixels: Tensor, size: int, effort: int | None) -> Coded:
    """An image by a network of many rates, at the lambda of which the file has at most ``size`` bytes."""
    low, high = (float(np.log(price)) for price in (checkpoint.network.prices[0], checkpoint.network.prices[-1]))

    def coded(log_price: float) -> Coded:
        checkpoint.network.at(float(np.exp(log_price)))
        latents = None
        if effort is not None:
            latents = Refinement(float(np.exp(log_price)), effort).of_pixels(checkpoint.network, pixels).latents
        file = io.BytesIO()
        decoded = compress_image(checkpoint, pixels, file, latents)
        return file.tell(), decoded

    return _largest(coded, low, high, size)


def by_pillow(codec: PillowCodec, pixels: Tensor, size: int) -> Coded:
    """An image by a codec of Pillow with a quality from 0 to 100, of which the file has at most ``size`` bytes."""

    def coded(quality: float) -> Coded:
        file = codec.encode(pixels, round(quality))
        return len(file), read_image(io.BytesIO(file))

    return _largest(coded, 1.0, 100.0, size)


def _largest(coded: Callable[[float], Coded], low: float, high: float, size: int) -> Coded:
    """The largest file of at most ``size`` bytes, by halving; the smallest one there is, if all are larger."""
    best = coded(low)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        found = coded(middle)
        if found[0] <= size:
            low, best = middle, max(best, found, key=lambda pair: pair[0])
        else:
            high = middle
    return best


def draw(path: Path, pixels: Tensor, coders: dict[str, Coded], top: int, left: int, side: int = 160) -> None:
    """The crop of the original and of each coder's picture, three in a row, with whole file's bytes and PSNR."""
    shown = {"original": (None, pixels), **coders}
    rows = -(-len(shown) // 3)
    figure, axes = plt.subplots(rows, 3, figsize=(10.5, 3.8 * rows), layout="constrained", squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    for axis, (name, (size, decoded)) in zip(axes.flat, shown.items(), strict=False):
        axis.imshow(decoded[:, top : top + side, left : left + side].permute(1, 2, 0).numpy(), interpolation="nearest")
        said = "" if size is None else f"\n{size:,} bytes, {psnr(squared_error(pixels, decoded)):.2f} dB"
        axis.set_title(f"{name}{said}", fontsize=10)
    with whole_file(path) as temporary:
        figure.savefig(temporary, dpi=110, format="png")
    plt.close(figure)
