"""Bottlenecks: latents in, quantized latents and their rate out."""

from __future__ import annotations

import abc
import math
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ltc.coding import PointModel, dithered_point_model, point_model
from ltc.coding.dithered_model import PHASES, DitheredModel
from ltc.coding.trellis_model import TrellisModel
from ltc.entropy import EntropyModel, Family, voronoi_points
from ltc.lattices import Lattice, TrellisLattice
from ltc.lattices.arguments import check_floating, check_vectors

__all__ = ["Bottleneck", "DitheredBottleneck", "LatticeBottleneck", "ScalarBottleneck"]


# Second moment of a good lattice whose own is not known.
_TYPICAL_NSM = 0.07

# Integers with a table entry beyond the quantiles of CompressAI's bottleneck, and the least of their weights.
_SPARE, _LEAST = 10, 1e-30


class Bottleneck(nn.Module, abc.ABC):
    """Quantizes latents [batch, dim] and says what they cost.

    Attributes:
        exact: whether the rate in evaluation is a valid code length.
        lattice: of the quantized latents.
    """

    exact: bool
    lattice: Lattice

    @abc.abstractmethod
    def forward(self, y: Tensor) -> tuple[Tensor, Tensor]:
        """Returns (what the synthesis transform sees [batch, dim], rate in bits of each vector [batch]).

        Raises:
            TypeError: if ``y`` is no tensor.
            ValueError: if it has another number of latents, or no floating-point ones.
        """

    def check_latents(self, y: Tensor, dim: int, method: str) -> None:
        """Makes sure that ``y`` holds vectors of ``dim`` latents; see :meth:`forward`."""
        check_vectors(y, dim, self, method)
        check_floating(y, self, method)

    def relax(self, y: Tensor) -> tuple[Tensor, Tensor]:
        """:meth:`forward` with uniform noise in the place of quantization, for the first part of a training.

        Noise has honest gradients at low rate too, where those of the straight-through estimator lead into bad optima.
        """
        return self(y)

    @abc.abstractmethod
    def quantize(self, y: Tensor, mu: float = 0.0, power: int = 2) -> Tensor:
        """The quantized latents alone, without dither or gradient.

        Args:
            y: latents [batch, dim].
            mu: latent error that a bit is worth; where the bottleneck has a search for it, the point with the least
                ``sum |y_i - point_i|^power + mu * bits`` is found instead of the nearest one.
            power: 2 for squared, 1 for absolute error.
        """

    #: Whether ``quantize`` heeds ``mu``.
    searches: bool = False

    def refit(self, y: Tensor, mu: float = 0.0, power: int = 2) -> tuple[Tensor, Tensor]:
        """:meth:`forward` for training the decoder and the prior alone: as in evaluation, without a derivative by y.

        Args:
            y: latents [batch, dim].
            mu: as for :meth:`quantize`.
            power: likewise.
        """
        point = self.quantize(y, mu, power)
        return point, self.rate(point)

    def seek(self, batch: int) -> None:
        """Says which batch of an evaluation comes next: where chance takes part, each has numbers of its own.

        Without it, batches count from 0 after each change to evaluation mode. (Of several processes, each has to say
        the number that its batch has among all.)
        """

    @abc.abstractmethod
    def rate(self, point: Tensor) -> Tensor:
        """Bits of each vector of quantized latents [batch, dim]: [batch]."""

    @abc.abstractmethod
    def point_model(self, weights: dict[str, np.ndarray] | None = None) -> PointModel:
        """The tables of the bitstream of quantized latents.

        Args:
            weights: those of a checkpoint; made from the entropy model by default.

        Raises:
            NoBitstream: if the entropy model has none.
        """

    @abc.abstractmethod
    def to_integers(self, point: Tensor) -> Tensor:
        """The integers that the bitstream holds for quantized latents [batch, dim]: int64."""

    @abc.abstractmethod
    def to_points(self, k: Tensor) -> Tensor:
        """The quantized latents of integers [batch, dim]."""

    def reach(self) -> Tensor:
        """[dim] or [1]: latents beyond this in absolute value are outside the entropy model's range."""
        return torch.tensor([math.inf])

    def dither(self, model: PointModel, count: int, seed: int) -> Tensor | None:
        """What is subtracted from latents before quantization and added after, [count, dim]; None for nothing."""
        return None

    def figures(self) -> dict[str, float]:
        """What else an evaluation has shown, by name."""
        return {}

    def auxiliary_loss(self) -> Tensor | float:
        """A loss of the entropy model alone, added to rate + lambda * distortion; 0 where there is none."""
        return 0.0


