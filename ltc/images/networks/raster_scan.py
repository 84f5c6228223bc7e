"""Serial coding: the Gaussians of a position depend on the decoded latents before it, in raster order.

CompressAI's own loops have integers and its entropy coder written into them. Here encoder, decoder and the evaluation
without a bitstream are one loop, `scan`, whose visitors are the passes' (``ltc.images.networks.passes``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from compressai.ans import BufferedRansEncoder, RansDecoder
from compressai.entropy_models import GaussianConditional
from torch import Tensor, nn

from ltc.images.exact import Exact

__all__ = ["Visit", "scan", "serial_decoder", "serial_encoder"]

Visit = Callable[[int, int, Tensor, Tensor], Tensor]


@torch.no_grad()
def scan(side: Tensor, context: nn.Module, parameters: nn.Module, visit: Visit) -> Tensor:
    """Visits the positions of one image's latents in raster order; each sees what those before it became.

    Args:
        side: side information [1, channels, height, width], float64.
        context: the masked convolution over decoded latents.
        parameters: makes scales and means, one after the other along channels, of side information and context.
        visit: ``visit(row, column, scales [C], means [C])`` gives the decoded latents [C] of a position, float64.

    Returns:
        The decoded latents [1, C, height, width], float64.
    """
    conv: Any = context
    kernel, channels = conv.kernel_size[0], conv.in_channels
    pad = kernel // 2
    weight, bias, parameters_of = (conv.weight * conv.mask).double(), conv.bias.double(), Exact(parameters)
    height, width = side.shape[2:]
    decoded = side.new_zeros(1, channels, height + 2 * pad, width + 2 * pad)
    for row in range(height):
        for column in range(width):
            around = F.conv2d(decoded[:, :, row : row + kernel, column : column + kernel], weight, bias)
            here = side[:, :, row : row + 1, column : column + 1]
            scales, means = parameters_of(torch.cat([here, around], 1)).flatten().chunk(2)
            decoded[0, :, row + pad, column + pad] = visit(row, column, scales, means)
    return decoded[:, :, pad : pad + height, pad : pad + width].contiguous()


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


def serial_encoder(conditional: Any) -> Any:
    """The encoder of positions: a lattice's, or CompressAI's entropy coder behind the same calls."""
    own = getattr(conditional, "serial_encoder", None)
    return _RansEncoder(conditional) if own is None else own()


def serial_decoder(conditional: Any, string: bytes) -> Any:
    """The decoder of what ``serial_encoder`` wrote."""
    own = getattr(conditional, "serial_decoder", None)
    return _RansDecoder(conditional, string) if own is None else own(string)


def _tables(conditional: GaussianConditional) -> tuple[list, list, list]:
    return conditional.quantized_cdf.tolist(), conditional.cdf_length.tolist(), conditional.offset.tolist()
