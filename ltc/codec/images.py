"""Images through a trained network: `.ltc` files of one image. See docs/format.md."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, BinaryIO

import torch
from torch import Tensor

from ltc.codec.image_checkpoint import ImageCheckpoint
from ltc.codec.image_container import ImageHeader, read_image_file, write_image_file
from ltc.coding import CorruptStream

if TYPE_CHECKING:
    from ltc.images.networks.image_network import ImageNetwork
    from ltc.images.networks.passes import Latents
    from ltc.images.refinement import Refined

__all__ = ["compress_image", "decompress_image", "refine_image"]


def refine_image(
    checkpoint: ImageCheckpoint, pixels: Tensor, steps: int, progress: Callable[[int], None] = lambda steps: None
) -> Refined:
    """Searches for better latents of one image than the analysis transform's, decoder and prior in the loop.

    Args:
        checkpoint: the network; the price of distortion is the lambda that it was trained for.
        pixels: uint8 [3, height, width].
        steps: of the descent, each about as long as one of training; 0 for the trellis search alone.
        progress: is told the steps that were taken.

    Raises:
        ValueError: for a network that codes position after position, or that does not say its lambda.
    """
    from ltc.images.refinement import Refinement

    if not isinstance(lmbda := checkpoint.about.get("lambda"), int | float):
        raise ValueError("The network does not say which lambda it was trained for; a search needs it.")
    with _deterministic():
        return Refinement(float(lmbda), steps).of_pixels(checkpoint.network, pixels, progress)


@torch.no_grad()
def compress_image(
    checkpoint: ImageCheckpoint,
    pixels: Tensor,
    file: BinaryIO,
    latents: tuple[Latents, Tensor | None] | None = None,
    side: int = 0,
    progress: Callable[[int], None] = lambda tiles: None,
) -> Tensor:
    """Writes an image as an `.ltc` file, and returns what it will be decoded to.

    Args:
        checkpoint: the network.
        pixels: uint8 [3, height, width], at least one pixel.
        file: open for writing.
        latents: of ``refine_image``, to take in the place of the analysis transforms'.
        side: of tiles, a multiple of the network's factor: memory is that of tiles and not of the whole; 0 for one.
        progress: is told the tiles that were coded.

    Raises:
        ValueError: if the network's numbers are none, or too large; for tiles of another size; or for latents of a
            whole image with tiles.
    """
    from ltc.images.exact import threads_of_synthesis
    from ltc.images.tiles import Synthesis, Tiling, analyze

    network = checkpoint.network
    height, width = pixels.shape[1:]
    tiling = Tiling(height, width, network.factor, side)
    if side and latents is not None:
        raise ValueError("A search is for whole images: leave out the tiles, or the search.")
    strings, checksum, synthesis = list[bytes](), 0, Synthesis(network, tiling)
    with _deterministic():
        for tile in tiling.tiles:
            written, y_hat = network.encode(*latents or (analyze(network, pixels, tiling, tile), None))
            written.read_back()
            strings.extend(written.strings)
            checksum = _latents(y_hat, checksum)
            progress(1)
            synthesis.put(y_hat, threads_of_synthesis())
    margin = tiling.margin if side else 0
    header = ImageHeader(checkpoint.fingerprint, height, width, checksum, _checksum(synthesis.pixels), side, margin)
    write_image_file(file, header, strings)
    return synthesis.pixels


@torch.no_grad()
def decompress_image(
    checkpoint: ImageCheckpoint, file: BinaryIO, progress: Callable[[int], None] = lambda tiles: None
) -> tuple[Tensor, bool]:
    """Reads an image.

    Args:
        checkpoint: the network that wrote it.
        file: open for reading.
        progress: is told the tiles that were decoded.

    Returns:
        Its pixels, uint8 [3, height, width], and whether they are exactly those that the encoder has seen. A few differ
        by one where the synthesis ends in other last digits than it did there: on another kind of machine, or with
        another version of torch.

    Raises:
        CorruptStream: if the file is damaged, foreign, or another network's, or its latents are not the encoder's.
    """
    header, strings = read_image_file(file)
    if header.fingerprint != checkpoint.fingerprint:
        raise CorruptStream(
            f"the file was written by the coder {header.fingerprint.hex()}, and this is the coder "
            f"{checkpoint.fingerprint.hex()}"
        )
    try:
        with _deterministic():
            pixels, latents = _decode(checkpoint.network, strings, header, progress)
    except CorruptStream:
        raise
    except Exception as error:
        # Checksums were right: the strings are not those of a network that computes as this one.
        raise CorruptStream("the strings of the file make no image with this network on this machine") from error
    if latents != header.latents:
        raise CorruptStream("the strings of the file were decoded to other latents here than where they were written")
    return pixels, _checksum(pixels) == header.checksum


def _decode(
    network: ImageNetwork, strings: list[bytes], header: ImageHeader, progress: Callable[[int], None]
) -> tuple[Tensor, int]:
    """The pixels, and the checksum of the latents."""
    from ltc.images.tiles import Synthesis, Tiling

    tiling, checksum = Tiling(header.height, header.width, network.factor, header.side, header.margin), 0
    each, rest = divmod(len(strings), len(tiling.tiles))
    if rest:
        raise CorruptStream("the strings of the file are not those of so many tiles")
    synthesis = Synthesis(network, tiling)
    for number, tile in enumerate(tiling.tiles):
        shape = network.code_shape(tile.bottom - tile.top, tile.right - tile.left)
        y_hat, threads = network.decode(strings[number * each : (number + 1) * each], shape)
        checksum = _latents(y_hat, checksum)
        progress(1)
        synthesis.put(y_hat, threads)
    return synthesis.pixels, checksum


class _deterministic:
    """Encoder and decoder choose the same algorithms."""

    def __enter__(self) -> None:
        cudnn: Any = torch.backends.cudnn
        self._before = cudnn.deterministic, cudnn.benchmark
        cudnn.deterministic, cudnn.benchmark = True, False

    def __exit__(self, *_: object) -> None:
        cudnn: Any = torch.backends.cudnn
        cudnn.deterministic, cudnn.benchmark = self._before


def _checksum(pixels: Tensor) -> int:
    return zlib.crc32(pixels.contiguous().cpu().numpy().tobytes())


def _latents(y_hat: Tensor, before: int = 0) -> int:
    return zlib.crc32(y_hat.float().contiguous().cpu().numpy().tobytes(), before)
