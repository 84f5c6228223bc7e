"""Images through a trained network: its checkpoint, and `.ltc` files of one image. See docs/format.md."""

from __future__ import annotations

import dataclasses
import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import torch
from torch import Tensor

from ltc.codec.checkpoint import (
    IMAGE_FORMAT,
    CheckpointRefused,
    allowed_names,
    check_names,
    fingerprint_of,
    read_content,
)
from ltc.codec.image_container import ImageHeader, read_image_file, write_image_file
from ltc.coding import CorruptStream
from ltc.files import whole_file

if TYPE_CHECKING:
    from ltc.images.networks.image_network import ImageNetwork
    from ltc.images.networks.passes import Latents
    from ltc.images.refinement import Refined

__all__ = [
    "ImageCheckpoint",
    "at_rate",
    "compress_image",
    "decompress_image",
    "load_network",
    "network_from",
    "refine_image",
    "save_network",
]

_VERSION = 1

# What a configuration of a network may call.
_PACKAGES = ("ltc.lattices", "ltc.images.networks")
_NAMES = {"ltc.images.swap.use_lattice"}


@dataclass(frozen=True)
class ImageCheckpoint:
    """A network and what is needed to use it on files.

    Attributes:
        network: in evaluation mode, with its tables.
        about: what it was trained on and how (source, lattice, lambda, …), for people.
        fingerprint: 8 bytes that name the network in the files it writes.
    """

    network: ImageNetwork
    about: dict[str, Any]
    fingerprint: bytes


def save_network(path: Path | str, network: ImageNetwork, config: dict[str, Any], about: dict[str, Any]) -> bytes:
    """Writes a trained network with its tables, whole or not at all, and returns its fingerprint.

    Args:
        path: of the file.
        network: after `update()`.
        config: its configuration: nested dictionaries with ``_target_``.
        about: numbers and strings that describe it.
    """
    content: dict[str, Any] = {
        "format": IMAGE_FORMAT,
        "version": _VERSION,
        "config": json.dumps(config, sort_keys=True),
        "about": json.dumps(about, sort_keys=True),
        "state": {k: v.detach().cpu().clone() for k, v in network.state_dict().items()},
    }
    name = fingerprint_of([content["config"]], content["state"])
    content["fingerprint"] = name.hex()
    with whole_file(path) as temporary:
        torch.save(content, temporary)
    return name


def load_network(path: Path | str) -> ImageCheckpoint:
    """Reads a network, on the CPU, ready to compress.

    Args:
        path: the file, or the folder of the run that wrote it as ``coder.pt``.

    Raises:
        ValueError: if it is not such a file, or asks for a class that is not on the list.
        OSError: if it cannot be read.
    """
    path, content = read_content(path)
    return network_from(path, content)


def network_from(path: Path, content: dict[str, Any]) -> ImageCheckpoint:
    """The network of a checkpoint's content; see ``load_network``."""
    if content.get("format") != IMAGE_FORMAT:
        raise ValueError(f"{path} is no coder of images.")
    if content.get("version") != _VERSION:
        raise ValueError(f"{path} has version {content.get('version')}, and this program reads version {_VERSION}.")
    try:
        config, about, state = json.loads(content["config"]), json.loads(content["about"]), content["state"]
        check_names(config, path, allowed_names(_PACKAGES) | _NAMES)
        name = fingerprint_of([content["config"]], state)
        if name.hex() != content["fingerprint"]:
            raise ValueError("bytes have changed")
        network = _instantiate(config, state)
        if isinstance(price := about.get("lambda"), int | float):
            network.at(price)
        return ImageCheckpoint(network, about, name)
    except CheckpointRefused:
        raise
    except Exception as error:
        raise ValueError(f"{path} is damaged: what it holds makes no coder.") from error


def _instantiate(config: Any, state: dict[str, Tensor]) -> ImageNetwork:
    from hydra.utils import instantiate

    from ltc.images.networks import ImageNetwork

    network = instantiate(config)
    if not isinstance(network, ImageNetwork):
        raise TypeError("the configuration describes no network")
    network.load_state_dict(state)
    if not all(bool(torch.isfinite(t).all()) for t in state.values() if t.is_floating_point()):
        raise ValueError("a parameter is not finite")
    return network.eval()


def at_rate(checkpoint: ImageCheckpoint, price: float) -> ImageCheckpoint:
    """The same network at another lambda: its files are those of one and the same coder.

    Raises:
        ValueError: if it has one rate only, or none for this lambda.
    """
    if not checkpoint.network.prices:
        raise ValueError(
            f"This network has one rate, that of lambda={checkpoint.about.get('lambda')}; those of network=multirate "
            "have many."
        )
    checkpoint.network.at(price)
    return dataclasses.replace(checkpoint, about={**checkpoint.about, "lambda": price})


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
) -> Tensor:
    """Writes an image as an `.ltc` file, and returns what it will be decoded to.

    Args:
        checkpoint: the network.
        pixels: uint8 [3, height, width], at least one pixel.
        file: open for writing.
        latents: of ``refine_image``, to take in the place of the analysis transforms'.

    Raises:
        ValueError: if the network's numbers are none, or too large.
    """
    from ltc.images.padding import pad_to_multiple
    from ltc.pixels import to_image

    network = checkpoint.network
    height, width = pixels.shape[1:]
    with _deterministic():
        coded = network.compress(pad_to_multiple(to_image(pixels)[None], network.factor), latents)
        strings = [string for (string,) in coded["strings"]]
        decoded, checksum = _decode(network, strings, height, width)
    if checksum != _latents(coded["y_hat"]):
        raise ValueError("The network does not decode what it encodes: the image was not written.")
    header = ImageHeader(checkpoint.fingerprint, height, width, checksum, _checksum(decoded))
    write_image_file(file, header, strings)
    return decoded


@torch.no_grad()
def decompress_image(checkpoint: ImageCheckpoint, file: BinaryIO) -> tuple[Tensor, bool]:
    """Reads an image.

    Args:
        checkpoint: the network that wrote it.
        file: open for reading.

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
            pixels, latents = _decode(checkpoint.network, strings, header.height, header.width)
    except CorruptStream:
        raise
    except Exception as error:
        # Checksums were right: the strings are not those of a network that computes as this one.
        raise CorruptStream("the strings of the file make no image with this network on this machine") from error
    if latents != header.latents:
        raise CorruptStream("the strings of the file were decoded to other latents here than where they were written")
    return pixels, _checksum(pixels) == header.checksum


def _decode(network: ImageNetwork, strings: list[bytes], height: int, width: int) -> tuple[Tensor, int]:
    """The pixels, and the checksum of the latents."""
    from ltc.images.padding import padded_size
    from ltc.pixels import to_pixels

    shape = network.code_shape(*padded_size(height, width, network.factor))
    found = network.decompress([[string] for string in strings], shape)
    return to_pixels(found["x_hat"][0, :, :height, :width]).cpu(), _latents(found["y_hat"])


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


def _latents(y_hat: Tensor) -> int:
    return zlib.crc32(y_hat.float().contiguous().cpu().numpy().tobytes())
