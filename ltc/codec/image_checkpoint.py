"""A trained network for images as one file, with the configuration that made it. See docs/format.md."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ltc.codec.checkpoint import (
    IMAGE_FORMAT,
    CheckpointRefused,
    allowed_names,
    check_names,
    fingerprint_of,
)
from ltc.files import whole_file
from ltc.run_folder import read_content

if TYPE_CHECKING:
    from ltc.images.networks.image_network import ImageNetwork

__all__ = ["ImageCheckpoint", "at_rate", "load_network", "network_from", "save_network"]

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