class LatticeBottleneck(Bottleneck):
    """The nearest lattice point, with the straight-through estimator: its derivative is taken to be 1.

    Args:
        lattice: the lattice; a learned one that the entropy model has its own copy of is the entropy model's.
        entropy_model: a model of its points.

    Raises:
        ValueError: if the entropy model is none of lattice points.
    """

    def __init__(self, lattice: Lattice, entropy_model: EntropyModel) -> None:
        super().__init__()
        if not isinstance(entropy_model, EntropyModel):
            raise ValueError(
                f"A lattice's entropy model is a model of its points, as exact_prior makes it, not a "
                f"{type(entropy_model).__name__}, which is for rounding alone (ScalarBottleneck)."
            )
        # Where the lattice has parameters, there must be one set of them.
        self.lattice = entropy_model.lattice if lattice.learns else lattice
        self.entropy_model = entropy_model
        self.exact = entropy_model.exact
        self.searches = entropy_model.searches

    def quantize(self, y: Tensor, mu: float = 0.0, power: int = 2) -> Tensor:
        self.check_latents(y, self.entropy_model.dim, "quantize")
        y = y.detach()
        if mu > 0:
            return self.entropy_model.rd_optimal_point(y, mu, power)
        return self.entropy_model.admit(y, self.lattice.quantize(y))

    def relax(self, y: Tensor) -> tuple[Tensor, Tensor]:
        self.check_latents(y, self.entropy_model.dim, "relax")
        # A box with the second moment of the lattice's cell.
        width = math.sqrt(12 * (self.lattice.noise_moment() or _TYPICAL_NSM))
        noisy = y + width * (torch.rand_like(y) - 0.5)
        return noisy, self.entropy_model.log_noisy_mass(noisy, width) / -math.log(2)

    def rescale(self, factor: float) -> None:
        """Moves the prior along when the latents are scaled by ``factor``, where it can follow in closed form."""
        for part in self.entropy_model.modules():
            if isinstance(part, Family):
                part.rescale(factor)

    def reach(self) -> Tensor:
        return self.entropy_model.support()

    def rate(self, point: Tensor) -> Tensor:
        return self.entropy_model(point)

    def point_model(self, weights: dict[str, np.ndarray] | None = None) -> PointModel:
        return point_model(self.entropy_model, weights)

    def to_integers(self, point: Tensor) -> Tensor:
        return self.entropy_model.to_integers(point)

    def to_points(self, k: Tensor) -> Tensor:
        return self.entropy_model.to_points(k)

    def figures(self) -> dict[str, float]:
        return {**self.lattice.figures(), **self.entropy_model.figures()}

    def auxiliary_loss(self) -> Tensor | float:
        return self.lattice.auxiliary_loss()

    def forward(self, y: Tensor) -> tuple[Tensor, Tensor]:
        self.check_latents(y, self.entropy_model.dim, "forward")
        near = self.lattice.quantize(y.detach())
        point = self.entropy_model.admit(y.detach(), near)
        if self.training:
            # A point that is not the nearest one does not follow the latents: no gradient (overload of nested codes).
            through = self.lattice.straight_through(y, point)
            point = through if point is near else torch.where((point == near).all(-1, keepdim=True), through, point)
        return point, self.entropy_model(point)


