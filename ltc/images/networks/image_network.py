"""`ImageNetwork`, what every network of this package is, and how a configuration becomes one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from compressai.models import CompressionModel
from torch import Tensor, nn

from ltc.coding import CorruptStream
from ltc.images.exact import threads_of_synthesis, using_threads
from ltc.images.networks.passes import Estimate, Latents, Pass, Read, Write

__all__ = ["ImageNetwork", "assemble", "scalar"]


class ImageNetwork(CompressionModel):
    """A network of CompressAI's kind, for images whose sides are multiples of `factor`.

    `forward(x)` takes float [batch, 3, height, width] in [0, 1] and returns ``x_hat`` (the same shape) and
    ``likelihoods``, a dictionary of tensors; the bits of an image are the sum of their -log2. `update()` makes the
    tables of the entropy coder.

    In training that is CompressAI's pass, or the one that a network has of its own. In evaluation mode latents take the
    walk of `code`, image by image and without derivatives, as they do in `compress` and `decompress`: ``x_hat`` is what
    `decompress` returns for the strings of `compress`, bit for bit, however many threads it has and whatever other
    images there are in a batch. Its latents are the same on any machine; the synthesis after them, in single precision,
    is the same on machines of a kind.
    """

    factor: int = 64
    """Pixels along each side of an image for one latent of `code`'s first: sides must be multiples of it."""

    def code(self, coding: Pass) -> Tensor:
        """The decoded latents of one image [1, channels, height, width], in the walk that all passes take."""
        raise NotImplementedError

    prices: tuple[float, ...] = ()
    """Ascending lambdas of a network that has many rates; of one with a single rate there are none."""

    def at(self, price: float) -> None:
        """Sets the lambda of what is coded from now on: nothing to do for a network that has one rate.

        Raises:
            ValueError: if a network of many rates has none for it.
        """

    def forward(self, x: Tensor) -> dict[str, Any]:
        if self.training:
            return super().forward(x)
        with torch.no_grad():
            images, parts = zip(*(self.measure(y) for y in self.g_a(x).split(1)), strict=True)
        likelihoods = {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
        return {"x_hat": torch.cat(images), "likelihoods": likelihoods}

    @torch.no_grad()
    def measure(self, y: Latents, z: Tensor | None = None) -> tuple[Tensor, dict[str, Tensor]]:
        """What becomes of one image's latents: the reconstruction, and the likelihoods.

        Args:
            y: latents [1, channels, height, width], or their parts in coding order.
            z: hyper-latents; by default those that the hyper-analysis makes of y.
        """
        coding = Estimate(y, z)
        return self.synthesize(self.code(coding)), coding.likelihoods

    @torch.no_grad()
    def encode(self, y: Latents, z: Tensor | None = None) -> tuple[Write, Tensor]:
        """One image's latents, as those of ``measure``, written, and what they will be decoded to.

        Raises:
            ValueError: if there are no tables yet, or a network's numbers are none.
        """
        coding = Write(y, z)
        return coding, self.code(coding)

    @torch.no_grad()
    def compress(self, x: Tensor) -> dict[str, Any]:
        """Images [batch, 3, height, width] as strings.

        Returns:
            ``strings``, lists with one for each image, the last one that of its notes; ``shape``, for `decompress`; and
            ``y_hat``, the latents that will be decoded.

        Raises:
            ValueError: as ``encode``.
        """
        passes, decoded = zip(*(self.encode(y) for y in self.g_a(x).split(1)), strict=True)
        strings = [list(column) for column in zip(*(coding.strings for coding in passes), strict=True)]
        return {"strings": strings, "shape": self.code_shape(*x.shape[2:]), "y_hat": torch.cat(decoded)}

    @torch.no_grad()
    def decompress(self, strings: list[list[bytes]], shape: tuple[int, int]) -> dict[str, Any]:
        """Images of strings: ``x_hat`` in [0, 1], and their latents ``y_hat``.

        Raises:
            CorruptStream: if they are no strings of `compress` (a ValueError too).
        """
        decoded = [self.decode(list(column), shape) for column in zip(*strings, strict=True)]
        images = [self.synthesize(*found).clamp_(0, 1) for found in decoded]
        return {"x_hat": torch.cat(images), "y_hat": torch.cat([y_hat for y_hat, _ in decoded])}

    @torch.no_grad()
    def decode(self, strings: list[bytes], shape: tuple[int, int]) -> tuple[Tensor, int]:
        """The latents [1, channels, height, width] of one image's strings, and the threads of its synthesis.

        Raises:
            CorruptStream: as above.
        """
        if len(strings) < 2:
            raise CorruptStream("the strings are not those of this network: some are missing")
        coding = Read(strings, shape)
        y_hat = self.code(coding)
        coding.end()
        return y_hat, coding.notes.threads

    def code_shape(self, height: int, width: int) -> tuple[int, int]:
        """The ``shape`` that `decompress` takes, for an image of this height and width, multiples of `factor`."""
        return height // self.factor, width // self.factor

    def synthesize(self, y_hat: Tensor, threads: int | None = None) -> Tensor:
        """The image of decoded latents, not clamped yet, with so many threads; by default as many as files name."""
        synthesis: nn.Module = self.g_s
        with using_threads(threads_of_synthesis() if threads is None else threads):
            return synthesis(y_hat.to(next(synthesis.parameters()).dtype))


def scalar(network: ImageNetwork) -> ImageNetwork:
    """The network as CompressAI makes it: noise in training, integers in files."""
    return network


def assemble(network: ImageNetwork, bottleneck: Callable[[ImageNetwork], ImageNetwork] = scalar) -> ImageNetwork:
    """A network with its bottlenecks.

    Args:
        network: a network with CompressAI's scalar bottlenecks.
        bottleneck: puts others in their place; see ``scalar`` and ``ltc.images.swap.use_lattice``.
    """
    return bottleneck(network)
