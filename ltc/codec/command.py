"""What the command's words do: ``compress``, ``decompress`` and ``info``; ``packing`` has two more."""

from __future__ import annotations

import argparse
import io
import math
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ltc.codec.ends import check_output, name_of, reading, writing
from ltc.codec.interruption import Interruptions
from ltc.codec.memory import memory_for
from ltc.codec.packing import add_parsers
from ltc.codec.progress import progress_bar
from ltc.run_folder import coder_place, read_content

if TYPE_CHECKING:
    import numpy as np

    from ltc.codec.container import Header

__all__ = ["run"]

# Pixels along a tile of an image, and from how many on in all it is coded in tiles.
_SIDE, _LARGE = 512, 4_000_000

_THREADS = "of torch. No file depends on its reader's: a decoder of images takes its last step with its writer's"

_EFFORT = (
    "search for better latents of an image, with so many steps of descent; 0: the trellis search alone (no search)"
)
_TILE = f"side in pixels of the tiles of an image, whose memory it takes ({_SIDE:,} from {_LARGE:,} pixels on; 0: none)"
_PRICE = "price of distortion, of a coder of images that has many rates (that of its run)"

# Numbers coded at once, unless the command says otherwise.
_CHUNK = 1 << 20


def run(arguments: list[str] | None, prog: str, description: str, interruptions: Interruptions) -> int:
    """Runs a command line.

    Args:
        arguments: its words; None: ``sys.argv``.
        prog: how the command calls itself.
        description: what ``--help`` says of it.
        interruptions: signals that are heeded.

    Returns:
        0, or 2 after one sentence about what was wrong.
    """
    options = _parser(prog, description).parse_args(arguments)
    try:
        with memory_for("the program with this coder"):
            options.run(options, interruptions)
    except BrokenPipeError:
        # Who read our output has gone; nothing is left to say, at exit neither.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (ValueError, OSError, MemoryError) as error:
        if interruptions.number is not None:
            raise
        print(f"error: {_sentence(error)}", file=sys.stderr)
        if getattr(options, "output", None) == "-":
            # What is left in the buffer cannot be written either: nothing more is said of it at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 2
    return 0


