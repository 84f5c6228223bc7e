"""What a trained network does to images: each through a real file and back, a row of figures for each."""

from __future__ import annotations

import io
import time
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ltc.codec.image_checkpoint import ImageCheckpoint
from ltc.codec.images import compress_image, decompress_image
from ltc.images.estimates import Estimate, estimate
from ltc.images.quality import psnr, similarity, squared_error
from ltc.images.refinement import Refinement

__all__ = ["Evaluated", "evaluate"]


class Evaluated(NamedTuple):
    """A row of figures, and the pixels that were decoded from the file."""

    row: dict[str, Any]
    decoded: Tensor


def evaluate(
    checkpoint: ImageCheckpoint,
    images: Iterable[tuple[str, Tensor]],
    estimates: Iterable[Estimate] | None = None,
    search: Refinement | None = None,
) -> Iterator[Evaluated]:
    """Codes images into files in memory and back, by the very functions of ``ltc compress`` and ``decompress``.

    The rate of an image is that of all bytes of its file, and PSNR and MS-SSIM are those of the pixels that were
    decoded from it; ``exact`` says that these are the network's own reconstruction, pixel for pixel. ``estimated_bpp``
    is the rate by the likelihoods.

    Args:
        checkpoint: the network, with its tables.
        images: names, and pixels uint8 [3, height, width].
        estimates: the network's forward passes of these images, where somebody has them already.
        search: the encoder's, of what has no estimate yet.

    Returns:
        What came of each image, in their order, one after the other.
    """
    known = None if estimates is None else iter(estimates)
    for name, pixels in images:
        seen = estimate(checkpoint.network, pixels, search) if known is None else next(known)
        yield _evaluated(checkpoint, name, pixels, seen)


def _evaluated(checkpoint: ImageCheckpoint, name: str, pixels: Tensor, seen: Estimate) -> Evaluated:
    file = io.BytesIO()
    start = time.perf_counter()
    encoded = compress_image(checkpoint, pixels, file, seen.latents)
    middle = time.perf_counter()
    length = file.tell()
    file.seek(0)
    decoded, same = decompress_image(checkpoint, file)
    end = time.perf_counter()
    pixels, reconstruction = pixels.cpu(), seen.reconstruction.cpu()
    height, width = pixels.shape[1:]
    error = squared_error(pixels, decoded)
    row = {
        "image": name,
        "width": width,
        "height": height,
        "bytes": length,
        "bpp": 8 * length / (width * height),
        "estimated_bpp": seen.bits / (width * height),
        "mse": error,
        "psnr": psnr(error),
        "ms_ssim": similarity(pixels, decoded),
        "exact": same and torch.equal(decoded, encoded) and torch.equal(decoded, reconstruction),
        "encode_seconds": round(seen.search_seconds + middle - start, 3),
        "decode_seconds": round(end - middle, 3),
    }
    return Evaluated(row, decoded)
