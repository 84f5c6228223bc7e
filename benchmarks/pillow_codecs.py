"""Codecs that people use, through Pillow: whole files, their bits and what they decode to."""

from __future__ import annotations

import io
import time
from dataclasses import dataclass, field
from typing import Any

from PIL import Image, features
from torch import Tensor

from ltc.images.quality import psnr, similarity, squared_error
from ltc.pixels import read_image

__all__ = ["CODECS", "PillowCodec", "available"]


@dataclass(frozen=True)
class PillowCodec:
    """A format and its settings.

    Attributes:
        name: in tables.
        format: Pillow's name.
        feature: what Pillow must have been built with.
        setting: the name of what is varied.
        values: of it, from low rate to high.
        fixed: all other settings.
        note: what they mean, for the page.
    """

    name: str
    format: str
    feature: str
    setting: str
    values: tuple[float, ...]
    note: str
    fixed: dict[str, Any] = field(default_factory=dict)

    def encode(self, pixels: Tensor, value: float) -> bytes:
        """The file of an image uint8 [3, height, width]."""
        file, setting = io.BytesIO(), [value] if self.setting == "quality_layers" else value
        picture = Image.fromarray(pixels.permute(1, 2, 0).numpy())
        picture.save(file, self.format, **{self.setting: setting}, **self.fixed)
        return file.getvalue()

    def row(self, pixels: Tensor, value: float) -> dict[str, Any]:
        """An image through a file in memory and back."""
        height, width = pixels.shape[1:]
        start = time.perf_counter()
        file = self.encode(pixels, value)
        middle = time.perf_counter()
        decoded = read_image(io.BytesIO(file))
        end = time.perf_counter()
        error = squared_error(pixels, decoded)
        return {
            "bytes": len(file),
            "bpp": 8 * len(file) / (width * height),
            "mse": error,
            "psnr": psnr(error),
            "ms_ssim": similarity(pixels, decoded),
            "encode_seconds": round(middle - start, 4),
            "decode_seconds": round(end - middle, 4),
        }


CODECS = (
    PillowCodec(
        "JPEG",
        "JPEG",
        "jpg",
        "quality",
        (10, 20, 35, 50, 65, 80, 90, 94),
        "4:4:4, Huffman tables of its own",
        {"subsampling": 0, "optimize": True},
    ),
    PillowCodec(
        "JPEG 2000",
        "JPEG2000",
        "jpg_2000",
        "quality_layers",
        (160, 96, 64, 40, 28, 20, 14, 10),
        "9/7 wavelet, colours transformed, 4:4:4",
        {"quality_mode": "rates", "irreversible": True, "mct": 1},
    ),
    PillowCodec(
        "WebP",
        "WEBP",
        "webp",
        "quality",
        (5, 20, 40, 60, 75, 85, 92, 97),
        "lossy, always 4:2:0, method 6",
        {"method": 6},
    ),
    PillowCodec(
        "AVIF",
        "AVIF",
        "avif",
        "quality",
        (20, 32, 44, 54, 64, 74),
        "4:4:4, libaom, speed 6, one thread",
        {"subsampling": "4:4:4", "speed": 6, "max_threads": 1},
    ),
)


def available() -> list[PillowCodec]:
    """Those of ``CODECS`` that this Pillow has."""
    return [codec for codec in CODECS if features.check(codec.feature)]
