"""The nearest lattice point of latents that are moved by a shared dither."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ltc.coding import PointModel, dithered_point_model
from ltc.coding.dithered_model import PHASES, DitheredModel
from ltc.entropy import EntropyModel, voronoi_points
from ltc.models.lattice_bottleneck import LatticeBottleneck

__all__ = ["DitheredBottleneck"]


class DitheredBottleneck(LatticeBottleneck):
    """Subtractive dither, shared by encoder and decoder: Q(y - u) + u, u uniform over the Voronoi cell.

    The error is then uniform over the cell and independent of the latents (Zamir & Feder 1992), in training as in
    evaluation, and the rate is that of the point given the dither. Evaluation draws its dither from a seed and the
    batch's number (``seek``): the same again in each evaluation, but another one for each batch, since standard
    errors count blocks as independent.

    Args:
        entropy_model: a prior of the points of a lattice with a generator matrix.
        seed: of the evaluation's dither.
    """

    def __init__(self, entropy_model: EntropyModel, seed: int = 0) -> None:
        super().__init__(entropy_model)
        self.seed, self.searches, self._batch = seed, False, 0

    def seek(self, batch: int) -> None:
        self._batch = batch

    def train(self, mode: bool = True) -> DitheredBottleneck:
        self.seek(0)
        return super().train(mode)

    def _evaluation_dither(self, y: Tensor) -> Tensor:
        """The dither of the next batch of an evaluation: [batch, dim]."""
        key = int(np.random.SeedSequence((self.seed, self._batch)).generate_state(1, np.uint64)[0])
        self.seek(self._batch + 1)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(key)
            return voronoi_points(self.lattice, *y.shape).to(y)

    def refit(self, y: Tensor, mu: float = 0.0, power: int = 2) -> tuple[Tensor, Tensor]:
        dither = self._evaluation_dither(y)
        point = self.lattice.quantize(y.detach() - dither)
        return point + dither, self.entropy_model(point, dither)

    def point_model(self, weights: dict[str, np.ndarray] | None = None) -> PointModel:
        return dithered_point_model(self.entropy_model, weights)

    def dither(self, model: PointModel, count: int, seed: int) -> Tensor | None:
        assert isinstance(model, DitheredModel)
        return self.lattice.to_points(torch.from_numpy(model.dither(count, seed))) / PHASES

    def forward(self, y: Tensor) -> tuple[Tensor, Tensor]:
        self.check_latents(y, self.entropy_model.dim, "forward")
        dither = voronoi_points(self.lattice, *y.shape).to(y) if self.training else self._evaluation_dither(y)
        point = self.lattice.quantize(y.detach() - dither)
        if self.training:
            point = self.lattice.straight_through(y - dither, point)
        return point + dither, self.entropy_model(point, dither)
