"""Serial context: the Gaussians of a position depend on the decoded latents before it, in raster order.

CompressAI's own loops have integers and its entropy coder written into them. Here encoder, decoder and the evaluation
without a bitstream ask one `RasterContext`, which knows what is decoded so far. A decoder has to go from position to
position. Whoever has the latents goes front by front: positions on a slanted line do not see each other, as in the
wavefronts of video coders (H.265 has them in rows of blocks), and there are width + 3 height fronts or so.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["RasterContext"]


class RasterContext:
    """Scales and means of one image's latents, position by position; each sees what those before it became.

    Positions are numbered in raster order.

    Args:
        side: side information [1, channels, height, width], float64.
        context: the masked convolution over decoded latents.
        parameters: makes scales and means, one after the other along channels, of side information and context:
            convolutions with kernels of one pixel, and activations.
    """

    def __init__(self, side: Tensor, context: nn.Module, parameters: nn.Module) -> None:
        conv: Any = context
        self._pad = conv.kernel_size[0] // 2
        self.height, self.width = side.shape[2:]
        taps = torch.nonzero(conv.mask[0, 0]).tolist()
        weight = conv.weight.detach().double()
        self._weight = torch.cat([weight[:, :, i, j] for i, j in taps], 1).T.contiguous()
        self._bias, self._layers = conv.bias.detach().double(), _pointwise(parameters)
        self._side = side[0].flatten(1).T.contiguous()
        # With a border of zeros, channels last: a position's neighbours are rows.
        self._stride = self.width + 2 * self._pad
        self._decoded = side.new_zeros((self.height + 2 * self._pad) * self._stride, conv.in_channels)
        at = torch.arange(self.height * self.width, device=side.device)
        corner = at // self.width * self._stride + at % self.width
        self._seen = corner[:, None] + torch.tensor([i * self._stride + j for i, j in taps], device=side.device)
        self._place = corner + self._pad * (self._stride + 1)

    def blank(self) -> RasterContext:
        """The same of which nothing is decoded yet."""
        found = copy.copy(self)
        found._decoded = torch.zeros_like(self._decoded)
        return found

    @property
    def count(self) -> int:
        """How many positions there are."""
        return self.height * self.width

    def fronts(self) -> Iterator[Tensor]:
        """Numbers of positions that do not see each other, int64: all of them, those that are seen come first."""
        at = torch.arange(self.count, device=self._side.device)
        order = at % self.width + (self._pad + 1) * (at // self.width)
        found, sizes = torch.sort(order, stable=True)
        yield from sizes.split(torch.unique_consecutive(found, return_counts=True)[1].tolist())

    def gaussians(self, at: Tensor) -> Tensor:
        """Scales and means of positions [positions, 2 C], float64, as the network gives them."""
        seen = self._decoded.index_select(0, self._seen.index_select(0, at).flatten()).view(len(at), -1)
        found = torch.cat([self._side.index_select(0, at), torch.addmm(self._bias, seen, self._weight)], 1)
        for layer in self._layers:
            found = layer(found)
        return found

    def put(self, at: Tensor, decoded: Tensor) -> None:
        """What positions became [positions, C]."""
        self._decoded.index_copy_(0, self._place.index_select(0, at), decoded)

    def latents(self) -> Tensor:
        """The decoded latents [1, C, height, width], float64."""
        pad = self._pad
        grid = self._decoded.view(self.height + 2 * pad, self._stride, -1)
        return grid[pad : pad + self.height, pad : pad + self.width].permute(2, 0, 1)[None].contiguous()


def _pointwise(layers: Any) -> list[Callable[[Tensor], Tensor]]:
    """Convolutions with kernels of one pixel, in double precision, and activations: maps of [positions, channels]."""
    found: list[Callable[[Tensor], Tensor]] = []
    for layer in layers:
        if isinstance(layer, nn.Conv2d):
            weight, bias = layer.weight.detach()[:, :, 0, 0].T.double().contiguous(), layer.bias
            assert bias is not None
            found.append(functools.partial(_affine, weight, bias.detach().double()))
        else:
            found.append(layer)
    return found


def _affine(weight: Tensor, bias: Tensor, x: Tensor) -> Tensor:
    return torch.addmm(bias, x, weight)
