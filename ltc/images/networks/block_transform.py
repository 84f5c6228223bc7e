"""Transforms that start where linear transform coding ends: lapped blocks, their DCT, corrections that start at zero.

A network that starts at random needs days to find what a lapped transform knows: that smooth patches are a few cosines,
and that neighbouring blocks go on into each other. Here analysis is a filter across the edges of blocks, a
space-to-depth step and a 1x1 convolution that starts at the DCT of opponent colours, then residual blocks whose last
layers start at zero; synthesis is its mirror. So training begins at a linear transform codec and can only add to it.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

__all__ = ["BlockAnalysis", "BlockSynthesis", "block_basis", "lapping"]

SIDE = 8
"""Pixels along a block's sides, where nothing else is said."""

# Of neighbouring pixels, and the shares of the variance that three opponent colours have: BSDS500's training images,
# roundly (0.88, 0.09, 0.02 of the energy). They order the basis and give scales a unit.
_CORRELATION = 0.95
_COLOURS = (1.0, 0.06, 0.02)

# Standard deviation of a pixel in [0, 1].
_PIXEL = 0.25

# The biorthogonal scaling across an edge: by the coding gain of a first-order Markov field (0.95) 9.50 dB instead of
# the 8.83 of the DCT alone and the 9.22 of an orthogonal filter; more scaling brings little.
_SCALING = 1.3

# Of what is learned beside matrices, and beside the identity.
_UNIT, _PART = 0.05, 0.2


def block_basis(count: int, side: int = SIDE) -> tuple[Tensor, Tensor]:
    """The first basis vectors of colour blocks, by the variance that natural images have along them.

    The DCT of type II times (1, 1, 1), (1, 0, -1), (1, -2, 1): close to the KLT of a first-order Markov field (Ahmed,
    Natarajan & Rao, "Discrete cosine transform", IEEE Trans. Computers 23 (1974)).

    Args:
        count: of vectors, 1 to 3 side^2.
        side: pixels along a block's sides.

    Returns:
        basis: orthonormal rows float32 [count, 3 side^2], in the order of ``torch.nn.PixelUnshuffle``'s channels.
        deviations: the model's standard deviation of each coefficient of pixels in [0, 1], descending [count].

    Raises:
        ValueError: if there are not as many vectors.

    Examples:
        >>> basis, deviations = block_basis(192)
        >>> torch.allclose(basis @ basis.T, torch.eye(192), atol=1e-5)
        True
    """
    if not 1 <= count <= 3 * side**2:
        raise ValueError(f"A block of {side} x {side} colour pixels has 1 to {3 * side**2} coefficients, not {count}.")
    dct = _dct(side)
    colours = torch.tensor([[1.0, 1, 1], [1, 0, -1], [1, -2, 1]], dtype=torch.float64)
    colours /= colours.norm(dim=1, keepdim=True)
    k = torch.arange(side, dtype=torch.float64)
    along = (dct @ _CORRELATION ** (k[:, None] - k).abs() @ dct.T).diagonal()
    variances = torch.einsum("c,i,j->cij", torch.tensor(_COLOURS, dtype=torch.float64) * 3, along, along).flatten()
    basis = torch.einsum("dc,ik,jl->dijckl", colours, dct, dct).reshape(3 * side**2, 3 * side**2)
    order = variances.argsort(descending=True, stable=True)[:count]
    return basis[order].float(), (_PIXEL * variances[order].sqrt()).float()


def lapping(side: int = SIDE) -> Tensor:
    """The filter of as many pixels around an edge between two blocks: float64 [side, side], invertible.

    Tran, Liang & Tu, "Lapped transform via time-domain pre- and post-filtering", IEEE Trans. Signal Processing 51
    (2003), section IV: before a DCT it makes a lapped biorthogonal transform of it.
    """
    half = side // 2
    eye, zero = torch.eye(half, dtype=torch.float64), torch.zeros(half, half, dtype=torch.float64)
    flip = eye.flip(0)
    butterfly = torch.cat([torch.cat([eye, flip], 1), torch.cat([flip, -eye], 1)]) / math.sqrt(2)
    scaling = torch.diag(torch.tensor([_SCALING] + [1.0] * (half - 1), dtype=torch.float64))
    rotation = flip @ _dct(half).T @ scaling @ _dct_of_type_4(half) @ flip
    return butterfly @ torch.cat([torch.cat([eye, zero], 1), torch.cat([zero, rotation], 1)]) @ butterfly


