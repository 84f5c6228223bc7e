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
from ltc.lattices import Lattice

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
        """Returns (what the synthesis transform sees [batch, dim], rate in bits of each vector [batch])."""

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

    @abc.abstractmethod
    def rate(self, point: Tensor) -> Tensor:
        """Bits of each vector of quantized latents [batch, dim]: [batch]."""

    @abc.abstractmethod
    def point_model(self, weights: dict[str, np.ndarray] | None = None) -> PointModel:
        """The tables of the bitstream of quantized latents.

        Args:
            weights: those of a checkpoint; made from the entropy model by default.

        Raises:
            ValueError: if the entropy model has no bitstream.
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
    """

    def __init__(self, lattice: Lattice, entropy_model: EntropyModel) -> None:
        super().__init__()
        # Where the lattice has parameters, there must be one set of them.
        self.lattice = entropy_model.lattice if isinstance(lattice, nn.Module) else lattice
        self.entropy_model = entropy_model
        self.exact = entropy_model.exact
        self.searches = entropy_model.searches

    def quantize(self, y: Tensor, mu: float = 0.0, power: int = 2) -> Tensor:
        y = y.detach()
        if mu > 0:
            return self.entropy_model.rd_optimal_point(y, mu, power)
        return self.entropy_model.admit(y, self.lattice.quantize(y))

    def relax(self, y: Tensor) -> tuple[Tensor, Tensor]:
        # A box with the second moment of the lattice's cell.
        width = math.sqrt(12 * (self.lattice.nsm or _TYPICAL_NSM))
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
    evaluation, and the rate is that of the point given the dither. Evaluation draws its dither from a seed.

    Args:
        lattice: a lattice with a generator matrix.
        entropy_model: a model of its points.
        seed: of the evaluation's dither.
    """

    def __init__(self, lattice: Lattice, entropy_model: EntropyModel, seed: int = 0) -> None:
        super().__init__(lattice, entropy_model)
        self.seed, self.searches = seed, False

    def point_model(self, weights: dict[str, np.ndarray] | None = None) -> PointModel:
        return dithered_point_model(self.entropy_model, weights)

    def dither(self, model: PointModel, count: int, seed: int) -> Tensor | None:
        assert isinstance(model, DitheredModel)
        return self.lattice.to_points(torch.from_numpy(model.dither(count, seed))) / PHASES

    def forward(self, y: Tensor) -> tuple[Tensor, Tensor]:
        count, dim = y.shape
        if self.training:
            dither = voronoi_points(self.lattice, count, dim).to(y)
        else:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(self.seed)
                dither = voronoi_points(self.lattice, count, dim).to(y)
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

    def __init__(self, lattice: Lattice, entropy_bottleneck: nn.Module) -> None:
        super().__init__()
        if lattice.name != "z":
            raise ValueError(f"model=ntc rounds, so it needs lattice=z, got lattice={lattice.name}; or use model=ltc.")
        if isinstance(entropy_bottleneck, EntropyModel):
            raise ValueError("model=ntc needs entropy_model=bottleneck; or use model=ltc.")
        self.lattice = lattice
        self.entropy_bottleneck: Any = entropy_bottleneck

    def forward(self, y: Tensor) -> tuple[Tensor, Tensor]:
        # CompressAI counts [batch, channel, ...].
        y_hat, likelihood = self.entropy_bottleneck(y[..., None])
        return y_hat[..., 0], -likelihood.log().sum(dim=(1, 2)) / math.log(2)

    def quantize(self, y: Tensor, mu: float = 0.0, power: int = 2) -> Tensor:
        medians = self._medians()
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
