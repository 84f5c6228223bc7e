"""The entropy bottleneck of lattices with a triangular generator, learned ones above all: exact, and codable."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ltc import lattices
from ltc.coding.conditional_model import ConditionalModel
from ltc.coding.conditional_triangular_model import TabulatedTriangularModel
from ltc.entropy.cells import triangular_steps
from ltc.images.channel_masses import log_masses, reach
from ltc.images.entropy_bottleneck import LatticeEntropyBottleneck
from ltc.images.layout import Segment, segments, spread
from ltc.lattices import Lattice

__all__ = ["TriangularEntropyBottleneck"]

# The coder knows a channel's density by its masses on intervals of this width, around the median.
_WIDTH = 1 / 32

# Beyond this from the median every integer is escaped.
_FURTHEST = 256.0


class TriangularEntropyBottleneck(LatticeEntropyBottleneck):
    """The nearest lattice point to ``y - median``, and its probability coordinate by coordinate.

    P = prod_i f_i(x_i), with f_i the mass of the channel's learned density on a cell of width B_ii around coordinate
    i; such cells tile the line of all values that x_i may have given z_1 .. z_{i-1}, and so each factor is a
    probability (``ltc.entropy.TriangularPrior``). What is left over of a run is rounded. Arguments are those of
    ``ltc.images.LatticeEntropyBottleneck``; a learned lattice is learned here.

    Raises:
        ValueError: for an unknown ``along``, or a lattice without an upper triangular generator.

    Examples:
        >>> bottleneck = TriangularEntropyBottleneck(10, lattices.LearnedLattice(4)).eval()
        >>> y_hat, likelihoods = bottleneck(torch.randn(2, 10, 4, 4))
        >>> bottleneck.update()
        True
        >>> torch.equal(bottleneck.decompress(bottleneck.compress(y_hat), (4, 4)), y_hat)
        True
    """

    def _check(self, lattice: Lattice) -> None:
        triangular_steps(lattice)

    def update(self, force: bool = False, update_quantiles: bool = False) -> bool:
        if self._weights.numel() > 0 and not force:
            return False
        if update_quantiles:
            self._update_quantiles()
        furthest = min(_FURTHEST, reach(self))
        intervals = 2 * math.ceil(furthest / _WIDTH)
        center = (torch.arange(intervals, device=self.quantiles.device) + 0.5) * _WIDTH - intervals * _WIDTH / 2
        with torch.no_grad():
            mass = log_masses(self, center.expand(self.channels, -1), torch.full_like(center, _WIDTH)).exp()
        self._weights = mass.double().flatten()
        self._radii = torch.tensor([intervals], dtype=torch.int32, device=self._weights.device)
        self._offset = torch.zeros(1, dtype=torch.int32, device=self._weights.device)
        self._coders = {}
        return True

    def _log_prob(self, points: Tensor, segment: Segment, order: Tensor) -> Tensor:
        lattice = segment.lattice
        step = triangular_steps(lattice).to(points)
        # Where points do not move with the basis, neither do their cells with it.
        log_f = self._log_f(points, step if points.requires_grad else step.detach(), segment, order)
        return spread(log_f.unflatten(-1, (-1, lattice.dim)).sum(-1), lattice.dim)

    def _segments(self, length: int) -> list[Segment]:
        return segments(self.lattice, length, lattices.get("z"))

    def _coder_of(self, lattice: Lattice) -> ConditionalModel:
        if self._weights.numel() == 0:
            raise ValueError("There are no tables yet: call update() first.")
        key = f"{lattice.name}_{lattice.dim}"
        if key not in self._coders:
            masses = self._weights.cpu().numpy().reshape(self.channels, -1)
            self._coders[key] = TabulatedTriangularModel(lattice, masses, _WIDTH)
        return self._coders[key]
