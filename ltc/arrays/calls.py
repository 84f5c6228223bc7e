"""Arrays to bytes and back, without a training run."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np

from ltc.arrays.goals import Goal
from ltc.arrays.packing import pack_sources, unpack_file
from ltc.arrays.sinks import MemorySink
from ltc.arrays.sources import sources_of

__all__ = ["pack", "unpack"]


def pack(
    array: np.ndarray | Mapping[str, np.ndarray],
    bits: float | None = None,
    *,
    psnr: float | None = None,
    lmbda: float | None = None,
    max_error: float | None = None,
    exact: bool = False,
    code: str | None = None,
    threads: int | None = None,
) -> bytes:
    """Packs an array, or several by name, as the bytes of a file that ``unpack`` reads.

    Step, classes and priors are fitted to the array; integers are those of the least ``rate + lambda * distortion``.
    Where keeping every bit takes no more, every bit is kept; truth values, texts and times are always kept so, and
    integers if there are several arrays. NaN and infinities stay what they are.

    Args:
        array: of any shape, type and order; or a mapping of names to arrays.
        bits: of the file for each number; of several arrays, all in all, where vectors have six more than matrices.
        psnr: decibels, each array's ``10 log10(range^2 / distortion)``.
        lmbda: lambda, in bits and squared units of the array.
        max_error: what no number is wrong by more than.
        exact: keeps every bit.
        code: ``tcq256`` unless it is another of ``ltc.arrays.code_names``; ``z`` is rounding, and what a
            ``max_error`` takes; below 0.8 bit that is also what has the place of others where it is better.
        threads: of the encoder; one a core if None. The bytes do not depend on it.

    Raises:
        ValueError: if there is no goal or more than one, no such code, or an array of Python objects.

    Examples:
        >>> import ltc
        >>> import numpy as np
        >>> weights = np.random.default_rng(0).normal(size=(400, 250)).astype(np.float32)
        >>> data = ltc.pack(weights, bits=2)
        >>> found = ltc.unpack(data)
        >>> found.shape, found.dtype, round(8 * len(data) / weights.size, 1)
        ((400, 250), dtype('float32'), 2.0)
        >>> bool(np.square(found - weights).mean() < 0.07)
        True

    References:
        Fischer & Wang, "Entropy-constrained trellis-coded quantization", IEEE Trans. IT 38 (1992).
    """
    goal = Goal(bits=bits, psnr=psnr, lmbda=lmbda, max_error=max_error, exact=exact)
    sources, kind = sources_of(array)
    file = io.BytesIO()
    pack_sources(sources, file, goal, kind, code=code, threads=threads)
    return file.getvalue()


def unpack(data: bytes, threads: int | None = None) -> Any:
    """The array that ``pack`` was given, or the dict of arrays, as good as the file has them.

    Args:
        data: what ``pack`` returned, or what is in a file of ``ltc pack``.
        threads: of the decoder; one a core if None.

    Returns:
        An array of the same shape, type and order; for several arrays a dict. Tensors of bfloat16 become float32.

    Raises:
        ltc.coding.CorruptStream: if these are no such bytes, or some are damaged or missing.
    """
    sink = MemorySink()
    unpack_file(io.BytesIO(data), sink, threads)
    return sink.value
