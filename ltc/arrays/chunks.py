"""A chunk of an array to bytes and back."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np

from ltc.arrays.classes import Choice, block_classes
from ltc.arrays.exceptions import read_exceptions, write_exceptions
from ltc.arrays.model import Model
from ltc.arrays.number_types import NumberType
from ltc.arrays.symbols import (
    Decoder,
    Encoder,
    read_classes,
    read_counts,
    read_integers,
    write_classes,
    write_integers,
)
from ltc.coding.errors import CorruptStream
from ltc.coding.file_fields import FieldReader, varint

__all__ = ["Errors", "decode_chunk", "encode_chunk"]


@dataclass(frozen=True)
class Errors:
    """How far decoded numbers are from what was packed.

    Attributes:
        count: finite numbers.
        squares: sum of their squared errors.
        largest: of the absolute errors.
    """

    count: int = 0
    squares: float = 0.0
    largest: float = 0.0

    def __add__(self, other: Errors) -> Errors:
        return Errors(self.count + other.count, self.squares + other.squares, max(self.largest, other.largest))


def encode_chunk(
    model: Model, choice: Choice, numbers: NumberType, raw: np.ndarray, start: int, most: float = np.inf
) -> tuple[bytes, Errors]:
    """Codes consecutive numbers.

    Args:
        model: of the array.
        choice: how blocks get their classes.
        numbers: the array's type.
        raw: its numbers from ``start`` on, as they are stored [n].
        start: their place in the array.
        most: the largest error; what would be wrong by more is kept exactly.

    Returns:
        What ``decode_chunk`` reads, and the errors.
    """
    layout, x = model.layout, numbers.numbers(raw)
    encoder = Encoder()
    offsets = layout.offsets_at(start, len(x))
    if layout.kind == 2:
        of_block = block_classes(choice, x)
        assert layout.chances is not None
        write_classes(layout.chances, of_block, encoder)
        kind = np.repeat(of_block, layout.length)[: len(x)]
    else:
        kind = layout.classes_at(start, len(x))
    with np.errstate(invalid="ignore", over="ignore"):
        kept = ~(np.abs(np.subtract(x, offsets, dtype=np.float64)) <= model.reach)
    still = kind == layout.classes if layout.kind else np.zeros(0, bool)
    coded = ~(kept | still) if layout.kind else ~kept
    if layout.kind == 1:
        kept &= ~still
    part = _Part(coded)
    y = model.in_steps(part.of(x), part.of(offsets))
    kind = part.of(kind)
    k = model.quantize(y, kind)
    back = numbers.stored(model.decoded(k, kind, part.of(offsets)))
    with np.errstate(over="ignore"):
        error = numbers.numbers(back).astype(np.float64) - part.of(x)
    wrong = np.abs(error) > most
    if wrong.any():
        # Only rounding is asked for that: there every integer stands for itself, and can be left out.
        kept[np.flatnonzero(coded)[wrong]] = True
        k, kind, error = k[~wrong], kind[~wrong], error[~wrong]
    head = write_integers(model, k, kind, encoder)
    words = encoder.get_compressed().astype("<u4").tobytes()
    body = head + write_exceptions(kept, raw) + varint(len(words)) + words
    finite = len(x) if part.whole else int(np.isfinite(x).sum())
    return body, Errors(finite, float(np.dot(error, error)), float(np.abs(error).max(initial=0.0)))


def decode_chunk(model: Model, numbers: NumberType, data: bytes, start: int, count: int) -> np.ndarray:
    """The numbers of a chunk, as they are stored [count].

    Raises:
        CorruptStream: if no encoder wrote it.
    """
    layout, stored = model.layout, numbers.raw
    file = io.BytesIO(data)
    fields = FieldReader(file)
    even = read_counts(model, fields)
    kept, values = read_exceptions(fields, count, stored)
    words = fields.read(fields.varint())
    if len(words) % 4 or file.read(1):
        raise CorruptStream("the file is damaged: a chunk's length is wrong")
    decoder = Decoder(np.frombuffer(words, "<u4").astype(np.uint32))
    if layout.kind == 2:
        assert layout.chances is not None
        of_block = read_classes(layout.chances, -(-count // layout.length), decoder)
        kind = np.repeat(of_block, layout.length)[:count]
    else:
        kind = layout.classes_at(start, count)
    still = kind == layout.classes if layout.kind else np.zeros(count, bool)
    part = _Part(~(kept | still))
    kind, offsets = part.of(kind), part.of(layout.offsets_at(start, count))
    k = read_integers(model, kind, even, decoder)
    found = numbers.stored(model.decoded(k, kind, offsets))
    if part.whole:
        return found
    raw = np.zeros(count, stored)
    raw[part.which] = found
    if layout.kind == 1:
        layout.constants_at(raw, start, still)
    raw[kept] = values
    return raw


class _Part:
    """Some of a chunk's numbers; without a copy where they are all."""

    def __init__(self, which: np.ndarray) -> None:
        self.which, self.whole = which, bool(which.all())

    def of(self, values):  # type: ignore[no-untyped-def]
        return values if self.whole or not isinstance(values, np.ndarray) else values[self.which]
