"""What a file knows of its array: step, code, classes and priors; numbers to integers and back."""

from __future__ import annotations

import functools
import zlib
from concurrent.futures import Executor
from dataclasses import dataclass

import numba
import numpy as np

from ltc.arrays.codes import Code, code_names, get_code
from ltc.arrays.layouts import Layout
from ltc.arrays.priors import MOST_ENTRIES, Prior, inward_of
from ltc.arrays.squeezed import inflated
from ltc.coding.errors import CorruptStream
from ltc.coding.file_fields import FieldReader, varint

__all__ = ["ESCAPED", "LARGEST", "Model"]

LARGEST = float(1 << 30)
"""Integers are below this in absolute value: numbers further out are kept as they are."""

ESCAPED = 32
"""Bits of an index that has no entry, beside the escape."""

# Integers on each side of zero whose points and bits the search finds in tables.
_MOST_TABULATED = 1 << 14
# Beyond them a float32 has too few digits for a number in steps.
_SINGLE = 1 << 12
# Where float32 is enough, of an integer this large it still has sixteenths.
_FAR = float(1 << 20)


@dataclass(frozen=True)
class Model:
    """A model of one array.

    Attributes:
        code: the quantizer.
        step: between integers.
        layout: which numbers are alike.
        priors: of each class.
        weight: lambda times the step's square: what the search weighs errors with; not in the file.
    """

    code: Code
    step: float
    layout: Layout
    priors: tuple[Prior, ...]
    weight: float = 0.0

    def in_steps(self, x: np.ndarray, offsets: np.ndarray | float) -> np.ndarray:
        """Numbers [n], offset subtracted, in steps, such that points are integers: float32 if enough, else float64."""
        y = np.subtract(x, offsets, dtype=np.float64)
        y *= 1 / self.step
        y -= self._half
        return y.astype(np.float32) if self._middle <= _SINGLE else y

    @property
    def reach(self) -> float:
        """Numbers further than this from their offset are kept: their integers would have too many digits."""
        return self.step * (LARGEST / 2 if self._middle > _SINGLE else _FAR)

    def quantize(
        self, y: np.ndarray, kind: np.ndarray, pool: Executor | None = None, length: int | None = None
    ) -> np.ndarray:
        """The integers, int32, of numbers in steps [n] with their classes, by the least cost.

        Args:
            y: of ``in_steps``.
            kind: uint8 [n], below the number of classes.
            pool: threads for it; the integers do not depend on them.
            length: of a sequence; the code's own if None. With shorter ones a few numbers are as fast as many.
        """
        bits, inward = self.tables
        k = np.empty(len(y), np.int32)
        weight, length = np.float32(self.weight), length or self.code.length

        def piece(part: slice) -> None:
            self.code.quantize(y[part], kind[part], bits, inward, weight, length, k[part])

        size = self.code.at_once * length
        if pool is None or len(y) <= size:
            piece(slice(0, len(y)))
        else:
            list(pool.map(piece, [slice(at, at + size) for at in range(0, len(y), size)]))
        return k

    def bits(self, k: np.ndarray, kind: np.ndarray) -> float:
        """Of integers with their classes, all together."""
        total = 0.0
        for c, prior in enumerate(self.priors):
            own = k if len(self.priors) == 1 else k[kind == c]
            parity = own & (prior.parities - 1)
            at = (own >> (prior.parities - 1 + prior.shift)) - prior.low
            entries = prior.high - prior.low
            inside = (at >= 0) & (at < entries)
            total += float(prior.costs()[parity, np.where(inside, at, entries)].sum())
            total += prior.shift * int(inside.sum()) + ESCAPED * int(len(own) - inside.sum())
        return total

    def decoded(self, k: np.ndarray, kind: np.ndarray, offsets: np.ndarray | float) -> np.ndarray:
        """The numbers, float64, that integers stand for."""
        found = np.empty(len(k))
        offsets = np.broadcast_to(np.asarray(offsets, np.float64), k.shape)
        _decode(k, kind, self.tables[1], self._half, self.step, offsets, found)
        return found

    @property
    def _half(self) -> float:
        """Where the point of k = 0 is, in steps."""
        return (self.code.parities - 1) / 2

    @functools.cached_property
    def _middle(self) -> int:
        ends = [(max(-p.low, p.high) << p.shift) * p.parities for p in self.priors]
        return min(max(16, *ends), _MOST_TABULATED)

    @functools.cached_property
    def tables(self) -> tuple[np.ndarray, np.ndarray]:
        """Bits of the integers of each class, and point less integer: float32 [classes, 2 * middle]."""
        k = np.arange(-self._middle, self._middle)
        bits, inward = (np.empty((len(self.priors), len(k)), np.float32) for _ in range(2))
        for i, prior in enumerate(self.priors):
            parity = k % prior.parities
            h = ((k - parity) // prior.parities) >> prior.shift
            entries = prior.high - prior.low
            at = np.where((h >= prior.low) & (h < prior.high), h - prior.low, entries)
            escaped = 16.0 + 2 * np.log2(1 + np.abs(k))
            bits[i] = prior.costs()[parity, at] + np.where(at == entries, escaped, prior.shift)
            inward[i] = inward_of(prior, k)
        return bits, inward

    def to_bytes(self) -> bytes:
        """What ``from_bytes`` reads."""
        body = bytes([code_names().index(self.code.name)]) + np.array([self.step], "<f8").tobytes()
        body += varint(self.code.length) + self.layout.to_bytes()
        body += b"".join(prior.to_bytes() for prior in self.priors)
        squeezed = zlib.compress(body, 9)
        return b"\1" + squeezed if len(squeezed) < len(body) else b"\0" + body

    @staticmethod
    def from_bytes(data: bytes, stored: np.dtype) -> Model:
        """From a file.

        Args:
            data: what ``to_bytes`` gave.
            stored: the type of the array.

        Raises:
            CorruptStream: if there is no such model.
        """
        import io

        body = data[1:]
        if data[:1] == b"\1":
            body = inflated(body, 1 << 24, "the model in the file is damaged")
        fields = FieldReader(io.BytesIO(body))
        name = fields.read(1)[0]
        if name >= len(code_names()):
            raise CorruptStream("the file needs a code that this program does not know")
        code = get_code(code_names()[name])
        step = float(np.frombuffer(fields.read(8), "<f8")[0])
        if fields.varint() != code.length or not np.isfinite(step) or step <= 0:
            raise CorruptStream("the model in the file is damaged")
        layout = Layout.read(fields, stored)
        priors = tuple(Prior.read(fields, code.parities) for _ in range(layout.classes))
        if any((max(-p.low, p.high) << p.shift) * p.parities > 1 << 62 for p in priors):
            raise CorruptStream("the model in the file is damaged")
        return Model(code, step, layout, priors)


@numba.njit(cache=True, nogil=True)
def _decode(k, kind, inward, half, step, offsets, found):  # type: ignore[no-untyped-def]
    """Each operation is rounded for itself, so that every machine decodes the same."""
    middle = inward.shape[1] // 2
    for i in range(len(k)):
        point = k[i] + half
        if -middle <= k[i] < middle:
            point += np.float64(inward[kind[i], k[i] + middle])
        found[i] = point * step + offsets[i]


assert MOST_ENTRIES << 4 <= _MOST_TABULATED