def _dct(size: int) -> Tensor:
    k = torch.arange(size, dtype=torch.float64)
    dct = math.sqrt(2 / size) * torch.cos(math.pi * (2 * k + 1) * k[:, None] / (2 * size))
    dct[0] /= math.sqrt(2)
    return dct


def _dct_of_type_4(size: int) -> Tensor:
    k = torch.arange(size, dtype=torch.float64)
    return math.sqrt(2 / size) * torch.cos(math.pi * (2 * k + 1) * (2 * k[:, None] + 1) / (4 * size))


class BlockAnalysis(nn.Sequential):
    """Images [batch, 3, height, width] in [0, 1] to latents [batch, channels, height / side, width / side].

    Args:
        channels: of the latents.
        width: of the residual blocks.
        depth: how many there are.
        side: pixels along a block's sides.
    """

    def __init__(self, channels: int, width: int = 0, depth: int = 0, side: int = SIDE) -> None:
        first = _Pointwise(block_basis(channels, side)[0])
        filters = _AcrossEdges(lapping(side), before=-0.5, after=0.0)
        super().__init__(filters, nn.PixelUnshuffle(side), first, *_residuals(channels, width, depth, side))


class BlockSynthesis(nn.Sequential):
    """The mirror of ``BlockAnalysis``; at its start its inverse, but for the coefficients that were left out."""

    def __init__(self, channels: int, width: int = 0, depth: int = 0, side: int = SIDE) -> None:
        last = _Pointwise(block_basis(channels, side)[0].T)
        filters = _AcrossEdges(torch.linalg.inv(lapping(side)), before=0.0, after=0.5)
        super().__init__(*_residuals(channels, width, depth, side), last, nn.PixelShuffle(side), filters)


class _Corrected(nn.Module):
    """A matrix that starts at a known one.

    Optimizers like Adam change every number by about the learning rate a step, whatever its size: of an orthonormal
    basis nothing would be left by the time the rest has learned something. So what is learned is a correction in units
    that are small beside the entries.
    """

    start: Tensor

    def __init__(self, start: Tensor) -> None:
        super().__init__()
        self.register_buffer("start", start.float(), persistent=False)
        self.correction = nn.Parameter(torch.zeros_like(self.start))

    @property
    def matrix(self) -> Tensor:
        return self.start + _UNIT * self.correction


class _Pointwise(_Corrected):
    """A matrix for the channels at each position."""

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.conv2d(x, self.matrix[:, :, None, None])


class _AcrossEdges(_Corrected):
    """A filter of the pixels around the edges of blocks, first down the columns and then along the rows."""

    def __init__(self, start: Tensor, before: float, after: float) -> None:
        super().__init__(start)
        self._before, self._after = before, after

    def forward(self, x: Tensor) -> Tensor:
        x = x + self._before
        for axis in (-2, -1):
            x = self._along(x.transpose(axis, -1)).transpose(axis, -1)
        return x.contiguous() + self._after

    def _along(self, x: Tensor) -> Tensor:
        margin = len(self.start) // 2
        inside = x[..., margin:-margin].unflatten(-1, (-1, 2 * margin)) @ self.matrix.T
        return torch.cat([x[..., :margin], inside.flatten(-2), x[..., -margin:]], -1)


def _residuals(channels: int, width: int, depth: int, side: int) -> list[nn.Module]:
    deviations = block_basis(channels, side)[1]
    return [_Residual(deviations, width) for _ in range(depth)]


class _Residual(nn.Module):
    """``x + f(x)``, f a bottleneck that sees each coefficient in units of its deviation and starts at 0."""

    deviations: Tensor

    def __init__(self, deviations: Tensor, width: int) -> None:
        super().__init__()
        channels = len(deviations)
        self.register_buffer("deviations", deviations[:, None, None], persistent=False)
        self.change = nn.Sequential(
            nn.Conv2d(channels, width, 1),
            nn.GELU(),
            nn.Conv2d(width, width, 3, padding=1),
            nn.GELU(),
            nn.Conv2d(width, channels, 1),
        )
        nn.init.zeros_(self.change[-1].weight)  # type: ignore[arg-type]
        nn.init.zeros_(self.change[-1].bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        return x + _PART * self.deviations * self.change(x / self.deviations)
