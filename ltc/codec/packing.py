"""The words ``pack`` and ``unpack`` of the command: arrays to small files without a training run."""

from __future__ import annotations

import argparse
import io
import sys
from pathlib import Path

from ltc.codec.ends import check_output, name_of, reading, writing
from ltc.codec.interruption import Interruptions
from ltc.codec.memory import memory_for
from ltc.codec.progress import progress_bar

__all__ = ["add_parsers"]

_INPUT = "a .npy, .npz or .safetensors file; - for a .npy file from standard input"
_KINDS = (".npy", ".npz", ".safetensors")


def add_parsers(commands: argparse._SubParsersAction) -> None:
    """Adds both words to a command's."""
    pack = commands.add_parser("pack", help="any array, or a network's weights, to an .ltc file, without training")
    pack.set_defaults(run=_pack)
    pack.add_argument("input", metavar="INPUT", help=_INPUT)
    pack.add_argument("output", metavar="OUTPUT")
    goals = pack.add_mutually_exclusive_group(required=True)
    goals.add_argument("--bits", type=float, help="bits of the file for each number")
    goals.add_argument("--psnr", type=float, help="decibels, to the range of the numbers of each array")
    goals.add_argument("--lambda", dest="lmbda", type=float, help="of rate + lambda * distortion, in the array's units")
    goals.add_argument("--max-error", type=float, help="what no number is wrong by more than")
    goals.add_argument("--exact", action="store_true", help="keeps every bit")
    pack.add_argument("--code", help="tcq8, tcq64, … or z, which is rounding (tcq256)")
    unpack = commands.add_parser("unpack", help="a file of `pack` to what was packed")
    unpack.set_defaults(run=_unpack)
    unpack.add_argument("input", metavar="INPUT")
    unpack.add_argument("output", metavar="OUTPUT")
    for command in (pack, unpack):
        command.add_argument("--threads", type=_positive, help="that work at once (one a core); no file depends on it")


def _pack(options: argparse.Namespace, interruptions: Interruptions) -> None:
    check_output(options.output, ".ltc", "pack", [options.input])
    from ltc.arrays.goals import Goal
    from ltc.arrays.packing import pack_sources

    goal = Goal(options.bits, options.psnr, options.lmbda, options.max_error, options.exact)
    if options.input != "-" and Path(options.input).suffix.lower() not in _KINDS:
        raise ValueError(f"{options.input}: pack reads {', '.join(_KINDS)} files.")
    with (
        memory_for("arrays of this size; try fewer --threads"),
        _opened(options.input) as (sources, kind, notes),
        writing(options.output, interruptions) as out,
        progress_bar("packing", sum(source.size for source in sources)) as progress,
    ):
        pack_sources(sources, out, goal, kind, notes, options.code, options.threads, progress)


def _opened(path: str):  # type: ignore[no-untyped-def]
    """``ltc.arrays.sources.opened``, and standard input."""
    import contextlib

    from ltc.arrays.sources import opened, sources_of

    if path != "-":
        return opened(path)
    import numpy as np

    try:
        array = np.load(io.BytesIO(sys.stdin.buffer.read()), allow_pickle=False)
        sources, kind = sources_of(array)
    except (ValueError, EOFError, OSError, TypeError) as error:
        raise ValueError("standard input is no .npy file.") from error
    return contextlib.nullcontext((sources, kind, b""))


def _unpack(options: argparse.Namespace, interruptions: Interruptions) -> None:
    from ltc.arrays.container import kind_of
    from ltc.arrays.packing import unpack_file
    from ltc.arrays.sinks import FileSink, suffix_of

    with reading(options.input) as file, memory_for("chunks of this file; try fewer --threads"):
        try:
            # What it is says what it becomes, and a pipe cannot be read twice.
            kind = kind_of(file.peek(6))  # type: ignore[attr-defined]
            check_output(options.output, suffix_of(kind), "unpack of this file", [options.input])
            with (
                writing(options.output, interruptions) as out,
                progress_bar("unpacking", None) as progress,
            ):
                sink = FileSink(out)
                unpack_file(file, sink, options.threads, progress)
        except ValueError as error:
            if str(error).startswith(options.output):
                raise
            raise ValueError(f"{name_of(options.input)}: {error}") from error


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no positive whole number")
    return int(text)
