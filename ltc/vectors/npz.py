"""An array of an ``.npz`` archive, by its key."""

from __future__ import annotations

import contextlib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ltc.vectors.npy import npy_header, npy_pieces

__all__ = ["npz_dim", "npz_pieces"]


def npz_dim(path: Path, key: str | None) -> int:
    """Components of the array's vectors."""
    with _member(path, key) as (file, name):
        return npy_header(file, name)[0][1]


def npz_pieces(path: Path, key: str | None) -> Iterator[np.ndarray]:
    """All rows of the array, float32, a piece at a time.

    Args:
        path: of the archive.
        key: of the array; None for the only one.

    Raises:
        ValueError: if there is no such array, or it holds no vectors.
    """
    with _member(path, key) as (file, name):
        yield from npy_pieces(file, name)


@contextlib.contextmanager
def _member(path: Path, key: str | None) -> Iterator[tuple[BinaryIO, str]]:
    """The array's file in the archive, and how messages call it."""
    try:
        archive = zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        raise ValueError(f"{path} is no .npz file.") from error
    with archive:
        keys = [name.removesuffix(".npy") for name in archive.namelist()]
        if not keys:
            raise ValueError(f"{path} holds no array.")
        if key is None and len(keys) > 1:
            raise ValueError(
                f"{path} holds the arrays {', '.join(keys)}: a key says which one is meant "
                f"(source.key={keys[0]} or --key {keys[0]}, say)."
            )
        if key is not None and key not in keys:
            raise ValueError(f"{path} holds no array {key}; it has {', '.join(keys)}.")
        chosen = keys[0] if key is None else key
        try:
            with archive.open(archive.namelist()[keys.index(chosen)]) as file:
                yield file, f"{path}[{chosen}]"  # type: ignore[misc]
        except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
            raise ValueError(f"{path} is damaged, or no .npz file that can be read ({error}).") from error
