"""The integers of a chunk as bytes: those of each class and parity together, with one table."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import constriction
import numba
import numpy as np

from ltc.arrays.model import ESCAPED, LARGEST, Model
from ltc.arrays.priors import Prior
from ltc.coding.errors import CorruptStream
from ltc.coding.file_fields import FieldReader, varint
from ltc.coding.frequencies import counts

__all__ = ["Decoder", "Encoder", "read_classes", "read_counts", "read_integers", "write_classes", "write_integers"]

_Categorical = constriction.stream.model.Categorical
_Uniform = constriction.stream.model.Uniform
Encoder = constriction.stream.queue.RangeEncoder
Decoder = constriction.stream.queue.RangeDecoder

# Bits that are coded as they are, at once.
_AT_ONCE = 16


def write_integers(model: Model, k: np.ndarray, kind: np.ndarray, encoder: Any) -> bytes:
    """Codes the integers of a chunk.

    Args:
        model: the array's.
        k: int32 [n].
        kind: their classes, uint8 [n].
        encoder: takes them.

    Returns:
        How many of each class followed in an even state, which a decoder must know before.
    """
    classes, parities = len(model.priors), model.code.parities
    symbols, starts = _sorted(k, kind, classes, parities)
    ends = np.append(starts[1:], len(k))
    for i, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        if start < end:
            c, p = divmod(i, parities)
            _write(encoder, symbols[start:end], model.priors[c], model.priors[c].tables()[p])
    even = np.diff(np.append(starts, len(k)))[::parities]
    return b"".join(varint(int(count)) for count in even) if parities == 2 else b""


def read_counts(model: Model, fields: FieldReader) -> np.ndarray:
    """What ``write_integers`` returned: int64 [classes]."""
    count = len(model.priors) if model.code.parities == 2 else 0
    return np.array([fields.varint() for _ in range(count)], np.int64)


def read_integers(model: Model, kind: np.ndarray, even: np.ndarray, decoder: Any) -> np.ndarray:
    """The integers of a chunk, int32 [n].

    Args:
        model: the array's.
        kind: their classes, uint8 [n].
        even: of ``read_counts``.
        decoder: of the bitstream.

    Raises:
        CorruptStream: if no encoder wrote it.
    """
    from ltc.lattices.kernels.rated_viterbi import walk_sequences

    classes, parities = len(model.priors), model.code.parities
    sizes = np.bincount(kind, minlength=classes).astype(np.int64)
    if parities == 2:
        if (even > sizes).any():
            raise CorruptStream("the file is damaged: a chunk's counts are impossible")
        sizes = np.stack([even, sizes - even], 1).ravel()
    starts = np.cumsum(sizes) - sizes
    symbols = np.empty(len(kind), np.int32)
    for i, (start, size) in enumerate(zip(starts.tolist(), sizes.tolist(), strict=True)):
        if size:
            c, p = divmod(i, parities)
            symbols[start : start + size] = _read(decoder, size, model.priors[c], model.priors[c].tables()[p])
    k = np.empty(len(kind), np.int32)
    if parities == 1:
        k[np.argsort(kind, kind="stable")] = symbols
        return k
    if not walk_sequences(symbols, starts.reshape(-1, 2), kind, model.code.after, model.code.length, k):
        raise CorruptStream("the bitstream holds integers that are no path of the trellis")
    return k


def write_classes(chances: np.ndarray, of_block: np.ndarray, encoder: Any) -> None:
    """Codes the classes of blocks, with the counts of the model."""
    encoder.encode(of_block.astype(np.int32), _class_table(chances))


def read_classes(chances: np.ndarray, count: int, decoder: Any) -> np.ndarray:
    """The classes of blocks, uint8 [count].

    Raises:
        CorruptStream: if no encoder wrote them.
    """
    found = _checked(lambda: decoder.decode(_class_table(chances), count))
    if (found >= len(chances)).any():
        raise CorruptStream("the bitstream holds a class that there is none of")
    return found.astype(np.uint8)


def _class_table(chances: np.ndarray) -> Any:
    return _Categorical(counts(1.0 + chances[None])[0], perfect=False)


def _write(encoder: Any, j: np.ndarray, prior: Prior, table: np.ndarray) -> None:
    entries = prior.high - prior.low
    h = (j >> prior.shift) - prior.low if prior.shift else j - prior.low
    outside = (h < 0) | (h >= entries)
    escapes = bool(outside.any())
    if escapes:
        h[outside] = entries
    encoder.encode(h, _Categorical(table, perfect=False))
    low = j[~outside] if escapes else j
    for at in range(0, prior.shift if len(low) else 0, _AT_ONCE):
        width = min(_AT_ONCE, prior.shift - at)
        encoder.encode((low >> at) & ((1 << width) - 1), _Uniform(1 << width))
    if escapes:
        far = j[outside].view(np.uint32)
        for at in range(0, ESCAPED, _AT_ONCE):
            encoder.encode(((far >> at) & 0xFFFF).astype(np.int32), _Uniform(1 << _AT_ONCE))


def _read(decoder: Any, count: int, prior: Prior, table: np.ndarray) -> np.ndarray:
    entries = prior.high - prior.low
    h = _checked(lambda: decoder.decode(_Categorical(table, perfect=False), count))
    outside = h == entries
    escapes = bool(outside.any())
    j = h.astype(np.int64) + prior.low
    j <<= prior.shift
    inside = ~outside
    some = count - int(outside.sum())
    for at in range(0, prior.shift if some else 0, _AT_ONCE):
        width = min(_AT_ONCE, prior.shift - at)
        bits = _checked(functools.partial(decoder.decode, _Uniform(1 << width), some)).astype(np.int64) << at
        if escapes:
            j[inside] += bits
        else:
            j += bits
    if escapes:
        far = np.zeros(count - some, np.uint32)
        for at in range(0, ESCAPED, _AT_ONCE):
            bits = _checked(lambda: decoder.decode(_Uniform(1 << _AT_ONCE), count - some))
            far |= bits.astype(np.uint32) << np.uint32(at)
        j[outside] = far.view(np.int32)
    if j.min() < -LARGEST or j.max() > LARGEST:
        raise CorruptStream("the bitstream holds an integer that is larger than any that was written")
    return j.astype(np.int32)


def _checked(decode: Callable[[], np.ndarray]) -> np.ndarray:
    try:
        return decode()
    except (AssertionError, ValueError) as error:
        raise CorruptStream("the bitstream is not a code for these tables") from error


@numba.njit(cache=True, nogil=True)
def _sorted(k, kind, classes, parities):  # type: ignore[no-untyped-def]
    """Indices j of each class and parity together, in order, and where each of these begins."""
    counts = np.zeros(classes * parities, np.int64)
    odd = parities - 1
    for i in range(len(k)):
        counts[kind[i] * parities + (k[i] & odd)] += 1
    starts = np.cumsum(counts) - counts
    at = starts.copy()
    j = np.empty(len(k), np.int32)
    for i in range(len(k)):
        place = kind[i] * parities + (k[i] & odd)
        j[at[place]] = k[i] >> odd
        at[place] += 1
    return j, starts
