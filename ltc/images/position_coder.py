"""Latents coded position by position, for context models that predict a position from those before it."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ltc.coding.range_coder import Decoder, Encoder

__all__ = ["SerialDecoder", "SerialEncoder"]


class SerialEncoder:
    """Writes one position's channels at a time.

    Args:
        write: writes latents [1, channels] with their indexes and means, and returns what will be decoded.

    Examples:
        >>> from ltc import lattices
        >>> from ltc.images import LatticeGaussianConditional
        >>> conditional = LatticeGaussianConditional(lattices.get("e8"))
        >>> encoder, indexes, means = conditional.serial_encoder(), torch.full((8,), 100), torch.zeros(8)
        >>> y_hat = encoder.put(torch.randn(8), indexes, means)
        >>> decoder = conditional.serial_decoder(encoder.finish())
        >>> torch.equal(decoder.get(indexes, means), y_hat)
        True
    """

    def __init__(self, write: Callable[[Encoder, Tensor, Tensor, Tensor | None], Tensor]) -> None:
        self._write, self._encoder = write, Encoder()

    def put(self, y: Tensor, indexes: Tensor, means: Tensor | None = None) -> Tensor:
        """Writes a position.

        Args:
            y: its latents [channels].
            indexes: of their scales [channels].
            means: [channels].

        Returns:
            What the decoder will find [channels].
        """
        return self._write(self._encoder, y[None], indexes[None], None if means is None else means[None])[0]

    def finish(self) -> bytes:
        """The bitstream of all positions."""
        return self._encoder.getvalue()


class SerialDecoder:
    """Reads what a ``SerialEncoder`` wrote.

    Args:
        read: reads latents [1, channels] without their means, given their indexes.
        stream: the bitstream.

    Raises:
        CorruptStream: here or in ``get``, if no encoder wrote it.
    """

    def __init__(self, read: Callable[[Decoder, Tensor, torch.dtype], Tensor], stream: bytes) -> None:
        self._read, self._decoder = read, Decoder(stream)

    def get(self, indexes: Tensor, means: Tensor | None = None) -> Tensor:
        """The next position's quantized latents [channels], given the indexes and means that it was written with."""
        if means is None:
            return self._read(self._decoder, indexes[None], torch.float32)[0].to(indexes.device)
        return self._read(self._decoder, indexes[None], means.dtype)[0].to(means.device) + means
