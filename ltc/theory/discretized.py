"""R(D) of a continuous source in one or two dimensions: Blahut-Arimoto on a grid, with a certified error."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, TypedDict

import torch
from torch import Tensor

from .alternating_minimization import BlahutArimotoResult, blahut_arimoto, blahut_arimoto_separable
from .envelope import RateDistortionEnvelope
from .grid import density_on_grid, halve_grid, histogram_on_grid
from .rate_distortion import RateDistortionFunction

if TYPE_CHECKING:
    from typing_extensions import Unpack  # in typing from Python 3.11 on

__all__ = ["DiscretizedRD", "DiscretizedSettings"]

# Less than this of the total mass in one cell is no mass: it lets the iteration skip cells far out.
_NEGLIGIBLE = 1e-16
_MAX_SOLVES = 16


class DiscretizedSettings(TypedDict, total=False):
    """The keywords common to all ways of building a ``DiscretizedRD``; see there."""

    measure: str
    tolerance: float
    max_iterations: int
    device: torch.device | str | None


class DiscretizedRD(RateDistortionFunction):
    r"""R(D) of the source with the given pmf on a grid of points, reproduced on the same grid.

    Use ``from_density`` for a known density and ``from_samples`` for samples; the constructor takes the pmf.

    ``rate`` returns a *certified lower bound* on R(D) of the discretized source, at most ``tolerance`` bits
    below it, so that a gap measured against it is never flattered by the computation; ``bracket`` returns both
    sides. Solved slopes are kept and support every later question, so a whole curve costs little more than a
    few points. A later question may raise an earlier answer, within the tolerance.

    What discretization itself does is not covered by the certificate; see ``discretization_error``. With
    spacing h, masses from a smooth density follow the midpoint rule, whose error vanishes faster than any power of
    h once sqrt(D) is above about h. Errors of order h^2 come from jumps and kinks of the density, and at low rates
    from the reproductions being on the grid where the best ones form few points or a curve (then the rate is too
    high). Under ``"l1"`` the kink of \|x - y\| costs about (h/D)^2 / 12 nats (the rate is too low): keep h well
    below D. For D far below h^2 the result saturates at the entropy of the grid, far too low.

    Args:
        pmf: shape [k] or [k1, k2], nonnegative, sums to 1. Cells below 1e-16 count as empty.
        axes: for each dimension the coordinates of its grid points, strictly increasing.
        measure: ``"mse"``, or in one dimension ``"l1"``.
        tolerance: largest certified error of ``rate``, bits per symbol.
        max_iterations: of Blahut-Arimoto, for each slope. If they do not suffice, ``tolerance`` grows to what was
            reached.
        device: where to compute (float64); that of ``pmf`` if None.

    Raises:
        ValueError: if pmf, axes, measure or tolerance are not as described, or all mass is in one cell.

    References:
        R. E. Blahut, "Computation of channel capacity and rate-distortion functions", IEEE Trans. IT, 1972.

    Examples:
        >>> source = DiscretizedRD.from_density(lambda x: -0.5 * x[:, 0] ** 2, [(-6, 6)], resolution=200)
        >>> round(source.rate(0.25), 2)  # N(0, 1): 0.5 * log2(1 / 0.25)
        1.0
    """

    exact = False

    def __init__(
        self,
        pmf: Tensor,
        axes: Sequence[Tensor],
        *,
        measure: str = "mse",
        tolerance: float = 5e-4,
        max_iterations: int = 20_000,
        device: torch.device | str | None = None,
    ) -> None:
        pmf = torch.as_tensor(pmf, device=device).double()
        self.axes = [torch.as_tensor(axis, device=pmf.device).double() for axis in axes]
        if pmf.ndim not in (1, 2) or [len(axis) for axis in self.axes] != list(pmf.shape):
            lengths = [len(axis) for axis in self.axes]
            raise ValueError(
                f"axes: got lengths {lengths} for a pmf of shape {list(pmf.shape)}; 1 or 2 dims must match"
            )
        if any(not bool((axis.diff() > 0).all()) for axis in self.axes):
            raise ValueError("axes: the grid points of every axis must be strictly increasing and finite")
        if not bool((pmf >= 0).all()) or abs(float(pmf.sum()) - 1) > 1e-6:
            raise ValueError(f"pmf: must be nonnegative and sum to 1, but sums to {float(pmf.sum()):.6g}")
        if measure not in ("mse", "l1") or (measure == "l1" and pmf.ndim == 2):
            raise ValueError(f"measure: got {measure!r} in {pmf.ndim}-D, but only 'mse', and 'l1' in 1-D, are possible")
        if not tolerance > 0:
            raise ValueError(f"tolerance: got {tolerance!r} bits, but it must be positive")
        pmf = torch.where(pmf > _NEGLIGIBLE, pmf, 0.0)
        if int((pmf > 0).sum()) < 2:
            raise ValueError("pmf: all mass is in one cell, but a source needs at least two; raise the resolution")
        self.pmf = pmf / pmf.sum()
        self.dim, self.measure = pmf.ndim, measure
        self._requested, self._worst, self._max_iterations = float(tolerance), 0.0, max_iterations
        self._distortions = [_axis_distortion(axis, measure) / self.dim for axis in self.axes]
        self._envelope = RateDistortionEnvelope(
            entropy=float(torch.special.entr(self.pmf).sum()) / math.log(2),
            max_distortion=self._silent_distortion(),
        )
        self._coarsen: Callable[[], DiscretizedRD] = self._halved
        self._coarse: DiscretizedRD | None = None

    @classmethod
    def from_density(
        cls,
        log_density: Callable[[Tensor], Tensor],
        bounds: Sequence[tuple[float, float]],
        resolution: int,
        **settings: Unpack[DiscretizedSettings],
    ) -> DiscretizedRD:
        r"""The source with a known density, on the midpoints of ``resolution`` equal cells per dimension.

        Args:
            log_density: maps points [N, dim] (float64) to log densities [N], in nats, up to a constant; -inf where
                the density is zero.
            bounds: (low, high) for each of 1 or 2 dimensions. Mass outside is cut off: leave room for the tails,
                and put the ends of a bounded support exactly at the bounds.
            resolution: cells per dimension, at least 4. The spacing h is (high - low) / resolution.
            **settings: ``measure``, ``tolerance``, ``max_iterations``, ``device``, as for the class.

        Raises:
            ValueError: if there are not 1 or 2 bounds with low < high, the resolution is below 4, or the log
                density is NaN, +inf, of the wrong shape, or -inf everywhere.

        Examples:
            >>> uniform = DiscretizedRD.from_density(lambda x: torch.zeros(len(x)), [(-1, 1)], resolution=300)
            >>> round(uniform.max_distortion, 3)
            0.333
        """
        source = cls(*density_on_grid(log_density, bounds, resolution, settings.get("device")), **settings)
        source._coarsen = partial(cls.from_density, log_density, bounds, resolution // 2, **settings)
        return source

    @classmethod
    def from_samples(cls, samples: Tensor, resolution: int, **settings: Unpack[DiscretizedSettings]) -> DiscretizedRD:
        r"""The source known by samples only: a histogram, each cell's mass at its midpoint.

        This is R(D) of the *empirical* source, not of the true one. At a fixed slope lambda, min(R + lambda D) is
        concave in the pmf, so on average over the samples it comes out too low (Jensen), and a gap measured
        against it too large. The bias grows as D falls: it is of the order of K / (2 N ln 2) bits for N samples,
        where K is the number of cells of volume D^(dim/2) that the source occupies, and for D far below the
        squared size of the cells the rate saturates at the entropy of the histogram, at most log2 N. Compare two
        halves of the samples to see it. The histogram also moves each sample to its cell's midpoint, which adds
        about h^2/12 to the variance, and it ends at the extreme samples.

        Args:
            samples: shape [N, 1] or [N, 2], finite.
            resolution: cells per dimension, at least 4, between the extremes of the samples.
            **settings: ``measure``, ``tolerance``, ``max_iterations``, ``device``, as for the class.

        Raises:
            ValueError: if the samples are not of that shape, not finite, or constant in a component, or the
                resolution is below 4.

        Examples:
            >>> x = torch.randn(20_000, 1, generator=torch.Generator().manual_seed(0))
            >>> abs(DiscretizedRD.from_samples(x, resolution=100).rate(0.25) - 1.0) < 0.03
            True
        """
        source = cls(*histogram_on_grid(samples, resolution), **settings)
        source._coarsen = partial(cls.from_samples, samples, resolution // 2, **settings)
        return source

    @property
    def max_distortion(self) -> float:
        return self._envelope.max_distortion

    @property
    def tolerance(self) -> float:
        """Certified error of all rates returned so far, bits: as requested, or more if iterations ran out."""
        return max(self._requested, self._worst)

    def rate(self, distortion: float) -> float:
        """The certified lower bound on R(D), bits per symbol; the side of ``bracket`` to measure gaps from."""
        return self.bracket(distortion)[0]

    def bracket(self, distortion: float) -> tuple[float, float]:
        """Certified (lower, upper) bounds on R(D) of the discretized source, bits per symbol.

        Solves as many slopes (two to four, usually) as it takes to bring them within ``tolerance``.

        Raises:
            ValueError: if ``distortion`` is not a positive number.
        """
        d = self._positive_distortion(distortion)
        if d >= self.max_distortion:
            return 0.0, 0.0
        guess = self.dim * {"mse": 0.5, "l1": 1.0}[self.measure] / (math.log(2) * d)  # of the Shannon lower bound
        for _ in range(_MAX_SOLVES):
            lower, upper = self._envelope.lower(d), self._envelope.upper(d)
            if upper - lower <= self._requested:
                break
            slope = self._envelope.next_slope(d, guess)
            if not slope > 0:
                break  # results so far from converged that their order is wrong
            closest = self._envelope.closest(slope)
            if closest is not None and abs(slope / closest.slope - 1) < 1e-9:
                break  # this slope is solved as well as max_iterations allows
            self._envelope.add(self._solve(slope, closest))
        lower, upper = self._envelope.lower(d), self._envelope.upper(d)
        self._worst = max(self._worst, upper - lower)
        return min(lower, upper), upper

    def distortion(self, rate: float) -> float:
        """D(R): the distortion at which ``rate`` is ``rate``, by Newton steps along the certified tangents.

        Raises:
            ValueError: if ``rate`` is negative, not finite, or not below the entropy of the grid.
        """
        if self._nonnegative_rate(rate) == 0:
            return self.max_distortion
        if rate >= self._envelope.entropy:
            entropy = self._envelope.entropy
            raise ValueError(f"rate: got {rate!r} bits, but the grid's entropy is {entropy:.4g}; raise the resolution")
        d = self.max_distortion * 2.0 ** (-rate * {"mse": 2.0 / self.dim, "l1": 1.0}[self.measure])
        for _ in range(_MAX_SOLVES):
            self.bracket(d)
            previous, d = d, max(self._envelope.distortion_at(rate), 1e-12 * self.max_distortion)
            if abs(d - previous) <= 1e-6 * d:
                break
        return d

    def discretization_error(self, distortion: float) -> float:
        """An estimate of |R(D) of the grid - R(D) of the continuous source|, bits: the change from half the resolution.

        The same source is solved again at half the resolution (for a pmf without a density: merging neighbours).
        Where the error falls as h^2 the estimate is about three times the error; where it falls faster, much more
        than that. It cannot see below ``tolerance``, nor what lies outside the bounds.

        Raises:
            ValueError: if ``distortion`` is not a positive number, or half the resolution is less than 4.
        """
        if self._coarse is None:
            self._coarse = self._coarsen()
        return abs(self.rate(distortion) - self._coarse.rate(distortion))

    def _solve(self, slope: float, closest: BlahutArimotoResult | None) -> BlahutArimotoResult:
        initial = None
        if closest is not None:
            # A little everywhere, for cells that the neighbouring slope has emptied.
            q = closest.reproduction_pmf
            initial = 0.99 * q + 0.01 / q.numel()
        budget, limit = (
            0.5 * self._requested,
            self._max_iterations,
        )  # the other half is for D between two slopes
        if self.dim == 1:
            matrix = self._distortions[0]
            return blahut_arimoto(self.pmf, matrix, slope, tolerance=budget, max_iterations=limit, initial=initial)
        pair = (self._distortions[0], self._distortions[1])
        return blahut_arimoto_separable(self.pmf, pair, slope, tolerance=budget, max_iterations=limit, initial=initial)

    def _halved(self) -> DiscretizedRD:
        pmf, axes = halve_grid(self.pmf, self.axes)
        settings = DiscretizedSettings(
            measure=self.measure, tolerance=self._requested, max_iterations=self._max_iterations
        )
        return DiscretizedRD(pmf, axes, **settings)

    def _silent_distortion(self) -> float:
        marginals = [self.pmf] if self.dim == 1 else [self.pmf.sum(1), self.pmf.sum(0)]
        return sum(float((p @ d).min()) for p, d in zip(marginals, self._distortions, strict=True))


def _axis_distortion(axis: Tensor, measure: str) -> Tensor:
    difference = (axis[:, None] - axis[None, :]).abs()
    return difference.square() if measure == "mse" else difference
