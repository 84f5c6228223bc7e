"""Serial coding: the Gaussians of a position depend on the decoded latents before it, in raster order.

CompressAI's own loops have integers and its entropy coder written into them. Here encoder, decoder and the evaluation
without a bitstream are one loop, `scan`, with three visitors; so all see the same numbers, bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from compressai.ans import BufferedRansEncoder, RansDecoder
from compressai.entropy_models import GaussianConditional
from torch import Tensor, nn

__all__ = ["SerialCoder", "scan"]

Visit = Callable[[int, int, Tensor, Tensor], Tensor]


@torch.no_grad()
def scan(side: Tensor, context: nn.Module, parameters: nn.Module, visit: Visit) -> Tensor:
    """Visits the positions of one image's latents in raster order; each sees what those before it became.

    Args:
        side: side information [1, channels, height, width].
        context: the masked convolution over decoded latents.
        parameters: makes scales and means, one after the other along channels, of side information and context.
        visit: ``visit(row, column, scales [C], means [C])`` gives the decoded latents [C] of a position.

    Returns:
        The decoded latents [1, C, height, width].
    """
    conv: Any = context
    kernel, channels = conv.kernel_size[0], conv.in_channels
    pad = kernel // 2
    weight = conv.weight * conv.mask
    height, width = side.shape[2:]
    decoded = side.new_zeros(1, channels, height + 2 * pad, width + 2 * pad)
    for row in range(height):
        for column in range(width):
            around = F.conv2d(decoded[:, :, row : row + kernel, column : column + kernel], weight, conv.bias)
            here = side[:, :, row : row + 1, column : column + 1]
            scales, means = parameters(torch.cat([here, around], 1)).flatten().chunk(2)
            decoded[0, :, row + pad, column + pad] = visit(row, column, scales, means)
    return decoded[:, :, pad : pad + height, pad : pad + width].contiguous()


class SerialCoder:
    """The three visitors of `scan` for one Gaussian conditional: quantize, encode, decode.

    Args:
        conditional: CompressAI's, or one that has `serial_encoder` and `serial_decoder`.
        context: the masked convolution.
        parameters: the network after it.
    """

    def __init__(self, conditional: GaussianConditional, context: nn.Module, parameters: nn.Module) -> None:
        self._conditional, self._networks = conditional, (context, parameters)

    def quantize(self, y: Tensor, side: Tensor) -> tuple[Tensor, Tensor]:
        """The decoded latents of y [batch, C, height, width] without a bitstream, and their likelihoods."""
        images = [self._quantize(*pair) for pair in zip(y.split(1), side.split(1), strict=True)]
        decoded, likelihoods = zip(*images, strict=True)
        return torch.cat(decoded), torch.cat(likelihoods)

    def _quantize(self, y: Tensor, side: Tensor) -> tuple[Tensor, Tensor]:
        likelihoods = torch.empty_like(y)

        def visit(row: int, column: int, scales: Tensor, means: Tensor) -> Tensor:
            here, scales, means = (t.view(1, -1, 1, 1) for t in (y[0, :, row, column], scales, means))
            point, likelihood = self._conditional(here, scales, means=means, training=False)
            likelihoods[0, :, row, column] = likelihood.flatten()
            return point.flatten()

        return scan(side, *self._networks, visit), likelihoods

    def encode(self, y: Tensor, side: Tensor) -> tuple[bytes, Tensor]:
        """The string of one image's latents y [1, C, height, width], and what they are decoded to."""
        encoder = _encoder(self._conditional)

        def visit(row: int, column: int, scales: Tensor, means: Tensor) -> Tensor:
            return encoder.put(y[0, :, row, column], self._conditional.build_indexes(scales), means)

        decoded = scan(side, *self._networks, visit)
        return encoder.finish(), decoded

    def decode(self, string: bytes, side: Tensor) -> Tensor:
        """The latents [1, C, height, width] of a string."""
        decoder = _decoder(self._conditional, string)

        def visit(row: int, column: int, scales: Tensor, means: Tensor) -> Tensor:
            return decoder.get(self._conditional.build_indexes(scales), means)

        return scan(side, *self._networks, visit)


class _RansEncoder:
    """CompressAI's entropy coder behind the calls of a serial one."""

    def __init__(self, conditional: GaussianConditional) -> None:
        self._conditional = conditional
        self._symbols: list[int] = []
        self._indexes: list[int] = []

    def put(self, y: Tensor, indexes: Tensor, means: Tensor) -> Tensor:
        symbols = self._conditional.quantize(y, "symbols", means)
        self._symbols += symbols.tolist()
        self._indexes += indexes.tolist()
        return self._conditional.dequantize(symbols, means)

    def finish(self) -> bytes:
        encoder = BufferedRansEncoder()
        encoder.encode_with_indexes(self._symbols, self._indexes, *_tables(self._conditional))
        return encoder.flush()


class _RansDecoder:
    """The same for the decoder."""

    def __init__(self, conditional: GaussianConditional, string: bytes) -> None:
        self._conditional, self._tables = conditional, _tables(conditional)
        self._decoder = RansDecoder()
        self._decoder.set_stream(string)

    def get(self, indexes: Tensor, means: Tensor) -> Tensor:
        symbols = self._decoder.decode_stream(indexes.tolist(), *self._tables)
        return self._conditional.dequantize(torch.tensor(symbols, device=means.device), means)


def _encoder(conditional: Any) -> Any:
    own = getattr(conditional, "serial_encoder", None)
    return _RansEncoder(conditional) if own is None else own()


def _decoder(conditional: Any, string: bytes) -> Any:
    own = getattr(conditional, "serial_decoder", None)
    return _RansDecoder(conditional, string) if own is None else own(string)


def _tables(conditional: GaussianConditional) -> tuple[list, list, list]:
    return conditional.quantized_cdf.tolist(), conditional.cdf_length.tolist(), conditional.offset.tolist()
