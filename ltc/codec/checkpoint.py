"""A trained coder as one file: configuration, parameters and the bitstream's tables, loaded without running code.

``torch.load(weights_only=True)`` reads tensors, numbers and strings, nothing that executes. The configuration names the
classes of the coder; only names on a list are made: the public classes of ``ltc`` and the few of other libraries that
the configuration groups use.
"""

from __future__ import annotations

import hashlib
import importlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ltc.codec.earlier_coders import of_today
from ltc.files import whole_file
from ltc.models import Coder
from ltc.run_folder import read_content

__all__ = [
    "IMAGE_FORMAT",
    "CheckpointRefused",
    "CodecCheckpoint",
    "allowed_names",
    "check_names",
    "coder_from",
    "fingerprint_in",
    "fingerprint_of",
    "load_coder",
    "save_coder",
]

_FORMAT, _VERSION = "ltc-coder", 1
IMAGE_FORMAT = "ltc-image-coder"
"""What the checkpoint of a coder of images calls itself (``ltc.codec.images``, which takes seconds to import)."""

# Packages whose public names a configuration may call, and single names beside them.
_PACKAGES = ("ltc.lattices", "ltc.entropy", "ltc.transforms", "ltc.models")
_NAMES = {"compressai.entropy_models.EntropyBottleneck"}
_NAMES |= {f"zuko.flows.{flow}" for flow in ("MAF", "NSF", "RealNVP", "NICE", "NAF", "SOSPF")}
_NAMES |= {f"torch.nn.{name}" for name in ("Softplus", "LeakyReLU", "CELU", "ReLU", "GELU", "SiLU", "Tanh", "ELU")}


@dataclass(frozen=True)
class CodecCheckpoint:
    """A coder and what is needed to use it on files.

    Attributes:
        coder: in evaluation mode, with its tables.
        n: symbols of a block.
        dim: components of a symbol.
        about: what it was trained on and how (source, lattice, lambda, …), for people.
        fingerprint: 8 bytes that name the coder in the files it writes.
    """

    coder: Coder
    n: int
    dim: int
    about: dict[str, Any]
    fingerprint: bytes


def save_coder(
    path: Path | str, coder: Coder, config: dict[str, Any], n: int, dim: int, measure: str, about: dict[str, Any]
) -> None:
    """Writes a trained coder, whole or not at all.

    Args:
        path: of the file.
        coder: whose bottleneck has a bitstream.
        config: the coder's configuration: nested dictionaries with ``_target_``.
        n: symbols of a block.
        dim: components of a symbol.
        measure: the distortion it was trained for.
        about: numbers and strings that describe it.

    Raises:
        ValueError: if the coder has no bitstream.
    """
    tables = coder.tables or coder.bottleneck.point_model()
    content: dict[str, Any] = {
        "format": _FORMAT,
        "version": _VERSION,
        "config": json.dumps(config, sort_keys=True),
        "about": json.dumps({**about, "measure": measure}, sort_keys=True),
        "n": n,
        "dim": dim,
        "state": {k: v.detach().cpu() for k, v in coder.state_dict().items()},
        "tables": {k: torch.from_numpy(v.copy()) for k, v in tables.weights.items()},
    }
    content["fingerprint"] = _fingerprint(content).hex()
    with whole_file(path) as temporary:
        torch.save(content, temporary)


def load_coder(path: Path | str) -> CodecCheckpoint:
    """Reads a coder, on the CPU, ready to compress.

    Args:
        path: the file, or the folder of the run that wrote it as ``coder.pt``.

    Raises:
        ValueError: if it is not such a file, or asks for a class that is not on the list.
        OSError: if it cannot be read.
    """
    return coder_from(*read_content(path))


def coder_from(path: Path, content: dict[str, Any]) -> CodecCheckpoint:
    """The coder of a checkpoint's content; see ``load_coder``."""
    _check_content(path, content)
    try:
        config, about = json.loads(content["config"]), json.loads(content["about"])
        check_names(config, path, allowed_names(_PACKAGES) | _NAMES)
        if _fingerprint(content).hex() != content["fingerprint"]:
            raise ValueError("bytes have changed")
        coder = _instantiate(config, content["state"], about["measure"])
        _check_tables(coder, content["tables"])
        coder.update({k: v.numpy() for k, v in content["tables"].items()})
        return CodecCheckpoint(coder, content["n"], content["dim"], about, _fingerprint(content))
    except CheckpointRefused:
        raise
    except Exception as error:
        # Whatever a damaged file leads to: configuration, parameters and tables have to make a coder together.
        raise ValueError(f"{path} is damaged: what it holds makes no coder.") from error


class CheckpointRefused(ValueError):
    """A sentence that says what is wrong already."""


