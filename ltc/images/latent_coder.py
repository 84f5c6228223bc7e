"""One image's latents to a range coder and back, given the levels of their scales."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ltc.coding.conditional_model import ConditionalModel
from ltc.coding.conditional_weights import conditional_point_model
from ltc.coding.range_coder import Decoder, Encoder
from ltc.entropy.conditional_base import ConditionalPrior
from ltc.images.layout import Layout, Segment, nearest, shared_points
from ltc.lattices import Lattice

__all__ = ["LARGEST", "LatentCoder", "Placed", "checked"]

LARGEST = 1 << 22
"""Integers of float32 latents that are larger may have lost their last digit on the way to a lattice point."""


def checked(k: Tensor) -> Tensor:
    """Integers of lattice points, as they are.

    Raises:
        ValueError: if one comes of no number, or of one that is far too large.
    """
    if k.numel() and not -LARGEST < int(k.min()) <= int(k.max()) < LARGEST:
        raise ValueError("A latent is no number, or so large that its lattice point loses digits.")
    return k


class Placed(NamedTuple):
    """Quantized latents that can be written.

    Attributes:
        parts: of each segment of a run the lattice, integers and levels int64 [batch, vectors, n].
        decoded: what a decoder makes of them, with their means [batch, channels, …].
    """

    parts: list[tuple[Lattice, np.ndarray, np.ndarray]]
    decoded: Tensor


class LatentCoder:
    """Quantizes and writes latents, or reads them.

    Args:
        cut: from a run's length to its segments.
        prior_of: the prior of a lattice.
        scales: float64 [levels], standard deviations.
        along: what runs are, one of ``ltc.images.layout.ALONG``.
        by_scale: whether a run's elements are ordered by their levels.
    """

    def __init__(
        self,
        cut: Callable[[int], list[Segment]],
        prior_of: Callable[[Lattice], ConditionalPrior],
        scales: np.ndarray,
        along: str,
        by_scale: bool,
    ) -> None:
        self._cut, self._prior_of, self._scales = cut, prior_of, scales
        self._along, self._by_scale = along, by_scale
        self._models: dict[tuple[str, int], ConditionalModel] = {}
        self._cuts: dict[int, list[Segment]] = {}

    def __getstate__(self) -> dict[str, Any]:
        # Tables in the range coder's own form cannot be copied; a copy of the network makes its own.
        return {**self.__dict__, "_models": {}}

    def write(self, encoder: Encoder, inputs: Tensor, indexes: Tensor, means: Tensor | None) -> Tensor:
        """Writes one image's latents [1, channels, …] with the indexes of their levels; returns what will be decoded.

        Raises:
            ValueError: for latents that are no numbers, or far too large.
        """
        placed = self.place(inputs, indexes, means)
        self.put(encoder, placed, 0)
        return placed.decoded

    def place(self, inputs: Tensor, indexes: Tensor, means: Tensor | None) -> Placed:
        """Quantizes latents [batch, channels, …] with the indexes of their levels.

        Raises:
            ValueError: for latents that are no numbers, or far too large.
        """
        layout = self._layout(indexes)
        x = layout.runs((inputs if means is None else inputs - means).detach())
        levels, points, parts = layout.runs(indexes), [], []
        for segment in self._segments(x.shape[-1]):
            lattice, inside = segment.lattice, slice(segment.start, segment.stop)
            k = checked(lattice.to_integers(nearest(lattice, x[..., inside])))
            parts.append((lattice, _vectors(k, lattice.dim), _vectors(levels[..., inside], lattice.dim)))
            points.append(shared_points(lattice, k, x.dtype))
        found = layout.latents(torch.cat(points, -1))
        return Placed(parts, found if means is None else found + means)

    def put(self, encoder: Encoder, placed: Placed, row: int) -> None:
        """Writes one of a batch."""
        for lattice, k, levels in placed.parts:
            self._model(lattice).encode(encoder, k[row], levels[row])

    def read(self, decoder: Decoder, indexes: Tensor, dtype: torch.dtype) -> Tensor:
        """Reads one image's latents, without their means: [1, channels, …], on the CPU.

        Raises:
            CorruptStream: if no encoder wrote them.
            ValueError: for an index that there is no level for.
        """
        indexes = torch.from_numpy(self._known(indexes))
        layout = self._layout(indexes)
        levels, points = layout.runs(indexes), []
        for segment in self._segments(levels.shape[-1]):
            lattice, part = segment.lattice, levels[..., segment.start : segment.stop]
            k = self._model(lattice).decode(decoder, _vectors(part, lattice.dim)[0])
            points.append(shared_points(lattice, torch.from_numpy(k).reshape(part.shape), dtype))
        return layout.latents(torch.cat(points, -1))

    def read_position(self, decoder: Decoder, indexes: Tensor, dtype: torch.dtype) -> Tensor:
        """Reads one position's latents [channels], as ``read`` does where vectors lie along channels.

        Here arrays are so short that most of the time would go into calls.

        Raises:
            CorruptStream: if no encoder wrote them.
            ValueError: for an index that there is no level for.
        """
        levels = self._known(indexes)
        order = np.argsort(-levels, kind="stable") if self._by_scale else np.arange(len(levels))
        levels, points = levels[order], []
        for segment in self._segments(len(levels)):
            lattice = segment.lattice
            k = self._model(lattice).decode(decoder, levels[segment.start : segment.stop].reshape(-1, lattice.dim))
            points.append(shared_points(lattice, torch.from_numpy(k).reshape(-1), dtype))
        found = torch.empty(len(levels), dtype=dtype)
        found[torch.from_numpy(order)] = torch.cat(points)
        return found

    def _known(self, indexes: Tensor) -> np.ndarray:
        """Indexes as int64, none of them without a level."""
        levels = indexes.cpu().numpy().astype(np.int64)
        if levels.size and not 0 <= levels.min() <= levels.max() < len(self._scales):
            raise ValueError(f"Indexes are those of build_indexes, from 0 to {len(self._scales) - 1}.")
        return levels

    def _segments(self, length: int) -> list[Segment]:
        if length not in self._cuts:
            self._cuts[length] = self._cut(length)
        return self._cuts[length]

    def _layout(self, indexes: Tensor) -> Layout:
        return Layout(indexes.shape, self._along, indexes if self._by_scale else None)

    def _model(self, lattice: Lattice) -> ConditionalModel:
        key = (lattice.name, lattice.dim)
        if key not in self._models:
            self._models[key] = conditional_point_model(self._prior_of(lattice), self._scales)
        return self._models[key]


def _vectors(values: Tensor, dim: int) -> np.ndarray:
    """[batch, runs, m * dim] as int64 [batch, runs * m, dim]."""
    return values.detach().reshape(len(values), -1, dim).long().cpu().numpy()
