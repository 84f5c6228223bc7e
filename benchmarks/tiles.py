"""Big pictures in tiles: what they cost in bytes, whether a seam can be found, and how much memory they take.

    python -m benchmarks.tiles CODER ...          # coder.pt files of image networks, or the folders of their runs
    python -m benchmarks.tiles CODER --small      # whether it runs

Kodak's images are coded whole and in tiles of 256 pixels: bytes, PSNR, and the squared error near the tiles' edges,
where seams would be, over that of the whole's picture at the same places. Then a picture of 25 million pixels, a mosaic
of Kodak, goes through ``ltc compress`` and ``ltc decompress``: seconds, and the most memory that either had, imports
included. Writes ``docs/tiles.md``.
"""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from benchmarks.kodak import options_with_data, photographs
from benchmarks.provenance import provenance
from ltc.codec.image_checkpoint import ImageCheckpoint, load_network
from ltc.codec.images import compress_image
from ltc.files import whole_file
from ltc.images.quality import psnr, squared_error
from ltc.pixels import write_image

_ROOT = Path(__file__).resolve().parent.parent
_SIDE, _NEAR = 256, 8

# Rows and columns of the mosaic, in images of 768 x 512 pixels: 6,144 x 4,096 pixels.
_MOSAIC = (8, 8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("coders", metavar="CODER", nargs="+", type=Path)
    parser.add_argument("--small", action="store_true", help="two images, a small mosaic, and no page")
    options = options_with_data(parser)
    torch.set_num_threads(1)
    images = [pixels for _, pixels in photographs(options.data, 2 if options.small else 12)]
    mosaic = _mosaic(images, *((2, 2) if options.small else _MOSAIC))
    lines = [
        "# Big pictures in tiles, measured",
        "",
        f"Made by `{' '.join(['python -m benchmarks.tiles', *(path.name for path in options.coders)])}`; "
        f"one thread; {provenance()}.",
        "",
        f"{len(images)} images of Kodak in tiles of {_SIDE} pixels, beside the same images whole. The error at edges is"
        f" the mean squared error within {_NEAR} pixels of where tiles meet, beside that of the whole's same pixels.",
        "",
        "| coder | bytes | PSNR, dB | error at edges |",
        "| --- | --- | --- | --- |",
    ]
    lines += [_cells(_name(path), *_compared(load_network(path), images)) for path in options.coders]
    height, width = mosaic.shape[1:]
    lines += [
        "",
        f"A picture of {width:,} x {height:,} pixels, by `ltc compress` and `ltc decompress`; memory is the most that "
        "either process had, imports included.",
        "",
        "| coder | bits/pixel | compress | memory | decompress | memory |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for path in options.coders:
        there, back, bits = _through_files(path, mosaic)
        cells = (f"{seconds:.0f} s | {megabytes:,.0f} MB" for seconds, megabytes in (there, back))
        lines.append(_cells(_name(path), f"{bits / (height * width):.3f}", *cells))
    text = "\n".join(lines) + "\n"
    print(text)
    if not options.small:
        with whole_file(_ROOT / "docs" / "tiles.md") as temporary:
            temporary.write_text(text)


class _Coded(NamedTuple):
    length: int
    error: float
    at_edges: float


def _compared(checkpoint: ImageCheckpoint, images: list[Tensor]) -> tuple[str, str, str]:
    """Of tiles against wholes: bytes, PSNR, and the error at edges, as cells."""
    whole, tiles = (
        _Coded(*(sum(values) for values in zip(*(_coded(checkpoint, pixels, side) for pixels in images), strict=True)))
        for side in (0, _SIDE)
    )
    decibels = psnr(tiles.error / len(images)) - psnr(whole.error / len(images))
    more = 100 * (tiles.length / whole.length - 1)
    return f"{more:+.2f} %", f"{decibels:+.4f}", f"{100 * (tiles.at_edges / whole.at_edges - 1):+.2f} %"


def _coded(checkpoint: ImageCheckpoint, pixels: Tensor, side: int) -> _Coded:
    file = io.BytesIO()
    decoded = compress_image(checkpoint, pixels, file, side=side)
    rows, columns = (_edges(length) for length in pixels.shape[1:])
    near = rows[:, None] | columns
    return _Coded(file.tell(), squared_error(pixels, decoded), squared_error(pixels[:, near], decoded[:, near]))


def _edges(length: int) -> Tensor:
    """Which of so many pixels are near an edge between tiles."""
    at = torch.arange(length)
    return ((at + _NEAR) % _SIDE < 2 * _NEAR) & (at >= _NEAR) & (at < length - length % _SIDE + _NEAR)


def _mosaic(images: list[Tensor], down: int, across: int) -> Tensor:
    lying = [image if image.shape[2] > image.shape[1] else image.transpose(1, 2) for image in images]
    chosen = iter(lying * (down * across // len(lying) + 1))
    return torch.cat([torch.cat([next(chosen) for _ in range(across)], 2) for _ in range(down)], 1).contiguous()


def _through_files(coder: Path, pixels: Tensor) -> tuple[Any, Any, int]:
    """(seconds, megabytes) of both commands, and the bits of the file."""
    with tempfile.TemporaryDirectory() as folder:
        picture, packed, back = (Path(folder) / name for name in ("picture.png", "picture.ltc", "back.png"))
        with picture.open("wb") as file:
            write_image(file, pixels)
        there = _measured("compress", coder, picture, packed)
        return there, _measured("decompress", coder, packed, back), 8 * packed.stat().st_size


def _measured(*arguments: Any) -> tuple[float, float]:
    """Seconds and the most megabytes of the command, in a process whose children are this one alone."""
    script = (
        "import resource, subprocess, sys\n"
        "code = subprocess.run([sys.executable, '-m', 'ltc', *sys.argv[1:]]).returncode\n"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)\n"
        "sys.exit(code)"
    )
    begin = time.perf_counter()
    found = subprocess.run([sys.executable, "-c", script, *map(str, arguments)], stdout=subprocess.PIPE, check=True)
    return time.perf_counter() - begin, float(found.stdout)


def _name(path: Path) -> str:
    about = load_network(path).about
    return f"{about.get('source', path.stem)}, {about.get('lattice', '')}".strip(", ")


def _cells(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
