"""What R(D) allows for each source of the page: closed or certified where known, else an upper bound from samples.

A bound from samples takes minutes; its points are kept in ``bound.pt`` of the sweep's folder.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from datamodules import Source
from ltc.files import whole_file
from ltc.theory import (
    RateDistortionFunction,
    SampleUpperBound,
    WassersteinDescent,
    achievable_point,
    sample_bounds,
)

__all__ = ["Bound", "bound_of"]

_FRESH = 20_000


@dataclass(frozen=True)
class Bound:
    """A curve to compare with.

    Attributes:
        function: R(D), or an upper bound on it.
        label: what it is.
        is_rd: whether it is R(D) itself, and no mere upper bound.
        vacuous_from: the distortion from which Shannon's lower bound is surely zero; None where R(D) is known.
    """

    function: RateDistortionFunction
    label: str
    is_rd: bool
    vacuous_from: float | None = None


def bound_of(source: Source, slopes: Sequence[float], folder: Path, steps: int = 600) -> Bound:
    """The source's R(D), or an upper bound from samples at these slopes, remembered in a folder.

    Args:
        source: the source.
        slopes: lambdas of the sweep, bits per unit of distortion.
        folder: where ``bound.pt`` is, or shall be.
        steps: of each descent.
    """
    known = source.rate_distortion()
    if known is not None:
        return Bound(known, "R(D)", True)
    rows = source.test_set()
    generator = torch.Generator().manual_seed(1)
    fresh = source.sample(_FRESH, torch.Generator().manual_seed(2)) if rows is None else rows
    some = source.sample(50_000, generator)
    path, settings = folder / "bound.pt", {"slopes": [float(s) for s in slopes], "steps": steps}
    kept = torch.load(path, weights_only=True) if path.exists() else {}
    if kept.get("settings") != settings:
        # As many points as a symbol of a thousand numbers lets us move in minutes.
        descent = WassersteinDescent(particles=min(1000, 300_000 // source.dim), steps=steps)
        found = sample_bounds(lambda count: source.sample(count, generator), fresh, slopes, descent)
        kept = {"settings": settings, "measures": [(p.reproduction, p.weights) for p in found]}
        with whole_file(path) as temporary:
            torch.save(kept, temporary)
    points = [achievable_point(fresh, y, w, s) for s, (y, w) in zip(slopes, kept["measures"], strict=True)]
    function = SampleUpperBound(points, float((fresh.double() - some.double().mean(0)).square().mean()))
    return Bound(function, "upper bound on R(D) from samples", False, _vacuous_from(some))


def _vacuous_from(x: torch.Tensor) -> float:
    """The distortion from which Shannon's lower bound is zero whatever the density: no density has more entropy than a
    Gaussian of the same covariance, whose bound ``(1/2) log2(det cov) - (dim/2) log2 D`` is zero at the geometric mean
    of the covariance's eigenvalues."""
    return math.exp(float(torch.linalg.slogdet(torch.cov(x.double().T))[1]) / x.shape[1])
