"""Big pictures in tiles: bounded memory, and no seams.

Tiles that were coded as pictures of their own would show where they meet. Here only the entropy model ends at a tile's
edges: its latents are those of a crop with a margin around the tile, and the decoder's synthesis sees the decoded
latents of the tiles around it. Where the margin is as wide as what the transforms see, latents and pictures are those
of the whole at once; what transforms see beyond it is next to nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ltc.images.padding import padded_size
from ltc.pixels import to_image, to_pixels

if TYPE_CHECKING:
    from ltc.images.networks.image_network import ImageNetwork

__all__ = ["MARGIN", "Box", "Synthesis", "Tiling", "analyze", "cut"]

MARGIN = 128
"""Pixels around a tile that its transforms see."""


class Box(NamedTuple):
    """A part of a picture, in pixels: rows from top to before bottom, columns from left to before right."""

    top: int
    left: int
    bottom: int
    right: int

    def inside(self, other: Box, step: int = 1) -> tuple[slice, slice]:
        """Where it lies in another box, in units of so many pixels."""
        rows = slice((self.top - other.top) // step, (self.bottom - other.top) // step)
        return rows, slice((self.left - other.left) // step, (self.right - other.left) // step)


@dataclass(frozen=True)
class Tiling:
    """The tiles of a picture, filled up to a network's multiple.

    Args:
        height: of the picture in pixels.
        width: of the picture in pixels.
        factor: of the network.
        side: of tiles in pixels; 0 for one tile that is all of it.
        margin: pixels around a tile that are looked at.

    Raises:
        ValueError: if the side is no multiple of the factor, or less than the margin.

    Examples:
        >>> Tiling(300, 700, 64, 512).rows[0]
        [Box(top=0, left=0, bottom=320, right=512), Box(top=0, left=512, bottom=320, right=704)]
    """

    height: int
    width: int
    factor: int
    side: int = 0
    margin: int = MARGIN

    def __post_init__(self) -> None:
        if self.side and (self.side < 0 or self.side % self.factor or self.margin % self.factor or self.margin < 0):
            raise ValueError(
                f"Tiles of this network have sides and margins that are multiples of {self.factor} pixels, not "
                f"{self.side} and {self.margin}."
            )
        if self.side and self.side < self.margin:
            raise ValueError(f"Tiles are at least as large as the margin around them, {self.margin} pixels.")

    @property
    def whole(self) -> Box:
        """The picture, filled up."""
        return Box(0, 0, *padded_size(self.height, self.width, self.factor))

    @property
    def rows(self) -> list[list[Box]]:
        """The tiles, row by row."""
        whole = self.whole
        down, across = (range(0, length, self.side or length) for length in whole[2:])
        return [
            [Box(y, x, min(y + down.step, whole.bottom), min(x + across.step, whole.right)) for x in across]
            for y in down
        ]

    @property
    def tiles(self) -> list[Box]:
        """The tiles in coding order."""
        return [tile for row in self.rows for tile in row]

    def around(self, tile: Box) -> Box:
        """A tile with its margin, as far as the picture goes."""
        whole, margin = self.whole, self.margin
        top, left = max(tile.top - margin, 0), max(tile.left - margin, 0)
        return Box(top, left, min(tile.bottom + margin, whole.bottom), min(tile.right + margin, whole.right))


def cut(pixels: Tensor, box: Box) -> Tensor:
    """A part of a picture as networks take it, filled up with copies of the last column and row.

    Args:
        pixels: of the whole picture, uint8 [3, height, width].
        box: begins within it.

    Returns:
        [1, 3, box's height, box's width] in [0, 1].
    """
    height, width = pixels.shape[1:]
    x = to_image(pixels[:, box.top : min(box.bottom, height), box.left : min(box.right, width)])[None]
    return F.pad(x, (0, max(box.right - width, 0), 0, max(box.bottom - height, 0)), mode="replicate")


def analyze(network: ImageNetwork, pixels: Tensor, tiling: Tiling, tile: Box) -> Tensor:
    """The latents of a tile, which know its margin: [1, channels, h, w].

    Args:
        network: in evaluation mode.
        pixels: of the whole picture, uint8 [3, height, width].
        tiling: of the picture.
        tile: one of its.
    """
    box = tiling.around(tile)
    y = network.g_a(cut(pixels, box))
    down, across = tile.inside(box, (box.bottom - box.top) // y.shape[2])
    return y[:, :, down, across]


class Synthesis:
    """A picture of its tiles' latents: pixels are made as soon as the latents of all tiles around them are known.

    Args:
        network: in evaluation mode.
        tiling: of the picture.

    Attributes:
        pixels: of the picture, uint8 [3, height, width] on the CPU; complete after the last tile.
    """

    def __init__(self, network: ImageNetwork, tiling: Tiling) -> None:
        self.network, self.tiling = network, tiling
        self.pixels = torch.empty(3, tiling.height, tiling.width, dtype=torch.uint8)
        self._rows = tiling.rows
        self._known: list[list[tuple[Tensor, int | None]]] = [[]]

    def put(self, y_hat: Tensor, threads: int | None) -> None:
        """Takes the next tile in coding order.

        Args:
            y_hat: its latents [1, channels, h, w].
            threads: those of its synthesis.
        """
        self._known[-1].append((y_hat.float(), threads))
        last = len(self._known) == len(self._rows)
        if len(self._known[-1]) < len(self._rows[0]):
            return
        if len(self._known) > 1:
            self._synthesize(len(self._known) - 2)
        if last:
            self._synthesize(len(self._known) - 1)
        else:
            self._known.append([])

    def _synthesize(self, number: int) -> None:
        """The pixels of a row of tiles; the latents of the row above it are needed no more."""
        rows, row = self._rows, self._rows[number]
        near = [n for n in (number - 1, number, number + 1) if 0 <= n < len(rows)]
        strip = torch.cat([torch.cat([y_hat for y_hat, _ in self._known[n]], 3) for n in near], 2)
        place = Box(rows[near[0]][0].top, 0, rows[near[-1]][0].bottom, self.tiling.whole.right)
        step = (place.bottom - place.top) // strip.shape[2]
        for tile, (_, threads) in zip(row, self._known[number], strict=True):
            box = self.tiling.around(tile)
            down, across = box.inside(place, step)
            image = self.network.synthesize(strip[:, :, down, across].contiguous(), threads).clamp_(0, 1)
            inside = tile.inside(box)
            part = to_pixels(image[0][:, inside[0], inside[1]])
            here = self.pixels[:, tile.top : tile.bottom, tile.left : tile.right]
            here.copy_(part[:, : here.shape[1], : here.shape[2]])
        if number:
            self._known[number - 1] = []
