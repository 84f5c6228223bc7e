"""A coder: analysis transform, bottleneck, synthesis transform; trained, a codec."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from ltc.coding import PointModel, decode_points, encode_points
from ltc.models.bottleneck import Bottleneck
from ltc.models.closed_search import ClosedSearch
from ltc.models.latent_order import LatentOrder
from ltc.models.lattice_bottleneck import LatticeBottleneck
from ltc.models.neighbour_search import NeighbourSearch, neighbours_of_zero
from ltc.models.rd_search import RDSearch

__all__ = ["Coder", "Coding"]

# Latents further out than this are quantized in double precision.
_FAR = 1e3


class Coding(NamedTuple):
    """What a coder makes of a batch: reconstruction [batch, ...] and bits of each block [batch]."""

    reconstruction: Tensor
    bits: Tensor


class Coder(nn.Module):
    """x -> y = gain * g_a(x) -> a lattice point near y -> g_s(point / gain).

    In training the bottleneck's surrogate of quantization is used. In evaluation the point is the nearest one, or, with
    a ``search``, the one that is better for rate + lambda * distortion. With the tables of ``update`` a coder is a
    codec: ``compress`` and ``decompress``.

    Args:
        analysis: g_a, maps a block [batch, n * source.dim] to latents [batch, latent_dim], or a part of it to its own.
        bottleneck: quantizer and entropy model.
        synthesis: g_s, maps latents back.
        gain: scale of the latents to start from.
        parts: equal parts of a block that have the same transform each.

    Attributes:
        gain: the latents' scale relative to what the transforms learned; a calibration changes it.
        noisy: whether training has noise in the place of quantization.
        search: the rate-distortion optimal search of the encoder; None where the bottleneck has none.
        neighbours: the encoder's search around that point, decoder in the loop; None for none.
        order: which latents share a lattice vector; None for the analysis transform's order.
        tables: the bitstream's tables, after ``update``.
    """

    gain: Tensor

    def __init__(
        self, analysis: nn.Module, bottleneck: Bottleneck, synthesis: nn.Module, gain: float = 1.0, parts: int = 1
    ) -> None:
        super().__init__()
        if not gain > 0:
            raise ValueError(f"The scale of the latents is positive, got {gain}.")
        self.analysis, self.bottleneck, self.synthesis = analysis, bottleneck, synthesis
        self.parts = parts
        self.register_buffer("gain", torch.tensor(float(gain)))
        self.noisy = False
        self.search: RDSearch | None = None
        self.neighbours: ClosedSearch | None = None
        self.order: LatentOrder | None = None
        self.tables: PointModel | None = None

    def forward(self, x: Tensor) -> Coding:
        y = self.latents(x)
        if self.training and self.noisy:
            point, bits = self.bottleneck.relax(y)
            return Coding(self.decode(point), bits)
        if self.training or (self.search is None and self.neighbours is None):
            point, bits = self.bottleneck(y)
            return Coding(self.decode(point), bits)
        return self._encode(x, y)[1]

    def latents(self, x: Tensor) -> Tensor:
        """y: [batch, latent_dim]."""
        y = self.gain * self._of_parts(self.analysis, x)
        return y if self.order is None else self.order(y)

    def quantize(self, y: Tensor) -> Tensor:
        """The point of each vector of latents: what the search finds, or the nearest one."""
        if self.search is None:
            return self.bottleneck.quantize(y)
        return self.bottleneck.quantize(self.search.stretch * y, float(self.search.mu), self.search.power)

    def refit(self, y: Tensor) -> Coding:
        """What decoder and prior make of latents in evaluation, with their derivatives: the encoder is held fixed."""
        search = () if self.search is None else (float(self.search.mu), self.search.power)
        point, bits = self.bottleneck.refit(y if self.search is None else self.search.stretch * y, *search)
        return Coding(self.decode(point), bits)

    def decode(self, point: Tensor) -> Tensor:
        """The reconstruction of quantized latents."""
        y = point if self.order is None else self.order.back(point)
        return self._of_parts(self.synthesis, y / self.gain)

    def _of_parts(self, transform: nn.Module, x: Tensor) -> Tensor:
        if self.parts == 1:
            return transform(x)
        return transform(x.reshape(len(x) * self.parts, -1)).reshape(len(x), -1)

    def reconstruct(self, x: Tensor) -> Tensor:
        """The reconstruction from nearest points: no rate is computed, and a dithered coder does without its dither."""
        return self.decode(self.bottleneck.quantize(self.latents(x)))

    @torch.no_grad()
    def encode(self, x: Tensor, dither: Tensor | None = None) -> Tensor:
        """The point that stands for each block [batch, latent_dim]; of the latents less their dither, if there is one.

        Blocks with latents out of the entropy model's range have nearest points: the bitstream escapes them at much the
        same price wherever they are, so that a search by the model's rate would ruin them for nothing. Points very far
        out have float64.
        """
        y = self.latents(x)
        exact = y.double() if bool((y.abs() > _FAR).any()) else y
        if dither is not None:
            return self.bottleneck.quantize(exact - dither.to(exact))
        if self.search is None and self.neighbours is None:
            return self.bottleneck.quantize(exact)
        far = (y.abs() > self.bottleneck.reach().to(y)).any(-1)
        if not far.any():
            return self._encode(x, y)[0]
        point = self.bottleneck.quantize(exact)
        if not far.all():
            point[~far] = self._encode(x[~far], y[~far])[0].to(point)
        return point

    def _encode(self, x: Tensor, y: Tensor) -> tuple[Tensor, Coding]:
        """The best point of the nearest one and the searches', and what it is worth."""
        if self.neighbours is not None:
            point = self.closed_loop(x, y)
            return point, Coding(self.decode(point), self.bottleneck.rate(point))
        return self._searched(x, y)

    @torch.no_grad()
    def closed_loop(self, x: Tensor, y: Tensor, most: int | None = None) -> Tensor:
        """The best point that the search among neighbours finds, or what there is without one: [batch, latent_dim].

        Args:
            x: blocks.
            y: their latents.
            most: neighbours to look at; None for all of them.
        """
        point = self.bottleneck.quantize(y) if self.search is None else self._searched(x, y)[0]
        if self.neighbours is None:
            return point
        return self.neighbours(x, point, self.decode, self.bottleneck.entropy_model, most)

    def closed_search(self, objective: RDSearch) -> ClosedSearch:
        """A search with the decoder in its loop, for ``neighbours``.

        Args:
            objective: the price of distortion and its measure.

        Raises:
            ValueError: if the bottleneck has no lattice.
        """
        if not isinstance(self.bottleneck, LatticeBottleneck):
            raise ValueError(
                f"A search among lattice points needs a lattice, {type(self.bottleneck).__name__} has none."
            )
        offsets = neighbours_of_zero(self.bottleneck.lattice, self.bottleneck.entropy_model.dim)
        return NeighbourSearch(float(objective.price), offsets, objective.measure)

    def _closed_search_of(self, state: dict[str, Tensor], measure: str) -> ClosedSearch:
        """One of the form that a trained coder has."""
        return NeighbourSearch(1.0, torch.zeros_like(state["neighbours.offsets"]), measure)

    def _searched(self, x: Tensor, y: Tensor) -> tuple[Tensor, Coding]:
        """The better point of the nearest one and the open search's."""
        assert self.search is not None
        points = self.bottleneck.quantize(y), self.quantize(y)
        nearest, searched = (Coding(self.decode(p), self.bottleneck.rate(p)) for p in points)
        pick = self.search.prefers(x, nearest, searched)
        reconstruction = torch.where(pick[:, None], searched.reconstruction, nearest.reconstruction)
        bits = torch.where(pick, searched.bits, nearest.bits)
        return torch.where(pick[:, None], points[1], points[0]), Coding(reconstruction, bits)

    def update(self, weights: dict[str, np.ndarray] | None = None) -> PointModel:
        """Makes the tables of the bitstream, from the entropy model or from the weights of a checkpoint.

        Encoder and decoder must have the same weights, bit for bit: where the decoder runs on another machine, they
        have to travel (``ltc.coding.PointModel.weights``), for logarithms and exponentials differ in last digits.

        Raises:
            NoBitstream: if the entropy model has none.
        """
        self.tables = self.bottleneck.point_model(weights)
        return self.tables

    def load_trained(self, state: dict[str, Tensor], measure: str) -> None:
        """Takes the state of a trained coder, with the searches and the order that its training has added.

        Args:
            state: its ``state_dict``.
            measure: the distortion it was trained for.

        Raises:
            RuntimeError: if it is that of a coder of another form.
        """
        has = {name.partition(".")[0] for name in state}
        self.search = RDSearch(1.0, measure) if "search" in has else None
        self.neighbours = self.order = None
        if "neighbours" in has:
            self.neighbours = self._closed_search_of(state, measure)
        if "order" in has:
            self.order = LatentOrder(torch.zeros_like(state["order.order"]))
        self.load_state_dict(state)

    def train(self, mode: bool = True) -> Coder:
        if mode:
            # Tables of a model that changes would be out of date.
            self.tables = None
        return super().train(mode)

    @torch.no_grad()
    def compress(self, x: Tensor, seed: int = 0) -> bytes:
        """The bitstream of a batch of blocks.

        Args:
            x: [batch, components], finite.
            seed: of the dither, if there is dither; the decoder needs the same.

        Raises:
            ValueError: if an input is not finite, or too large.
            RuntimeError: without tables.
        """
        if not bool(torch.isfinite(x).all()):
            raise ValueError("The input has NaN or infinite values; only finite numbers can be coded.")
        tables = self._ready()
        point = self.encode(x, self.bottleneck.dither(tables, len(x), seed))
        return encode_points(tables, self.bottleneck.to_integers(point).cpu().numpy(), seed)

    @torch.no_grad()
    def decompress(self, stream: bytes, count: int, seed: int = 0) -> Tensor:
        """The reconstructions of ``count`` blocks [count, components].

        Raises:
            CorruptStream: if the stream is not what ``compress`` wrote for as many blocks.
            RuntimeError: without tables.
        """
        tables = self._ready()
        k = torch.from_numpy(decode_points(tables, count, stream, seed)).to(self.gain.device)
        point = self.bottleneck.to_points(k)
        dither = self.bottleneck.dither(tables, count, seed)
        return self.decode(point if dither is None else point + dither.to(point))

    def _ready(self) -> PointModel:
        if self.tables is None or self.training:
            raise RuntimeError("A coder compresses in evaluation mode, after update().")
        return self.tables