def _check_content(path: Path, content: dict[str, Any]) -> None:
    if content.get("format") == IMAGE_FORMAT:
        raise ValueError(f"{path} is a coder of images.")
    if content.get("format") != _FORMAT:
        raise ValueError(f"{path} is no coder of this project: a run writes one as coder.pt.")
    if content.get("version") != _VERSION:
        raise ValueError(f"{path} has version {content.get('version')}, and this program reads version {_VERSION}.")
    fields = {"config": str, "about": str, "fingerprint": str, "n": int, "dim": int, "state": dict, "tables": dict}
    if all(isinstance(content.get(name), kind) for name, kind in fields.items()):
        tensors = [*content["state"].values(), *content["tables"].values()]
        if min(content["n"], content["dim"]) >= 1 and all(isinstance(t, Tensor) for t in tensors):
            return
    raise ValueError(f"{path} is damaged: parts of it are missing.")


def _instantiate(config: Any, state: dict[str, Tensor], measure: str) -> Coder:
    from hydra.utils import instantiate

    coder = instantiate(of_today(config))
    if not isinstance(coder, Coder):
        raise TypeError("the configuration describes no coder")
    coder.load_trained(state, measure)
    if not all(bool(torch.isfinite(t).all()) for t in state.values() if t.is_floating_point()):
        raise ValueError("a parameter is not finite")
    return coder.eval()


def _check_tables(coder: Coder, tables: dict[str, Tensor]) -> None:
    """The tables of a file are like those that the coder would make: only the number of integers may differ."""
    expected = coder.bottleneck.point_model().weights
    if set(tables) != set(expected):
        raise ValueError("tables are missing")
    for name, table in tables.items():
        like = expected[name]
        integers = 1 if name == "w" else None
        fit = [a == b or axis == integers for axis, (a, b) in enumerate(zip(table.shape, like.shape, strict=True))]
        # Numbers of integers are those of ranges -R … R + q - 1: they differ by even numbers.
        even = integers is None or (table.shape[integers] - like.shape[integers]) % 2 == 0
        if not all(fit) or not even or table.dtype != torch.float64 or not bool(torch.isfinite(table).all()):
            raise ValueError("tables have the wrong form")
        if name != "basis" and not bool((table > 0).all()):
            raise ValueError("a weight is not positive")


def check_names(node: Any, path: Path, allowed: set[str]) -> None:
    """Only names on the list, and no interpolations, which would put names together later.

    Args:
        node: a configuration.
        path: of the checkpoint, for the message.
        allowed: names that ``_target_`` may have.

    Raises:
        CheckpointRefused: if there is another one.
    """
    if isinstance(node, str) and "${" in node:
        raise CheckpointRefused(f"{path} holds the interpolation {node!r}, which no coder of this project needs.")
    if isinstance(node, list):
        for part in node:
            check_names(part, path, allowed)
    if isinstance(node, dict):
        target = node.get("_target_")
        if target is not None and not (isinstance(target, str) and target in allowed):
            raise CheckpointRefused(
                f"{path} asks for {target!r}, which no coder of this project needs: it was not loaded."
            )
        for part in (*node, *node.values()):
            check_names(part, path, allowed)


def allowed_names(packages: tuple[str, ...]) -> set[str]:
    """The public names of packages."""
    return {f"{p}.{name}" for p in packages for name in importlib.import_module(p).__all__}


def fingerprint_of(parts: list[str], tensors: dict[str, Tensor]) -> bytes:
    """8 bytes that name a coder: the start of the SHA-256 of its texts and tensors."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.encode() + b"\0")
    for name, tensor in sorted(tensors.items()):
        assert isinstance(tensor, Tensor)
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode() + b"\0")
        digest.update(tensor.contiguous().numpy().tobytes())
    return digest.digest()[:8]


def fingerprint_in(path: Path, content: dict[str, Any]) -> bytes:
    """The name of a coder of either kind in the files that it writes, without the coder being made.

    Args:
        path: of the checkpoint.
        content: what it holds, from ``read_content``.

    Raises:
        ValueError: if it is damaged.
    """
    try:
        if content["format"] == IMAGE_FORMAT:
            found = fingerprint_of([content["config"]], content["state"])
        else:
            _check_content(path, content)
            found = _fingerprint(content)
        if found.hex() != content["fingerprint"] or not isinstance(json.loads(content["about"]), dict):
            raise ValueError("bytes have changed")
    except Exception as error:
        raise ValueError(f"{path} is damaged: what it holds makes no coder.") from error
    return found


def _fingerprint(content: dict[str, Any]) -> bytes:
    parts = [content["config"], str(content["n"]), str(content["dim"])]
    return fingerprint_of(parts, {**content["state"], **content["tables"]})
