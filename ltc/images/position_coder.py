"""Latents coded position by position, for context models that predict a position from those before it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ltc.coding.range_coder import Decoder, Encoder
from ltc.images.latent_coder import LatentCoder, Placed

__all__ = ["SerialDecoder", "SerialEncoder"]


class SerialEncoder:
    """Quantizes positions in any order, and writes them one after the other.

    Args:
        coder: of latents whose vectors lie along channels.

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

    def __init__(self, coder: LatentCoder) -> None:
        self._coder = coder
        # Of each position: which of the batches it came with, and where in it.
        self._places: dict[int, tuple[Placed, int]] = {}

    def put(self, y: Tensor, indexes: Tensor, means: Tensor | None = None) -> Tensor:
        """Places the next position.

        Args:
            y: its latents [channels].
            indexes: of their scales [channels].
            means: [channels].

        Returns:
            What the decoder will find [channels].
        """
        at = [max(self._places, default=-1) + 1]
        return self.place(at, y[None], indexes[None], None if means is None else means[None])[0]

    def place(self, at: Sequence[int], y: Tensor, indexes: Tensor, means: Tensor | None = None) -> Tensor:
        """Quantizes positions with these numbers; the bitstream has them in the order of their numbers.

        Args:
            at: the numbers of some positions.
            y: their latents [positions, channels].
            indexes: of their scales, likewise.
            means: likewise.

        Returns:
            What the decoder will find [positions, channels].

        Raises:
            ValueError: for latents that are no numbers, or far too large.
        """
        placed = self._coder.place(y, indexes, means)
        self._places.update((number, (placed, row)) for row, number in enumerate(at))
        return placed.decoded

    def finish(self) -> bytes:
        """The bitstream of all positions."""
        encoder = Encoder()
        for number in sorted(self._places):
            placed, row = self._places[number]
            self._coder.put(encoder, placed, row)
        return encoder.getvalue()


class SerialDecoder:
    """Reads what a ``SerialEncoder`` wrote.

    Args:
        coder: the encoder's.
        stream: the bitstream.

    Raises:
        CorruptStream: here or in ``get``, if no encoder wrote it.
    """

    def __init__(self, coder: LatentCoder, stream: bytes) -> None:
        self._coder, self._decoder = coder, Decoder(stream)

    def get(self, indexes: Tensor, means: Tensor | None = None) -> Tensor:
        """The next position's quantized latents [channels], given the indexes and means that it was written with."""
        if means is None:
            return self._coder.read_position(self._decoder, indexes, torch.float32).to(indexes.device)
        return self._coder.read_position(self._decoder, indexes, means.dtype).to(means.device) + means
