"""The coder of positions one after another: a lattice's, or CompressAI's entropy coder behind the same calls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from compressai.ans import BufferedRansEncoder, RansDecoder
from compressai.entropy_models import GaussianConditional
from torch import Tensor

__all__ = ["indexes_of", "serial_decoder", "serial_encoder"]


class _RansEncoder:
    """CompressAI's entropy coder behind the calls of a serial one."""

    def __init__(self, conditional: GaussianConditional) -> None:
        self._conditional = conditional
        self._written: dict[int, tuple[list[int], list[int]]] = {}

    def place(self, at: Sequence[int], y: Tensor, indexes: Tensor, means: Tensor) -> Tensor:
        symbols = self._conditional.quantize(y, "symbols", means)
        self._written.update(zip(at, zip(symbols.tolist(), indexes.tolist(), strict=True), strict=True))
        return self._conditional.dequantize(symbols, means)

    def finish(self) -> bytes:
        symbols: list[int] = []
        indexes: list[int] = []
        for at in sorted(self._written):
            symbols += self._written[at][0]
            indexes += self._written[at][1]
        encoder = BufferedRansEncoder()
        encoder.encode_with_indexes(symbols, indexes, *_tables(self._conditional))
        return encoder.flush()


class _RansDecoder:
    """The same for the decoder."""

    def __init__(self, conditional: GaussianConditional, string: bytes) -> None:
        self._conditional = conditional
        tables, self._lengths, self._offsets = _tables(conditional)
        self._tables = [table[:length] for table, length in zip(tables, self._lengths, strict=True)]
        self._decoder = RansDecoder()
        self._decoder.set_stream(string)

    def get(self, indexes: Tensor, means: Tensor) -> Tensor:
        # Tables are copied at each call: only those that are used.
        wanted = indexes.tolist()
        used = sorted(set(wanted))
        rows = {index: row for row, index in enumerate(used)}
        parts = ([of[index] for index in used] for of in (self._tables, self._lengths, self._offsets))
        symbols = self._decoder.decode_stream([rows[index] for index in wanted], *parts)
        return self._conditional.dequantize(torch.tensor(symbols, device=means.device), means)


def serial_encoder(conditional: Any) -> Any:
    """The encoder of positions."""
    own = getattr(conditional, "serial_encoder", None)
    return _RansEncoder(conditional) if own is None else own()


def serial_decoder(conditional: Any, string: bytes) -> Any:
    """The decoder of what ``serial_encoder`` wrote."""
    own = getattr(conditional, "serial_decoder", None)
    return _RansDecoder(conditional, string) if own is None else own(string)


def indexes_of(conditional: Any, scales: Tensor) -> Tensor:
    """``build_indexes``, whose loop over the table would take longer than all else at a position: int32."""
    if type(conditional) is not GaussianConditional:
        return conditional.build_indexes(scales)
    bounded = conditional.lower_bound_scale(scales)
    return torch.bucketize(bounded, conditional.scale_table[:-1], out_int32=True)


def _tables(conditional: GaussianConditional) -> tuple[list, list, list]:
    return conditional.quantized_cdf.tolist(), conditional.cdf_length.tolist(), conditional.offset.tolist()
