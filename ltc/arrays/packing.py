"""Arrays to a file and back, chunk by chunk: memory does not depend on their size."""

from __future__ import annotations

import math
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any, BinaryIO, Protocol, TypeVar

import numpy as np

from ltc.arrays.chunks import Errors, decode_chunk, encode_chunk
from ltc.arrays.codes import DEFAULT, get_code
from ltc.arrays.container import (
    CONSTANT,
    EXACT,
    LOSSY,
    Record,
    read_ends,
    read_header,
    read_record,
    write_ends,
    write_header,
    write_record,
)
from ltc.arrays.exact import read_exact, write_exact
from ltc.arrays.exceptions import write_exceptions
from ltc.arrays.fitting import Fit, fit_model
from ltc.arrays.goals import Goal
from ltc.arrays.model import Model
from ltc.arrays.scan import Scan, Source, scanned
from ltc.coding.file_fields import read_chunk, write_chunk

__all__ = ["Sink", "pack_sources", "unpack_file"]

# Numbers of a chunk, about; exact ones have smaller chunks, whose bytes are less alike.
_CHUNK = 1 << 19
# Bits that vectors among the tensors of a network have more than its matrices: they are few, and matter.
_VECTORS = 6.0
# Arrays of fewer numbers are kept as they are: a model is as long.
_FEW = 16
# Numbers that tell what keeping all of them exactly would take.
_LOOK = 1 << 15
# Integers below it are exact as float64.
_LARGEST_INTEGER = 1 << 52

T = TypeVar("T")


class Sink(Protocol):
    """Takes arrays, piece by piece."""

    def begin(self, kind: int, notes: bytes, arrays: int) -> None:
        """Before the first array."""

    def array(self, record: Record) -> Callable[[np.ndarray], None]:
        """Before an array's numbers: what takes them, as they are stored."""

    def end(self) -> None:
        """After the last array."""


def pack_sources(
    sources: Sequence[Source],
    file: BinaryIO,
    goal: Goal,
    kind: int,
    notes: bytes = b"",
    code: str | None = None,
    threads: int | None = None,
    progress: Callable[[int], None] = lambda numbers: None,
) -> list[Errors]:
    """Writes arrays.

    Args:
        sources: the arrays.
        file: open for writing.
        goal: what the file shall be.
        kind: of the file, see ``ltc.arrays.container``.
        notes: of a safetensors file, its metadata.
        code: name of the quantizer; None for the default, and for rounding where errors have a limit.
        threads: that code chunks at once; None for one a core. No file depends on it.
        progress: told how many numbers were coded.

    Returns:
        What was lost in each array.

    Raises:
        ValueError: if the goal is none for these arrays.
    """
    name = code or ("z" if goal.max_error is not None else DEFAULT)
    if goal.max_error is not None and name != "z":
        raise ValueError(f"Only rounding, the code z, keeps errors below a limit; {name} does not.")
    get_code(name)
    write_header(file, kind, len(sources), notes)
    lost = []
    with _Threads(threads) as pool:
        for source, own in zip(sources, _shared(sources, goal), strict=True):
            lost.append(_pack_one(source, file, own, name, pool, progress))
    write_ends(file, lost)
    return lost


def _shared(sources: Sequence[Source], goal: Goal) -> list[Goal]:
    """The goal of each array: with bits, those with two axes or more have as many each, vectors among them more."""
    exact = Goal(exact=True)
    if len(sources) == 1:
        return [goal if sources[0].type.is_lossy else exact]
    # Integers among several arrays are counters and indices.
    lossy = [source.type.is_float for source in sources]
    if goal.bits is None:
        return [goal if can else exact for can in lossy]
    numbers = sum(s.size for s, can in zip(sources, lossy, strict=True) if can)
    vectors = sum(s.size for s, can in zip(sources, lossy, strict=True) if can and len(s.shape) < 2)
    most = _VECTORS if vectors < numbers else 0.0
    base = max(goal.bits - most * vectors / max(1, numbers), goal.bits / 2)
    return [
        (Goal(bits=base + (most if len(s.shape) < 2 else 0.0)) if can else exact)
        for s, can in zip(sources, lossy, strict=True)
    ]


