"""An array to an `.ltc` file and back, a chunk of blocks at a time: memory does not depend on the array's size."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO, Protocol

import numpy as np
import torch

from ltc.codec.checkpoint import CodecCheckpoint
from ltc.codec.container import Header, read_end, read_header, write_header
from ltc.coding import CorruptStream
from ltc.coding.file_fields import read_chunk, write_chunk

__all__ = ["CHUNK", "NumberSource", "compress_stream", "decompress_stream"]

CHUNK = 1 << 20
"""Numbers of a chunk by default."""


class NumberSource(Protocol):
    """An array's numbers, one after another."""

    shape: tuple[int, ...]
    dtype: str

    def numbers(self, count: int) -> np.ndarray:
        """The next ``count`` numbers."""


def compress_stream(
    checkpoint: CodecCheckpoint,
    source: NumberSource,
    file: BinaryIO,
    seed: int = 0,
    chunk: int = CHUNK,
    progress: Callable[[int], None] = lambda numbers: None,
) -> None:
    """Writes an array as an `.ltc` file.

    The array is read as symbols in order; the last block is filled up with its last symbol.

    Args:
        checkpoint: the coder.
        source: the array, [..., dim] for symbols of ``dim`` components, of any shape if they have one.
        file: open for writing.
        seed: of the dither, where the coder has dither.
        chunk: numbers of a chunk, about; at least a block.
        progress: told how many numbers each chunk had.

    Raises:
        ValueError: if the array does not fit the coder, or holds numbers that cannot be coded.
    """
    shape, dim = source.shape, checkpoint.dim
    if dim > 1 and (not shape or shape[-1] != dim):
        raise ValueError(f"The coder's symbols have {dim} components: an array [..., {dim}] fits, not {list(shape)}.")
    tables = checkpoint.coder.tables
    assert tables is not None
    block = checkpoint.n * dim
    blocks = min(max(1, chunk // block), tables.batch)
    header = Header(checkpoint.fingerprint, source.dtype, shape, seed, blocks * block)
    write_header(file, header)
    for i in range(header.chunks):
        count = min(header.numbers, header.size - i * header.numbers)
        symbols = source.numbers(count).reshape(-1, dim)
        missing = -len(symbols) % checkpoint.n
        if missing:
            symbols = np.concatenate([symbols, np.repeat(symbols[-1:], missing, 0)])
        x = torch.from_numpy(_single(symbols)).reshape(-1, block)
        write_chunk(file, checkpoint.coder.compress(x, _seed(seed, i)))
        progress(count)


def decompress_stream(
    checkpoint: CodecCheckpoint,
    file: BinaryIO,
    write: Callable[[Header], Callable[[np.ndarray], None]],
    progress: Callable[[int], None] = lambda numbers: None,
) -> Header:
    """Reads an `.ltc` file.

    Args:
        checkpoint: the coder that wrote it.
        file: open for reading.
        write: called with the header, returns what takes the numbers, piece by piece.
        progress: told how many numbers each chunk had.

    Raises:
        CorruptStream: if the file is damaged, foreign, or another coder's.
    """
    header = read_header(file)
    if header.fingerprint != checkpoint.fingerprint:
        raise CorruptStream(
            f"the file was written by the coder {header.fingerprint.hex()}, and this is the coder "
            f"{checkpoint.fingerprint.hex()}"
        )
    block = checkpoint.n * checkpoint.dim
    tables = checkpoint.coder.tables
    assert tables is not None
    if header.numbers % block or header.numbers // block > tables.batch or header.size % checkpoint.dim:
        raise CorruptStream("the header is damaged: its sizes do not fit the coder")
    take = write(header)
    for i in range(header.chunks):
        count = min(header.numbers, header.size - i * header.numbers)
        payload = read_chunk(file)
        x = checkpoint.coder.decompress(payload, -(-count // block), _seed(header.seed, i))
        take(x.reshape(-1)[:count].numpy())
        progress(count)
    read_end(file)
    return header


def _single(symbols: np.ndarray) -> np.ndarray:
    """Coders compute in float32."""
    with np.errstate(over="ignore"):
        found = symbols.astype(np.float32)
    if not np.isfinite(found).all():
        raise ValueError("An input is too large: coders compute in float32, up to 3.4e38.")
    return found


def _seed(seed: int, chunk: int) -> int:
    """Each chunk has its own dither."""
    return (seed + (chunk << 32)) % (1 << 63)
