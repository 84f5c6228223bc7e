"""`ImageNetwork`, what every network of this package is, and how a configuration becomes one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from compressai.models import CompressionModel

__all__ = ["ImageNetwork", "assemble", "scalar"]


class ImageNetwork(CompressionModel):
    """A network of CompressAI's kind, for images whose sides are multiples of `factor`.

    `forward(x)` takes float [batch, 3, height, width] in [0, 1] and returns ``x_hat`` (the same shape) and
    ``likelihoods``, a dictionary of tensors; the bits of an image are the sum of their -log2. In evaluation mode
    ``x_hat`` is what `decompress` returns for the strings of `compress`, bit for bit, for one image at a time on one
    machine. `update()` makes the tables of the entropy coder.
    """

    factor: int = 64
    """Pixels along each side of an image for one hyper-latent: sides must be multiples of it."""

    def code_shape(self, height: int, width: int) -> Any:
        """The ``shape`` that `decompress` takes, for an image of this height and width, multiples of `factor`."""
        return height // self.factor, width // self.factor


def scalar(network: ImageNetwork) -> ImageNetwork:
    """The network as CompressAI makes it: noise in training, integers in files."""
    return network


def assemble(network: ImageNetwork, bottleneck: Callable[[ImageNetwork], ImageNetwork] = scalar) -> ImageNetwork:
    """A network with its bottlenecks.

    Args:
        network: a network with CompressAI's scalar bottlenecks.
        bottleneck: puts others in their place; see :func:`scalar` and :func:`ltc.images.swap.use_lattice`.
    """
    return bottleneck(network)