def _pack_one(
    source: Source, file: BinaryIO, goal: Goal, code: str, pool: _Threads, progress: Callable[[int], None]
) -> Errors:
    how, model, numbers, fit = EXACT, b"", _CHUNK, None
    most = math.inf
    if source.size:
        found = scanned(source)
        if found.constant:
            how, model = CONSTANT, source.read(0, 1).tobytes()
        elif found.finite and source.type.is_lossy:
            fit, most = _fit(source, found, goal, code, pool.executor)
    if fit is not None:
        how, model = LOSSY, fit.model.to_bytes()
        layout = fit.model.layout
        if layout.kind == 2:
            numbers = max(1, _CHUNK // layout.length) * layout.length
    record = Record(source.name, source.type, source.shape, source.fortran, how, numbers, model)
    write_record(file, record)
    if how == CONSTANT:
        progress(source.size)
        finite = source.size if found.finite else 0
        return Errors(finite)

    def coded(chunk: int) -> Callable[[], tuple[bytes, Errors]]:
        start, stop = chunk * numbers, min((chunk + 1) * numbers, source.size)
        raw = source.read(start, stop)
        if fit is None:
            return lambda: (write_exact(raw), Errors(len(raw)))
        return lambda: encode_chunk(fit.model, fit.choice, source.type, raw, start, most)

    total = Errors()
    for chunk, (body, lost) in enumerate(pool.in_order(map(coded, range(record.chunks)))):
        write_chunk(file, body)
        total += lost
        progress(min(numbers, source.size - chunk * numbers))
    return total


def _fit(source: Source, found: Scan, goal: Goal, code: str, pool: Executor | None) -> tuple[Fit | None, float]:
    """A model, and the largest error that chunks may have with it; no model if the array is better kept exactly."""
    whole = source.type.is_integer
    spread = min(found.high - found.low, 1e150) ** 2
    # Squares of such numbers are none; integers as large have neighbours that a float64 does not know.
    if not 1e-280 < spread < 1e280 or (whole and max(abs(found.low), abs(found.high)) >= _LARGEST_INTEGER):
        return None, math.inf
    if (goal.exact and not whole) or found.finite < _FEW:
        return None, math.inf
    part = source.read(0, min(source.size, _LOOK))
    kept = ~np.isfinite(source.type.numbers(part))
    overhead = 80 + len(source.name) + len(write_exceptions(kept, part)) * found.size // len(part)
    shape = source.shape[::-1] if source.fortran else source.shape

    def fitted(goal: Goal, code: str) -> Fit | None:
        fit = fit_model(found, shape, goal, get_code(code), overhead, whole, pool)
        return fit if math.isfinite(1 / fit.model.step) and math.isfinite(fit.rate) else None

    # Steps of one keep integers as they are.
    exact = fitted(Goal(max_error=0.5), "z") if whole else None
    rate = min(8 * len(write_exact(part)) / len(part), exact.rate if exact else math.inf)
    if exact is not None and exact.rate > rate:
        exact = None
    if goal.exact or (whole and goal.max_error is not None and goal.max_error < 1):
        return exact, 0.0
    if whole and goal.max_error is not None:
        # The largest odd step, so that integers are decoded as integers.
        goal = Goal(max_error=math.floor(goal.max_error) + 0.5)
    fit = fitted(goal, code)
    if fit is None or rate <= fit.rate:
        return exact, 0.0
    return fit, goal.max_error if goal.max_error is not None else math.inf


def unpack_file(
    file: BinaryIO, sink: Sink, threads: int | None = None, progress: Callable[[int], None] = lambda numbers: None
) -> list[Errors]:
    """Reads arrays.

    Args:
        file: open for reading.
        sink: takes them.
        threads: that decode chunks at once; None for one a core.
        progress: told how many numbers were decoded.

    Returns:
        What was lost in each array when they were packed.

    Raises:
        CorruptStream: if it is no such file, or a damaged one.
    """
    kind, arrays, notes = read_header(file)
    sink.begin(kind, notes, arrays)
    with _Threads(threads) as pool:
        for _ in range(arrays):
            record = read_record(file)
            take = sink.array(record)
            for raw in _pieces(file, record, pool):
                take(raw)
                progress(len(raw))
    lost = read_ends(file, arrays)
    sink.end()
    return lost


def _pieces(file: BinaryIO, record: Record, pool: _Threads) -> Iterator[np.ndarray]:
    stored, size, numbers = record.type.raw, record.size, record.numbers
    if record.kind == CONSTANT:
        value = np.frombuffer(record.model, stored)
        for start in range(0, size, numbers):
            yield np.repeat(value, min(numbers, size - start))
        return
    model = Model.from_bytes(record.model, stored) if record.kind == LOSSY else None

    def decoded(chunk: int) -> Callable[[], np.ndarray]:
        data, start = read_chunk(file), chunk * numbers
        count = min(numbers, size - start)
        if model is None:
            return lambda: read_exact(data, count, stored)
        return lambda: decode_chunk(model, record.type, data, start, count)

    yield from pool.in_order(map(decoded, range(record.chunks)))


class _Threads:
    """Work on several threads, its results in order; a few of them at once."""

    def __init__(self, threads: int | None) -> None:
        self._count = threads or os.cpu_count() or 1
        self._pool: ThreadPoolExecutor | None = None

    def __enter__(self) -> _Threads:
        return self

    def __exit__(self, *_: Any) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    @property
    def executor(self) -> Executor | None:
        """The threads, where there is more than one."""
        if self._count > 1 and self._pool is None:
            self._pool = ThreadPoolExecutor(self._count, thread_name_prefix="ltc-arrays")
        return self._pool

    def in_order(self, work: Iterable[Callable[[], T]]) -> Iterator[T]:
        """The results of all pieces of work, each of which is taken when a thread will soon have time for it."""
        waiting: deque[Future[T]] = deque()
        for piece in work:
            if self.executor is None:
                yield piece()
                continue
            waiting.append(self.executor.submit(piece))
            if len(waiting) > self._count:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
