"""Constriction's range coder with tables of integer counts, and escapes for symbols outside a table."""

from __future__ import annotations

import constriction
import numpy as np

from ltc.coding.errors import CorruptStream

__all__ = ["Decoder", "Encoder"]

_Categorical = constriction.stream.model.Categorical
_Uniform = constriction.stream.model.Uniform
_BY_ROW = _Categorical(perfect=False)

# Floats of the tables that are laid out at once.
_CHUNK = 1 << 22

_SIXTEEN = 1 << 16
_DIGITS = _Uniform(_SIXTEEN)
_LENGTHS = _Uniform(64)


class Encoder:
    """Writes symbols, first in, first out."""

    def __init__(self) -> None:
        self._coder = constriction.stream.queue.RangeEncoder()

    def symbols(self, symbols: np.ndarray, tables: np.ndarray, rows: np.ndarray | None) -> None:
        """Writes each symbol with its table.

        Args:
            symbols: integers [count].
            tables: of :func:`~ltc.coding.counts.counts`, [tables, symbols].
            rows: which table a symbol has [count]; None if there is one table for each symbol, in order.
        """
        symbols = np.ascontiguousarray(symbols, dtype=np.int32)
        if rows is not None and len(tables) == 1:
            self._coder.encode(symbols, _Categorical(tables[0], perfect=False))
            return
        for part in _parts(len(symbols), tables.shape[1]):
            self._coder.encode(symbols[part], _BY_ROW, _lay_out(tables, rows, part))

    def integers(self, values: np.ndarray) -> None:
        """Writes integers below 2^62 in absolute value, in about twice their length in bits.

        Each is a length in bits L of |value| (6 bits), a sign (16 bits), and the digits of |value| to the base 2^16,
        the lowest first, as many as L bits need.
        """
        for value in values.tolist():
            size = abs(value)
            self._coder.encode(np.array([size.bit_length()], dtype=np.int32), _LENGTHS)
            digits = [int(value < 0)]
            while size:
                digits.append(size % _SIXTEEN)
                size //= _SIXTEEN
            self._coder.encode(np.array(digits, dtype=np.int32), _DIGITS)

    def getvalue(self) -> bytes:
        """What was written: 32-bit words, each with its lowest byte first."""
        return self._coder.get_compressed().astype("<u4").tobytes()


class Decoder:
    """Reads what an :class:`Encoder` wrote.

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
        found = np.empty(count, dtype=np.int32)
        for part in _parts(count, tables.shape[1]):
            found[part] = self._read(_BY_ROW, _lay_out(tables, rows, part))
        return found

    def integers(self, count: int) -> np.ndarray:
        """Reads integers: int64 [count]."""
        found = np.empty(count, dtype=np.int64)
        for i in range(count):
            length = int(self._read(_LENGTHS, 1)[0])
            if length > 62:
                raise CorruptStream("an escaped integer has more than 62 bits")
            sign, *digits = self._read(_DIGITS, 1 + -(-length // 16)).tolist()
            size = sum(d << (16 * j) for j, d in enumerate(digits))
            if size.bit_length() != length:
                raise CorruptStream("an escaped integer has not the length that it says")
            found[i] = -size if sign else size
        return found

    def _read(self, *arguments: object) -> np.ndarray:
        try:
            return self._coder.decode(*arguments)
        except (AssertionError, ValueError) as error:
            raise CorruptStream("the bitstream is not a code for these tables") from error


def _parts(count: int, symbols: int) -> list[slice]:
    size = max(1, _CHUNK // symbols)
    return [slice(first, min(first + size, count)) for first in range(0, count, size)]


def _lay_out(tables: np.ndarray, rows: np.ndarray | None, part: slice) -> np.ndarray:
    return tables[part] if rows is None else tables.take(rows[part], axis=0)
