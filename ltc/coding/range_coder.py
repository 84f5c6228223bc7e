"""Constriction's range coder with tables of integer counts, and escapes for symbols outside a table."""

from __future__ import annotations

import constriction
import numpy as np

from ltc.coding.errors import CorruptStream

__all__ = ["LARGEST", "Decoder", "Encoder", "symbol_model"]

LARGEST = 1 << 53
"""Integers of coordinates are below this in absolute value: floating-point points have no more digits."""

_Categorical = constriction.stream.model.Categorical
_Uniform = constriction.stream.model.Uniform
_BY_ROW = _Categorical(perfect=False)

# Floats of the tables that are laid out at once.
_CHUNK = 1 << 22

_LENGTHS, _SIGN = _Uniform(64), _Uniform(2)

# Bits of an escaped integer that are written at once.
_AT_ONCE = 16


def symbol_model(table: np.ndarray) -> object:
    """One table of ``ltc.coding.frequencies.counts`` [symbols] for ``Decoder.symbol``; to be made once."""
    return _Categorical(table, perfect=False)


class Encoder:
    """Writes symbols, first in, first out."""

    def __init__(self) -> None:
        self._coder = constriction.stream.queue.RangeEncoder()

    def symbols(self, symbols: np.ndarray, tables: np.ndarray, rows: np.ndarray | None) -> None:
        """Writes each symbol with its table.

        Args:
            symbols: integers [count].
            tables: of ``ltc.coding.frequencies.counts``, [tables, symbols].
            rows: which table a symbol has [count]; None if there is one table for each symbol, in order.
        """
        symbols = np.ascontiguousarray(symbols, dtype=np.int32)
        if rows is not None and len(tables) == 1:
            self._coder.encode(symbols, _Categorical(tables[0], perfect=False))
            return
        if rows is None:
            self._coder.encode(symbols, _BY_ROW, tables)
            return
        for part in _batches(len(symbols), tables.shape[1]):
            self._coder.encode(symbols[part], _BY_ROW, tables.take(rows[part], axis=0))

    def integers(self, values: np.ndarray) -> None:
        """Writes integers below 2^62 in absolute value, in 6 bits more than they have with their sign.

        Each is the length in bits L of |value| (6 bits), and unless that is zero the sign (1 bit) and the bits of
        |value| below the leading one, 16 at a time, the lowest first.
        """
        for value in values.tolist():
            size = abs(value)
            length = size.bit_length()
            self._encode_symbol(length, _LENGTHS)
            if length:
                self._encode_symbol(int(value < 0), _SIGN)
            for low in range(0, length - 1, _AT_ONCE):
                width = min(_AT_ONCE, length - 1 - low)
                self._encode_symbol((size >> low) & ((1 << width) - 1), _Uniform(1 << width))

    def _encode_symbol(self, symbol: int, model: object) -> None:
        self._coder.encode(np.array([symbol], dtype=np.int32), model)

    def getvalue(self) -> bytes:
        """What was written: 32-bit words, each with its lowest byte first."""
        return self._coder.get_compressed().astype("<u4").tobytes()


class Decoder:
    """Reads what an ``Encoder`` wrote.

    Raises:
        CorruptStream: if the length is not a multiple of four bytes, here or in any method if the stream is no code.
    """

    def __init__(self, stream: bytes) -> None:
        if len(stream) % 4:
            raise CorruptStream(f"a bitstream is a multiple of 4 bytes long, this one has {len(stream)}")
        self._coder = constriction.stream.queue.RangeDecoder(np.frombuffer(stream, dtype="<u4").astype(np.uint32))

    def symbols(self, count: int, tables: np.ndarray, rows: np.ndarray | None) -> np.ndarray:
        """Reads ``count`` symbols: int32 [count]."""
        if rows is not None and len(tables) == 1:
            return self._read(_Categorical(tables[0], perfect=False), count)
        if rows is None:  # of trellis codes there are thousands of calls, for a few symbols each
            return self._read(_BY_ROW, tables)
        found = np.empty(count, dtype=np.int32)
        for part in _batches(count, tables.shape[1]):
            found[part] = self._read(_BY_ROW, tables.take(rows[part], axis=0))
        return found

    def symbol(self, model: object) -> int:
        """Reads one symbol with a ``symbol_model``, as ``symbols`` does with its table."""
        try:
            return self._coder.decode(model)
        except (AssertionError, ValueError) as error:
            raise CorruptStream("the bitstream is not a code for these tables") from error

    def integers(self, count: int) -> np.ndarray:
        """Reads integers: int64 [count]."""
        found = np.empty(count, dtype=np.int64)
        for i in range(count):
            length = int(self._read(_LENGTHS, 1)[0])
            if length > 62:
                raise CorruptStream("an escaped integer has more than 62 bits")
            negative = bool(length) and bool(self._read(_SIGN, 1)[0])
            size = 1 << (length - 1) if length else 0
            for low in range(0, length - 1, _AT_ONCE):
                width = min(_AT_ONCE, length - 1 - low)
                size += int(self._read(_Uniform(1 << width), 1)[0]) << low
            found[i] = -size if negative else size
        return found

    def escaped(self, count: int) -> np.ndarray:
        """``integers`` that stand for what has no entry in a table, none beyond ``LARGEST``."""
        found = self.integers(count)
        if count and np.abs(found).max() > LARGEST:
            raise CorruptStream("an escaped integer has more digits than any that was written")
        return found

    def _read(self, *arguments: object) -> np.ndarray:
        try:
            return self._coder.decode(*arguments)
        except (AssertionError, ValueError) as error:
            raise CorruptStream("the bitstream is not a code for these tables") from error


def _batches(count: int, symbols: int) -> list[slice]:
    size = max(1, _CHUNK // symbols)
    return [slice(first, min(first + size, count)) for first in range(0, count, size)]
