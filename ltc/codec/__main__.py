"""Files through a trained coder.

    python -m ltc.codec compress CHECKPOINT INPUT OUTPUT
    python -m ltc.codec decompress CHECKPOINT INPUT OUTPUT
    python -m ltc.codec info FILE

CHECKPOINT is the ``coder.pt`` that a run leaves in its folder, or that folder. INPUT of ``compress`` is an array of
symbols (.npy), or a recording (.wav) for a coder of the Speech source; ``decompress`` writes an array. A coder of
images takes an image (.png, .jpg and others) and writes a PNG. A ``-`` stands for standard input or output.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import math
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    import numpy as np

    from ltc.coding.container import Header

__all__: list[str] = []

_THREADS = "of torch. No file depends on its reader's: a decoder of images takes its last step with its writer's"


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; 0, or 2 after one sentence about what was wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m ltc.codec", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="compress | decompress | info")
    compress = commands.add_parser("compress", help="an array, recording or image to an .ltc file")
    decompress = commands.add_parser("decompress", help="an .ltc file to an array or image")
    for command in (compress, decompress):
        command.add_argument("checkpoint", metavar="CHECKPOINT")
        command.add_argument("input", metavar="INPUT")
        command.add_argument("output", metavar="OUTPUT")
        command.add_argument("--threads", type=_positive, default=1, help=_THREADS)
    compress.add_argument("--seed", type=_seed, default=0, help="of the dither of a dithered coder")
    compress.add_argument("--chunk", type=_positive, default=1 << 20, help="numbers coded at once (memory)")
    info = commands.add_parser("info", help="what an .ltc file says about itself")
    info.add_argument("file", metavar="FILE")
    options = parser.parse_args(arguments)
    run = {"compress": _compress, "decompress": _decompress, "info": _info}[options.command]
    try:
        run(options)
    except BrokenPipeError:
        # Who read our output has gone; nothing is left to say, at exit neither.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (ValueError, OSError, MemoryError) as error:
        print(f"error: {_sentence(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("error: interrupted; no output was written.", file=sys.stderr)
        return 130
    return 0


def _compress(options: argparse.Namespace) -> None:
    import torch

    from ltc.codec.arrays import ArrayReader
    from ltc.codec.audio import WaveReader
    from ltc.codec.checkpoint import IMAGE_FORMAT, coder_from, read_content
    from ltc.codec.stream import compress_stream

    torch.set_num_threads(options.threads)
    path, content = read_content(options.checkpoint)
    if content["format"] == IMAGE_FORMAT:
        return _compress_image(options, path, content)
    checkpoint = coder_from(path, content)
    with _reading(options.input) as file:
        reader = WaveReader if options.input.lower().endswith(".wav") else ArrayReader
        source = reader(file, _name(options.input))
        with _writing(options.output) as out, _progress("compressing", math.prod(source.shape)) as progress:
            compress_stream(checkpoint, source, out, options.seed, options.chunk, progress)


def _decompress(options: argparse.Namespace) -> None:
    import torch

    from ltc.codec.arrays import ArrayWriter
    from ltc.codec.checkpoint import IMAGE_FORMAT, coder_from, read_content
    from ltc.codec.stream import decompress_stream
    from ltc.coding.image_container import is_image

    torch.set_num_threads(options.threads)
    path, content = read_content(options.checkpoint)
    if content["format"] == IMAGE_FORMAT:
        return _decompress_image(options, path, content)
    checkpoint = coder_from(path, content)
    with (
        _reading(options.input) as file,
        _writing(options.output) as out,
        _progress("decompressing", None) as progress,
    ):

        def write(header: Header) -> Callable[[np.ndarray], None]:
            return ArrayWriter(out, header.shape, header.dtype).numbers

        try:
            if is_image(file.peek(4)):  # type: ignore[attr-defined]
                raise ValueError(f"this is a file of an image, and {path} is a coder of arrays.")
            decompress_stream(checkpoint, file, write, progress)
        except ValueError as error:
            raise ValueError(f"{_name(options.input)}: {error}") from error


def _compress_image(options: argparse.Namespace, path: Path, content: dict[str, Any]) -> None:
    from ltc.codec.images import compress_image, network_from
    from ltc.pixels import read_image

    checkpoint = network_from(path, content)
    with _reading(options.input) as file:
        pixels = read_image(io.BytesIO(file.read()), _name(options.input))
    with _writing(options.output) as out:
        compress_image(checkpoint, pixels, out)


def _decompress_image(options: argparse.Namespace, path: Path, content: dict[str, Any]) -> None:
    from ltc.codec.images import decompress_image, network_from
    from ltc.pixels import write_image

    checkpoint = network_from(path, content)
    with _reading(options.input) as file, _writing(options.output) as out:
        try:
            pixels, same = decompress_image(checkpoint, file)
        except ValueError as error:
            raise ValueError(f"{_name(options.input)}: {error}") from error
        write_image(out, pixels)
    if not same:
        print(
            f"warning: {_name(options.input)} was written on a machine whose last digits differ from here: some values "
            "of the image are one more or less than the encoder's.",
            file=sys.stderr,
        )


def _info(options: argparse.Namespace) -> None:
    from ltc.coding.container import read_chunk, read_end, read_header
    from ltc.coding.image_container import is_image

    with _reading(options.file) as file:
        try:
            if is_image(file.peek(4)):  # type: ignore[attr-defined]
                return _show(_about_image(file))
            header = read_header(file)
            payload = sum(len(read_chunk(file)) for _ in range(header.chunks))
            read_end(file)
        except ValueError as error:
            raise ValueError(f"{_name(options.file)}: {error}") from error
    shape = " x ".join(f"{s:,}" for s in header.shape) or "one number"
    _show(
        {
            "array": f"{shape}, {header.dtype}",
            "coder": header.fingerprint.hex(),
            "chunks": f"{header.chunks:,}, of {header.numbers:,} numbers",
            "bitstream": f"{payload:,} bytes, {8 * payload / max(header.size, 1):.4f} bits a number",
            "seed of the dither": str(header.seed),
        }
    )


def _about_image(file: BinaryIO) -> dict[str, str]:
    from ltc.coding.image_container import read_image_file

    header, strings = read_image_file(file)
    payload = sum(map(len, strings))
    return {
        "image": f"{header.width:,} x {header.height:,} pixels",
        "coder": header.fingerprint.hex(),
        "strings": f"{len(strings)}, of {', '.join(f'{len(s):,}' for s in strings)} bytes",
        "bitstream": f"{payload:,} bytes, {8 * payload / (header.height * header.width):.4f} bits a pixel",
    }


def _show(rows: dict[str, str]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(show_header=False)
    for name, value in rows.items():
        table.add_row(name, value)
    Console().print(table)


@contextlib.contextmanager
def _reading(path: str) -> Iterator[BinaryIO]:
    if path == "-":
        yield sys.stdin.buffer
        return
    with open(path, "rb") as file:
        yield file


@contextlib.contextmanager
def _writing(path: str) -> Iterator[BinaryIO]:
    """The output file, which is there when all is written and not before."""
    from ltc.files import whole_file

    if path == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    if Path(path).exists() and not Path(path).is_file() and not Path(path).is_dir():
        # A device or a pipe takes what is written, and stays what it is.
        with open(path, "wb") as file:
            yield file
        return
    with whole_file(path) as temporary, temporary.open("wb") as file:
        yield file


@contextlib.contextmanager
def _progress(what: str, total: int | None) -> Iterator[Callable[[int], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(f"{what}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=None if total is None else 4 * total)
        yield lambda numbers: progress.advance(task, 4 * numbers)


def _name(path: str) -> str:
    return "standard input" if path == "-" else str(Path(path))


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no positive whole number")
    return int(text)


def _seed(text: str) -> int:
    if not text.isdecimal() or int(text) >= 1 << 63:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 0 to 2^63 - 1")
    return int(text)


def _sentence(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}." if error.filename else f"{error.strerror}."
    if isinstance(error, MemoryError):
        return "there is not enough memory; try a smaller --chunk."
    text = " ".join(str(error).split())
    return text if text.endswith((".", "!")) else f"{text}."


if __name__ == "__main__":
    sys.exit(main())
