"""General vector quantization: a free codebook as bottleneck, what lattices are compared with."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn

from ltc.coding import PointModel
from ltc.coding.uniform_model import UniformModel
from ltc.models.bottleneck import Bottleneck

__all__ = ["GVQ"]

# Distances of this many pairs of latent and code vector at a time: they should stay in the cache.
_CHUNK_PAIRS = 1 << 21

# Code vectors at most: time and memory are proportional to them.
_LARGEST = 1 << 16


class GVQ(Bottleneck):
    """The nearest of K = 2^(bits * dim) code vectors, which are parameters; each costs ``bits * dim`` bits.

    No structure: the search looks at all K vectors, and K grows exponentially with the dimension, so that a codebook
    which is practical in 8 dimensions at 2 bits has half a bit in 32. Trained like a learned lattice: a code vector's
    derivative is that of the reconstruction, the latents' is straight through. At the first step of training the code
    vectors are latents of that batch, or all those that no latent is near would stay where they are.

    (For a codebook with entropy coding see ``ltc.models.ECVQ``.)

    Args:
        dim: latents of a vector.
        bits: per latent.

    Raises:
        ValueError: if there would be more than 2^16 code vectors, or fewer than 2.

    Examples:
        >>> gvq = GVQ(dim=4, bits=1.5)
        >>> point, bits = gvq(torch.randn(10, 4))
        >>> len(gvq.codebook), float(bits[0])
        (64, 6.0)
    """

    exact = True
    started: Tensor

    def __init__(self, dim: int, bits: float) -> None:
        super().__init__()
        size = round(2 ** (bits * dim)) if 0 < bits * dim < 20 else 0
        if not 2 <= size <= _LARGEST:
            raise ValueError(
                f"A free codebook has 2 to {_LARGEST} vectors; bits={bits} for each of {dim} latents is not possible."
            )
        self.dim, self.size = dim, size
        self.codebook = nn.Parameter(torch.randn(size, dim))
        self.register_buffer("started", torch.tensor(False))

    def forward(self, y: Tensor) -> tuple[Tensor, Tensor]:
        self.check_latents(y, self.dim, "forward")
        if self.training and not bool(self.started):
            self._start(y.detach())
        point = self.codebook[self.nearest(y.detach())]
        return point.to(y.dtype) + (y - y.detach()) if self.training else point.to(y.dtype), self.rate(point)

    @torch.no_grad()
    def nearest(self, y: Tensor) -> Tensor:
        """The number of the nearest code vector of each row of y [batch, dim]: int64 [batch]."""
        book = self.codebook.to(y)
        squares = book.square().sum(1)
        chunks = y.split(max(1, _CHUNK_PAIRS // self.size))
        found = [torch.addmm(squares, part, book.T, alpha=-2).argmin(1) for part in chunks]
        return torch.cat(found) if found else torch.zeros(0, dtype=torch.long, device=y.device)

    def quantize(self, y: Tensor, mu: float = 0.0, power: int = 2) -> Tensor:
        self.check_latents(y, self.dim, "quantize")
        return self.codebook.detach()[self.nearest(y.detach())].to(y.dtype)

    def rate(self, point: Tensor) -> Tensor:
        return torch.full((len(point),), math.log2(self.size), device=point.device)

    def point_model(self, weights: dict[str, np.ndarray] | None = None) -> PointModel:
        return UniformModel(1, self.size)

    def to_integers(self, point: Tensor) -> Tensor:
        return self.nearest(point)[:, None]

    def to_points(self, k: Tensor) -> Tensor:
        return self.codebook.detach()[k[:, 0]]

    @torch.no_grad()
    def _start(self, y: Tensor) -> None:
        chosen = y[torch.randint(len(y), (self.size,), device=y.device)]
        # Two that were the same must not stay so.
        self.codebook.copy_(chosen + 0.1 * y.std() * torch.randn_like(chosen))
        self.started.fill_(True)
