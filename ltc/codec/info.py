"""What files and coders say about themselves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, BinaryIO

from ltc.arrays.about import about_arrays
from ltc.arrays.container import MAGIC
from ltc.codec.container import read_end, read_header
from ltc.codec.ends import name_of, reading
from ltc.codec.image_container import is_image, read_image_file
from ltc.coding.file_fields import read_chunk
from ltc.run_folder import read_content

__all__ = ["about"]

# Checkpoints of torch are archives.
_ARCHIVE = b"PK\x03\x04"


def about(path: str) -> dict[str, str]:
    """What an ``.ltc`` file of any kind, a ``coder.pt`` or the coder of a run's folder is, by name.

    Args:
        path: of it; ``-`` for standard input, which is a file.

    Raises:
        ValueError: if it is none of these, or damaged.
        OSError: if it cannot be read.
    """
    if path != "-" and Path(path).is_dir():
        return _about_coder(path)
    with reading(path) as file:
        start = file.peek(4)[:4]  # type: ignore[attr-defined]
        if start == _ARCHIVE and path != "-":
            return _about_coder(path)
        try:
            if start == MAGIC:
                return about_arrays(file)
            return _about_image(file) if is_image(start) else _about_array(file)
        except ValueError as error:
            raise ValueError(f"{name_of(path)}: {error}") from error


def _about_array(file: BinaryIO) -> dict[str, str]:
    header = read_header(file)
    payload = sum(len(read_chunk(file)) for _ in range(header.chunks))
    read_end(file)
    shape = " x ".join(f"{s:,}" for s in header.shape) or "one number"
    return {
        "array": f"{shape}, {header.dtype}",
        "coder": header.fingerprint.hex(),
        "chunks": f"{header.chunks:,}, of {header.numbers:,} numbers",
        "bitstream": f"{payload:,} bytes, {8 * payload / max(header.size, 1):.4f} bits a number",
        "seed of the dither": str(header.seed),
    }


def _about_image(file: BinaryIO) -> dict[str, str]:
    header, strings = read_image_file(file)
    payload = sum(map(len, strings))
    lengths = f"{len(strings)}, of {', '.join(f'{len(s):,}' for s in strings)} bytes"
    tiles = {"tiles": f"of {header.side:,} pixels, which see {header.margin:,} around them"}
    return {
        "image": f"{header.width:,} x {header.height:,} pixels",
        "coder": header.fingerprint.hex(),
        **(tiles if header.side else {"strings": lengths}),
        "bitstream": f"{payload:,} bytes, {8 * payload / (header.height * header.width):.4f} bits a pixel",
    }


def _about_coder(path: str) -> dict[str, str]:
    from ltc.codec.checkpoint import IMAGE_FORMAT, fingerprint_in

    place, content = read_content(path)
    name, kind = fingerprint_in(place, content).hex(), "images"
    if content["format"] != IMAGE_FORMAT:
        kind = f"arrays, {content['n']:,} symbols a block, {content['dim']:,} numbers a symbol"
    rows = {
        "coder": name,
        "of": kind,
        "file": f"{place.stat().st_size:,} bytes, {_numbers(content['state']):,} numbers of parameters",
    }
    return {**rows, **{str(name): str(value) for name, value in json.loads(content["about"]).items()}}


def _numbers(state: dict[str, Any]) -> int:
    return sum(tensor.numel() for tensor in state.values())
