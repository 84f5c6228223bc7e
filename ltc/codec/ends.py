"""The two ends of a command: its input, and its output, which is there when all is written and not before."""

from __future__ import annotations

import contextlib
import os
import re
import stat
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Literal

from ltc.codec.interruption import Interruptions
from ltc.files import whole_file

__all__ = ["check_output", "name_of", "reading", "writing"]

# What is taken for the name of a format, unlike the ".5" of "lambda_0.5".
_FORMAT = re.compile(r"\.[a-z]\w*")

# Where Linux has a process's open files; as many links as it follows.
_DESCRIPTORS = re.compile(r"/proc/\d+(/task/\d+)?/fd")
_MOST_LINKS = 40


def check_output(output: str, suffix: str, what: str, kept: Sequence[str | Path]) -> None:
    """Refuses an output that would destroy what the command reads, or has the name of something else.

    Args:
        output: the path, or ``-``.
        suffix: of the format that is written.
        what: what writes it, for the message.
        kept: files that are read, ``-`` for standard input.

    Raises:
        ValueError: if it is one of these files, by whatever name, or a folder's name, or has another format's suffix.
    """
    if output == "-":
        return
    if output.endswith(("/", os.sep)):
        raise ValueError(f"{output} is the name of a folder, and the output is a file.")
    identity = _identity(output)
    for path in kept:
        if identity is not None and _identity(path) == identity:
            raise ValueError(f"{output} is the same file as {name_of(path)}, which is read: choose another output.")
    found = Path(output).suffix.lower()
    if found != suffix and _FORMAT.fullmatch(found) and not _is_special(output):
        better = Path(output).with_suffix(suffix)
        raise ValueError(f"{output}: {what} writes {suffix} files, and no {found} file; name it {better}, say.")


@contextlib.contextmanager
def reading(path: str) -> Iterator[BinaryIO]:
    """The input file, or standard input."""
    if path == "-":
        yield sys.stdin.buffer
        return
    with open(path, "rb") as file:
        yield file


@contextlib.contextmanager
def writing(path: str, interruptions: Interruptions) -> Iterator[BinaryIO]:
    """The output file, whole or not at all; standard output, a device or a pipe takes what is written as it comes."""
    if path == "-":
        with interruptions.undone("error: interrupted; the output is not whole."):
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
        return
    if _is_special(path):
        # A file that is open already goes on where it is (`>>`).
        mode: Literal["ab", "wb"] = "ab" if _is_descriptor(path) else "wb"
        with interruptions.undone("error: interrupted; the output is not whole."), open(path, mode) as file:
            yield file
        return
    # A link stays one: what it names is written.
    with interruptions.undone(interruptions.line), whole_file(os.path.realpath(path)) as temporary:
        with temporary.open("wb") as file:
            yield file
        interruptions.whole()


def name_of(path: str | Path) -> str:
    """How messages call an input."""
    return "standard input" if path == "-" else str(Path(path))


def _is_special(path: str) -> bool:
    """A device or a pipe, or another name of a file that is open already, which stays what it is."""
    found = Path(path)
    return _is_descriptor(path) or (found.exists() and not found.is_file() and not found.is_dir())


def _is_descriptor(path: str) -> bool:
    """/dev/stdout, /dev/fd/1, /proc/self/fd/1, and links to them."""
    path = os.path.abspath(path)
    for _ in range(_MOST_LINKS):
        folder = os.path.realpath(os.path.dirname(path))
        if _DESCRIPTORS.fullmatch(folder):
            return True
        if not os.path.islink(path):
            return False
        path = os.path.join(folder, os.readlink(path))
    return False


def _identity(path: str | Path) -> tuple[int, int] | None:
    """What links to one file share; None where there is no plain file."""
    try:
        found = os.fstat(sys.stdin.fileno()) if path == "-" else os.stat(path)
    except (OSError, ValueError, AttributeError):
        return None
    return (found.st_dev, found.st_ino) if stat.S_ISREG(found.st_mode) else None
