"""Tables of numbers as text, ``.csv``: a row a line, with or without a line of names above them."""

from __future__ import annotations

import contextlib
import csv
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TextIO

import numpy as np

from ltc.vectors.shapes import as_single
from ltc.vectors.vectors import PIECE

__all__ = ["csv_dim", "csv_pieces"]

# What may stand between numbers; the first of them that the first line has.
_DELIMITERS = (",", ";", "\t")


def csv_dim(path: Path) -> int:
    """Components of a file's rows."""
    with _opened(path) as (_, first, delimiter):
        return len(_fields(first, delimiter))


def csv_pieces(path: Path) -> Iterator[np.ndarray]:
    """All rows of a file, float32 [count, dim], a piece at a time.

    Numbers stand between commas, semicolons or tabs, whichever the first line has; that line is one of names if
    something in it is no number.

    Raises:
        ValueError: if a line is no row of numbers, as many as the first line has.
    """
    with _opened(path) as (file, first, delimiter):
        fields = _fields(first, delimiter)
        dim = len(fields)
        lines: Iterator[str] = file if any(_is_name(field) for field in fields) else itertools.chain([first], file)
        line, row = 1 + (lines is file), 0
        while part := list(itertools.islice(lines, max(1, PIECE // dim))):
            table = _table(part, delimiter, dim, str(path), line)
            line += len(part)
            if len(table):
                yield as_single(table, str(path), row)
            row += len(table)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[tuple[TextIO, str, str]]:
    """The file after its first line, that line, and what stands between numbers."""
    try:
        # With the mark that spreadsheets put at the beginning, or without.
        with path.open(encoding="utf-8-sig") as file:
            first = file.readline()
            if not first.strip():
                raise ValueError(f"{path} begins with an empty line; a .csv file has a row of numbers in each.")
            yield file, first, next((mark for mark in _DELIMITERS if mark in first), ",")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is no .csv file: it is no text.") from error


def _table(lines: list[str], delimiter: str, dim: int, name: str, line: int) -> np.ndarray:
    """The numbers of some lines, float64 [rows, dim]; empty lines are none."""
    full = [(line + i, text) for i, text in enumerate(lines) if text.strip()]
    if not full:
        return np.empty((0, dim))
    try:
        found = np.loadtxt([text for _, text in full], delimiter=delimiter, comments=None, quotechar='"', ndmin=2)
        if found.shape == (len(full), dim):
            return found
    except ValueError:
        pass
    number, text = next(((i, text) for i, text in full if not _is_row(text, delimiter, dim)), full[0])
    shown = text.strip() if len(text) < 60 else text[:57] + "..."
    raise ValueError(f"{name}, line {number}: '{shown}' is no row of {dim} numbers.")


def _fields(text: str, delimiter: str) -> Sequence[str]:
    return next(csv.reader([text], delimiter=delimiter))


def _is_row(text: str, delimiter: str, dim: int) -> bool:
    fields = _fields(text, delimiter)
    return len(fields) == dim and not any(_is_name(field) or not field.strip() for field in fields)


def _is_name(field: str) -> bool:
    """Whether a field is something, and no number."""
    try:
        float(field)
    except ValueError:
        return bool(field.strip())
    return False
