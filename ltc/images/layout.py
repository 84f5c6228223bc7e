"""How the latents of an image become vectors: runs of elements, cut into lattice vectors, and what is left over.

Which elements share a vector matters as much as the lattice. Where one element's scale is large and its neighbours'
are small, a lattice is coarser along the one axis that counts than rounding is (E8 has no point between 0 and 2 on a
coordinate axis); among elements of like scale it has its whole gain. So runs are put into the order of their scales,
which the decoder knows too, before they are cut.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ltc import lattices
from ltc.lattices import Lattice, TrellisLattice

__all__ = ["ALONG", "Layout", "Segment", "nearest", "segments", "shared_points", "spread", "straight_through"]

ALONG = ("channels", "positions", "image")
"""What a run is: the channels at a position, the positions of a channel (in raster order), or all elements."""

_log = logging.getLogger(__name__)

# The best quantizers of dimensions that a lattice leaves over.
_SMALLER = {
    16: ("bw16", None),
    8: ("e8", None),
    7: ("e7_dual", None),
    6: ("e6_dual", None),
    5: ("dn_dual", 5),
    4: ("dn", 4),
    3: ("dn_dual", 3),
    2: ("a2", None),
    1: ("z", 1),
}

# Longer runs of a trellis code are cut, so that several paths are searched at once. A path's start in a known state
# costs a few elements' gain.
_LONGEST = 1024

# The largest level that is sorted as a number of 16 bits.
_SHORT = 2**15 - 1

_said: set[tuple] = set()


@dataclass(frozen=True)
class Segment:
    """Consecutive elements of a run that are vectors of one lattice.

    Attributes:
        lattice: its lattice.
        start: the first element.
        stop: the element after the last one; ``stop - start`` is a multiple of the lattice's dimension.
    """

    lattice: Lattice
    start: int
    stop: int


def segments(lattice: Lattice, length: int, remainder: Lattice | None = None) -> list[Segment]:
    """A run of ``length`` elements as vectors of a lattice, and of smaller ones where it does not fit any more.

    A trellis code is taken at whatever lengths there are. What the remainder's lattice is, is logged once.

    Args:
        lattice: the lattice.
        length: elements.
        remainder: preferred for the rest, where it fits; then come the best lattices of 16, 8, 7, … dimensions.

    Examples:
        >>> [(s.lattice.name, s.start, s.stop) for s in segments(lattices.get("e8"), 22)]
        [('e8', 0, 16), ('e6_dual', 16, 22)]
    """
    if lattice.is_code:
        return _cut_code(lattice.name, length)
    found: list[Segment] = []
    at = 0
    candidates = [lattice] + ([] if remainder is None else [remainder])
    while at < length:
        fitting = next((c for c in candidates if c.dim <= length - at), None)
        if fitting is None:
            name, dim = _SMALLER[max(n for n in _SMALLER if n <= length - at)]
            fitting = lattices.get(name, dim)
        stop = at + (length - at) // fitting.dim * fitting.dim
        found.append(Segment(fitting, at, stop))
        at = stop
    if len(found) > 1 or (found and found[0].lattice is not lattice):
        _note_parts(lattice, length, found)
    return found


def _cut_code(name: str, length: int) -> list[Segment]:
    whole = max(1, min(length, _LONGEST))
    cut, found = length // whole * whole, []
    if cut:
        found.append(Segment(lattices.get(name, whole), 0, cut))
    if cut < length:
        found.append(Segment(lattices.get(name, length - cut), cut, length))
    return found


def _note_parts(lattice: Lattice, length: int, found: list[Segment]) -> None:
    key = (lattice.name, lattice.dim, length, *(s.lattice.name for s in found))
    if key not in _said:
        _said.add(key)
        parts = ", ".join(f"{s.stop - s.start} elements use {s.lattice.name}" for s in found)
        _log.warning("%s has dimension %d: of each run of %d latents %s.", lattice.name, lattice.dim, length, parts)


def nearest(lattice: Lattice, x: Tensor) -> Tensor:
    """The nearest points to x [..., m * n], without a gradient. Paths of a trellis code are searched on the CPU."""
    if lattice.is_code and x.device.type != "cpu":
        return lattice.quantize(x.cpu()).to(x.device)
    return lattice.quantize(x)


def shared_points(lattice: Lattice, k: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """The points of integers k [..., m * n], to the last bit the same wherever and however they are computed.

    Coordinates with steps are single products. Of a generator the digits below 2^-24 are left out: then sums of
    products are exact in double precision, in whatever order they are added up.
    """
    if isinstance(lattice, TrellisLattice) or lattice.generator is None:
        return lattice.to_points(k, dtype)
    copies = k.double().unflatten(-1, (k.shape[-1] // lattice.dim, lattice.dim))
    basis = torch.round(lattice.generator.to(copies) * 2.0**24) / 2.0**24
    return (copies @ basis).reshape(k.shape).to(dtype)


def straight_through(lattice: Lattice, x: Tensor, exact: bool = False) -> Tensor:
    """The nearest points to x [..., m * n], with a derivative taken to be 1.

    Args:
        lattice: the lattice.
        x: latents.
        exact: whether they shall be to the last bit those of their integers.
    """
    points = nearest(lattice, x.detach())
    if exact:
        points = shared_points(lattice, lattice.to_integers(points), x.dtype)
    if lattice.learns:
        return lattice.straight_through(x, points)  # to the last bit, too; with a derivative by the generator
    return _Through.apply(x, points)


def spread(log_p: Tensor, group: int) -> Tensor:
    """log probabilities of groups of elements [..., m] as equal shares of each: [..., m * group]."""
    return (log_p / group)[..., None].expand(*log_p.shape, group).flatten(-2)


class _Through(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, points: Tensor) -> Tensor:
        return points.clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return gradient, None


class Layout:
    """The way from latents [batch, channels, …] to runs [batch, runs, length] and back.

    Args:
        shape: of the latents.
        along: one of ``ALONG``.
        levels: integers that rise with the scale, of the latents' shape; each run is then ordered by them, largest
            first, equal ones as they came. None for no order.

    Examples:
        >>> y = torch.randn(2, 3, 4, 5)
        >>> layout = Layout(y.shape, "positions")
        >>> layout.runs(y).shape
        torch.Size([2, 3, 20])
        >>> torch.equal(layout.latents(layout.runs(y)), y)
        True
    """

    def __init__(self, shape: torch.Size, along: str, levels: Tensor | None = None) -> None:
        if along not in ALONG:
            raise ValueError(f"Vectors lie along one of {', '.join(ALONG)}, not along {along!r}.")
        self._shape, self._along = shape, along
        self._order: Tensor | None = None
        if levels is not None:
            self._order = _largest_first(self._unordered(levels))
            self._inverse = torch.empty_like(self._order).scatter_(
                -1, self._order, torch.arange(self._order.shape[-1], device=levels.device).expand_as(self._order)
            )

    def runs(self, latents: Tensor) -> Tensor:
        """Latents as runs: [batch, channels, …] -> [batch, runs, length]."""
        found = self._unordered(latents)
        return found if self._order is None else _Permute.apply(found, self._order, self._inverse)

    def latents(self, runs: Tensor) -> Tensor:
        """The inverse of ``runs``, contiguous."""
        if self._order is not None:
            runs = _Permute.apply(runs, self._inverse, self._order)
        if self._along == "channels":
            runs = runs.transpose(1, 2)
        # Contiguous, or a synthesis transform takes the kernel for "channels last", whose sums end in other bits than
        # those of the same latents when they were decoded.
        return runs.reshape(self._shape).contiguous()

    def _unordered(self, latents: Tensor) -> Tensor:
        flat = latents.reshape(latents.shape[0], latents.shape[1], -1)
        if self._along == "channels":
            return flat.transpose(1, 2).contiguous()
        return flat if self._along == "positions" else flat.reshape(len(flat), 1, -1)


def _largest_first(levels: Tensor) -> Tensor:
    """The order of levels along the last axis, equal ones as they came, so that every machine finds the same."""
    if levels.device.type != "cpu" or (levels.numel() and levels.abs().max() > _SHORT):
        return levels.argsort(dim=-1, descending=True, stable=True)
    # Numbers of 16 bits are sorted by their digits, ten times as fast.
    return torch.from_numpy(np.argsort(levels.to(torch.int16).neg().numpy(), axis=-1, kind="stable"))


class _Permute(torch.autograd.Function):
    """``gather`` along the last axis by a permutation, whose derivative is the inverse one: no scattered sums."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, order: Tensor, inverse: Tensor) -> Tensor:
        ctx.save_for_backward(inverse)
        return x.gather(-1, order)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (inverse,) = ctx.saved_tensors
        return gradient.gather(-1, inverse), None, None