class DitheredBottleneck(LatticeBottleneck):
    """Subtractive dither, shared by encoder and decoder: Q(y - u) + u, u uniform over the Voronoi cell.

    The error is then uniform over the cell and independent of the latents (Zamir & Feder 1992), in training as in
    evaluation, and the rate is that of the point given the dither. Evaluation draws its dither from a seed and the
    batch's number (:meth:`seek`): the same again in each evaluation, but another one for each batch, since standard
    errors count blocks as independent.

    Args:
        lattice: a lattice with a generator matrix.
        entropy_model: a model of its points.
        seed: of the evaluation's dither.
    """

    def __init__(self, lattice: Lattice, entropy_model: EntropyModel, seed: int = 0) -> None:
        super().__init__(lattice, entropy_model)
        self.seed, self.searches, self._batch = seed, False, 0

    def seek(self, batch: int) -> None:
        self._batch = batch

    def train(self, mode: bool = True) -> DitheredBottleneck:
        self.seek(0)
        return super().train(mode)

    def _drawn(self, y: Tensor) -> Tensor:
        """The dither of the next batch of an evaluation: [batch, dim]."""
        key = int(np.random.SeedSequence((self.seed, self._batch)).generate_state(1, np.uint64)[0])
        self.seek(self._batch + 1)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(key)
            return voronoi_points(self.lattice, *y.shape).to(y)

    def refit(self, y: Tensor, mu: float = 0.0, power: int = 2) -> tuple[Tensor, Tensor]:
        dither = self._drawn(y)
        point = self.lattice.quantize(y.detach() - dither)
        return point + dither, self.entropy_model(point, dither)

    def point_model(self, weights: dict[str, np.ndarray] | None = None) -> PointModel:
        return dithered_point_model(self.entropy_model, weights)

    def dither(self, model: PointModel, count: int, seed: int) -> Tensor | None:
        assert isinstance(model, DitheredModel)
        return self.lattice.to_points(torch.from_numpy(model.dither(count, seed))) / PHASES

    def forward(self, y: Tensor) -> tuple[Tensor, Tensor]:
        self.check_latents(y, self.entropy_model.dim, "forward")
        dither = voronoi_points(self.lattice, *y.shape).to(y) if self.training else self._drawn(y)
        point = self.lattice.quantize(y.detach() - dither)
        if self.training:
            point = self.lattice.straight_through(y - dither, point)
        return point + dither, self.entropy_model(point, dither)


class ScalarBottleneck(Bottleneck):
    """Nonlinear transform coding's: CompressAI's EntropyBottleneck, uniform noise in training, rounding after.

    Args:
        lattice: must be Z.
        entropy_bottleneck: ``compressai.entropy_models.EntropyBottleneck``, a channel for each latent dimension.

    Raises:
        ValueError: for any other lattice or entropy model.
    """

    exact = True

    def __init__(self, lattice: TrellisLattice, entropy_bottleneck: nn.Module) -> None:
        super().__init__()
        if lattice.name != "z":
            raise ValueError(
                f"A scalar bottleneck rounds: its lattice is z, not {lattice.name}, which a LatticeBottleneck takes."
            )
        if isinstance(entropy_bottleneck, EntropyModel):
            raise ValueError(
                f"A scalar bottleneck has CompressAI's EntropyBottleneck, not a {type(entropy_bottleneck).__name__}."
            )
        self.lattice: TrellisLattice = lattice
        self.entropy_bottleneck: Any = entropy_bottleneck

    def forward(self, y: Tensor) -> tuple[Tensor, Tensor]:
        self.check_latents(y, len(self.entropy_bottleneck.quantiles), "forward")
        # CompressAI counts [batch, channel, ...].
        y_hat, likelihood = self.entropy_bottleneck(y[..., None])
        return y_hat[..., 0], -likelihood.log().sum(dim=(1, 2)) / math.log(2)

    def quantize(self, y: Tensor, mu: float = 0.0, power: int = 2) -> Tensor:
        medians = self._medians()
        self.check_latents(y, len(medians), "quantize")
        return torch.round(y.detach() - medians) + medians

    def rate(self, point: Tensor) -> Tensor:
        return -self.entropy_bottleneck(point[..., None], training=False)[1].log().sum(dim=(1, 2)) / math.log(2)

    def to_integers(self, point: Tensor) -> Tensor:
        return torch.round(point - self._medians()).long()

    def to_points(self, k: Tensor) -> Tensor:
        return k.to(torch.float32) + self._medians()

    def _medians(self) -> Tensor:
        return self.entropy_bottleneck.quantiles[:, 0, 1].detach()

    @torch.no_grad()
    def point_model(self, weights: dict[str, np.ndarray] | None = None) -> PointModel:
        medians, quantiles = self._medians(), self.entropy_bottleneck.quantiles[:, 0]
        radius = int((quantiles - medians[:, None]).abs().amax()) + _SPARE
        k = torch.arange(-radius, radius + 1, device=medians.device)
        points = (k + medians[:, None])[None]  # [1, channels, integers]
        likelihood = self.entropy_bottleneck(points, training=False)[1][0].double().cpu().numpy()
        ones = {"w": np.maximum(likelihood.T, _LEAST)[None], "shares": np.ones(1)}
        return TrellisModel(self.lattice, len(medians), weights or ones)

    def auxiliary_loss(self) -> Tensor | float:
        return self.entropy_bottleneck.loss()