def _parser(prog: str, description: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=prog, description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(
        dest="command", required=True, metavar="compress | decompress | pack | unpack | info"
    )
    compress = commands.add_parser("compress", help="an array, recording or image to an .ltc file")
    decompress = commands.add_parser("decompress", help="an .ltc file to an array or image")
    for command, run in ((compress, _compress), (decompress, _decompress)):
        command.set_defaults(run=run)
        command.add_argument("checkpoint", metavar="CHECKPOINT")
        command.add_argument("input", metavar="INPUT")
        command.add_argument("output", metavar="OUTPUT")
        command.add_argument("--threads", type=_positive, default=1, help=_THREADS)
    compress.add_argument("--key", help="the array of an .npz, or the column of a .parquet whose lists are the vectors")
    compress.add_argument("--seed", type=_seed, help="of the dither of a dithered coder (0)")
    compress.add_argument("--chunk", type=_positive, help=f"numbers coded at once (memory; {_CHUNK:,})")
    compress.add_argument("--effort", type=_steps, metavar="STEPS", help=_EFFORT)
    compress.add_argument("--tile", type=_steps, metavar="SIDE", help=_TILE)
    compress.add_argument("--lambda", type=float, dest="price", metavar="LAMBDA", help=_PRICE)
    add_parsers(commands)
    info = commands.add_parser("info", help="what .ltc files, or coders, say about themselves")
    info.set_defaults(run=_info)
    info.add_argument("files", metavar="FILE", nargs="+", help="an .ltc file, a coder.pt, or the folder of a run")
    return parser


def _compress(options: argparse.Namespace, interruptions: Interruptions) -> None:
    check_output(options.output, ".ltc", "compress", [options.input, coder_place(options.checkpoint)])
    import torch

    from ltc.codec.arrays import ArrayReader
    from ltc.codec.audio import WaveReader
    from ltc.codec.checkpoint import IMAGE_FORMAT, coder_from
    from ltc.codec.stream import compress_stream
    from ltc.codec.tables import TableReader, is_table

    torch.set_num_threads(options.threads)
    path, content = read_content(options.checkpoint)
    if content["format"] == IMAGE_FORMAT:
        return _compress_image(options, path, content, interruptions)
    checkpoint = coder_from(path, content)
    if options.effort is not None:
        raise ValueError(f"--effort is for coders of images, and {path} is a coder of arrays, which searches anyway.")
    if options.price is not None:
        raise ValueError(f"--lambda is for coders of images with many rates, and {path} is a coder of arrays.")
    if options.tile is not None:
        raise ValueError(f"--tile is for coders of images, and {path} is a coder of arrays: see --chunk.")
    seed, chunk = options.seed or 0, options.chunk or _CHUNK
    with reading(options.input) as file, memory_for(f"chunks of {chunk:,} numbers; try a smaller --chunk"):
        name = name_of(options.input)
        source: ArrayReader | TableReader | WaveReader
        if is_table(options.input):
            source = TableReader(options.input, options.key)
        elif options.key is not None:
            raise ValueError(f"{name} has no arrays by name, so no key: leave out --key.")
        else:
            source = (WaveReader if options.input.lower().endswith(".wav") else ArrayReader)(file, name)
        if isinstance(source, WaveReader):
            source.check(checkpoint.dim)
        with (
            writing(options.output, interruptions) as out,
            progress_bar("compressing", math.prod(source.shape)) as progress,
        ):
            compress_stream(checkpoint, source, out, seed, chunk, progress)
            source.end()
    _warn(source.notes)


def _decompress(options: argparse.Namespace, interruptions: Interruptions) -> None:
    import torch

    from ltc.codec.arrays import ArrayWriter
    from ltc.codec.checkpoint import IMAGE_FORMAT, coder_from
    from ltc.codec.image_container import is_image
    from ltc.codec.stream import decompress_stream

    torch.set_num_threads(options.threads)
    path, content = read_content(options.checkpoint)
    if content["format"] == IMAGE_FORMAT:
        return _decompress_image(options, path, content, interruptions)
    check_output(options.output, ".npy", "decompress with a coder of arrays", [options.input, path])
    checkpoint = coder_from(path, content)
    with (
        reading(options.input) as file,
        memory_for("the chunks of this file; compress with a smaller --chunk"),
        writing(options.output, interruptions) as out,
        progress_bar("decompressing", None) as progress,
    ):

        def write(header: Header) -> Callable[[np.ndarray], None]:
            return ArrayWriter(out, header.shape, header.dtype).numbers

        try:
            if is_image(file.peek(4)):  # type: ignore[attr-defined]
                raise ValueError(f"this is a file of an image, and {path} is a coder of arrays.")
            decompress_stream(checkpoint, file, write, progress)
        except ValueError as error:
            raise ValueError(f"{name_of(options.input)}: {error}") from error


def _compress_image(
    options: argparse.Namespace, path: Path, content: dict[str, Any], interruptions: Interruptions
) -> None:
    from ltc.codec.image_checkpoint import at_rate, network_from
    from ltc.codec.images import compress_image, refine_image
    from ltc.pixels import read_image

    for name, value in (("--seed", options.seed), ("--chunk", options.chunk), ("--key", options.key)):
        if value is not None:
            raise ValueError(f"{name} is for coders of arrays, and {path} is a coder of images, coded as a whole.")
    checkpoint = network_from(path, content)
    if options.price is not None:
        checkpoint = at_rate(checkpoint, options.price)
    notes: list[str] = []
    name = name_of(options.input)
    with reading(options.input) as file, memory_for(f"the image {name}"):
        pixels = read_image(io.BytesIO(file.read()), name, lambda lost: notes.append(f"{name} {lost}."))
    height, width = pixels.shape[1:]
    side = options.tile
    if side is None:
        side = _SIDE if height * width >= _LARGE and options.effort is None else 0
    elif side and options.effort is not None:
        raise ValueError("--effort searches for a whole image: leave out --tile, or the search.")
    size = f"{width:,} x {height:,} pixels"
    how = f"in tiles of {side:,} pixels; try a smaller --tile" if side else f"as a whole; try --tile {_SIDE}"
    with (
        memory_for(f"an image of {size}, which is coded {how}"),
        writing(options.output, interruptions) as out,
    ):
        latents = None
        if options.effort is not None:
            with progress_bar("searching", options.effort, steps=True) as progress:
                latents = refine_image(checkpoint, pixels, options.effort, progress).latents
        tiles = -(-height // side) * -(-width // side) if side else 1
        with progress_bar("compressing", tiles, steps=True) as progress:
            compress_image(checkpoint, pixels, out, latents, side, progress)
    _warn(notes)


def _decompress_image(
    options: argparse.Namespace, path: Path, content: dict[str, Any], interruptions: Interruptions
) -> None:
    from ltc.codec.image_checkpoint import network_from
    from ltc.codec.images import decompress_image
    from ltc.pixels import write_image

    check_output(options.output, ".png", "decompress with a coder of images", [options.input, path])
    checkpoint = network_from(path, content)
    with (
        reading(options.input) as file,
        memory_for(f"the image of {name_of(options.input)}; compress in tiles (--tile)"),
        writing(options.output, interruptions) as out,
    ):
        try:
            with progress_bar("decompressing", None, steps=True) as progress:
                pixels, same = decompress_image(checkpoint, file, progress)
        except ValueError as error:
            raise ValueError(f"{name_of(options.input)}: {error}") from error
        write_image(out, pixels)
    if not same:
        print(
            f"warning: {name_of(options.input)} was written on a machine whose last digits differ from here: some "
            "values of the image are one more or less than the encoder's.",
            file=sys.stderr,
        )


def _info(options: argparse.Namespace, interruptions: Interruptions) -> None:
    from rich.console import Console
    from rich.table import Table

    from ltc.codec.info import about

    interruptions.line = "error: interrupted."
    for path in options.files:
        rows = about(path)
        table = Table(title=name_of(path) if len(options.files) > 1 else None, title_justify="left", show_header=False)
        for name, value in rows.items():
            table.add_row(name, value)
        Console().print(table)


def _warn(notes: list[str]) -> None:
    for note in notes:
        print(f"warning: {note}", file=sys.stderr)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no positive whole number")
    return int(text)


def _steps(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no number of steps")
    return int(text)


def _seed(text: str) -> int:
    if not text.isdecimal() or int(text) >= 1 << 63:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 0 to 2^63 - 1")
    return int(text)


def _sentence(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}." if error.filename else f"{error.strerror}."
    text = " ".join(str(error).split())
    return text if text.endswith((".", "!")) else f"{text}."
