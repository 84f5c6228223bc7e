"""Points to bytes and back: all points of a batch, coordinate by coordinate."""

from __future__ import annotations

import numpy as np

from ltc.coding.errors import CorruptStream
from ltc.coding.point_models import PointModel
from ltc.coding.range_coder import LARGEST, Decoder, Encoder

__all__ = ["decode_points", "encode_points"]


def encode_points(model: PointModel, k: np.ndarray, seed: int = 0) -> bytes:
    """The bitstream of integer vectors.

    For each coordinate come the symbols of all vectors, in order, then the integers of those that are escaped.

    Args:
        model: the tables.
        k: int64 [count, dim], points of the model's lattice.
        seed: of the dither, if there is dither.

    Raises:
        ValueError: if a vector is no point of the lattice, or too far out.
    """
    if k.ndim != 2 or k.shape[1] != model.dim:
        raise ValueError(f"Points have {model.dim} coordinates, got an array of shape {list(k.shape)}.")
    if k.size and max(int(k.max()), -int(k.min())) >= LARGEST:
        raise ValueError("An input is so large that its lattice point has more digits than a float64.")
    encoder, walk = Encoder(), model.walk(len(k), seed)
    columns = np.ascontiguousarray(k.T)
    for i in range(model.dim if len(k) else 0):
        look = walk.look(i)
        symbols = look.symbols(columns[i])
        encoder.symbols(symbols, *look.coding())
        escaped = symbols == look.step.symbols
        if escaped.any():
            encoder.integers(columns[i][escaped])
        if not walk.advance(i, look.rows, symbols, columns[i]).all():
            raise ValueError("A vector is no point of the lattice.")
    return encoder.getvalue()


def decode_points(model: PointModel, count: int, stream: bytes, seed: int = 0) -> np.ndarray:
    """The integer vectors of a bitstream: int64 [count, dim].

    Raises:
        CorruptStream: if no encoder wrote it.
    """
    decoder, walk = Decoder(stream), model.walk(count, seed)
    columns = np.empty((model.dim, count), dtype=np.int64)
    for i in range(model.dim if count else 0):
        look = walk.look(i)
        symbols = decoder.symbols(count, *look.coding())
        k, escaped = look.integers(symbols)
        if escaped.any():
            k[escaped] = decoder.integers(int(escaped.sum()))
        columns[i] = k
        if not walk.advance(i, look.rows, symbols, k).all():
            raise CorruptStream("the bitstream holds a vector that is no point of the lattice")
    return np.ascontiguousarray(columns.T)
