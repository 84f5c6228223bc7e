"""The nearest lattice point, straight through."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ltc.coding import PointModel, point_model
from ltc.entropy import EntropyModel, Family
from ltc.lattices import Lattice
from ltc.models.bottleneck import Bottleneck

__all__ = ["LatticeBottleneck"]

# Second moment of a good lattice whose own is not known.
_TYPICAL_NSM = 0.07


class LatticeBottleneck(Bottleneck):
    """The nearest lattice point, with the straight-through estimator: its derivative is taken to be 1.

    Args:
        entropy_model: a prior of lattice points, which owns the lattice: the points are those that it has a rate for.

    Raises:
        ValueError: if the entropy model is none of lattice points.

    Examples:
        >>> from ltc import lattices
        >>> from ltc.entropy import exact_prior
        >>> bottleneck = LatticeBottleneck(exact_prior(lattices.get("e8"), 16))
        >>> point, bits = bottleneck(torch.randn(5, 16))
        >>> bottleneck.lattice.name, point.shape, bits.shape
        ('e8', torch.Size([5, 16]), torch.Size([5]))
    """

    def __init__(self, entropy_model: EntropyModel) -> None:
        super().__init__()
        if not isinstance(entropy_model, EntropyModel):
            raise ValueError(
                f"A lattice's entropy model is a model of its points, as exact_prior makes it, not a "
                f"{type(entropy_model).__name__}, which is for rounding alone (ScalarBottleneck)."
            )
        self.entropy_model = entropy_model
        self.exact = entropy_model.exact
        self.searches = entropy_model.searches

    @property
    def lattice(self) -> Lattice:
        return self.entropy_model.lattice

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

    def permute(self, order: Tensor) -> None:
        """Moves the prior along when latent ``order[i]`` becomes number i, where each has a function of its own."""
        for part in self.entropy_model.modules():
            if isinstance(part, Family):
                part.permute(order)

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

    def _load_from_state_dict(self, state_dict: dict, prefix: str, *rest: Any) -> None:
        # Earlier versions held the lattice beside the prior: their states have a learned one's parameters twice.
        for name in [name for name in state_dict if name.startswith(f"{prefix}lattice.")]:
            del state_dict[name]
        super()._load_from_state_dict(state_dict, prefix, *rest)
