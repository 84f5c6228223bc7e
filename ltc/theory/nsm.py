"""Second moments of lattices: the space-filling gap, the sphere bound, Monte-Carlo, and the entropy of points."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from .running_mean import RunningMean

__all__ = ["EntropyEstimate", "entropy_of_points", "estimate_nsm", "space_filling_gap", "sphere_bound"]

_CHUNK_NUMBERS = 1 << 20  # numbers per chunk of Monte-Carlo inputs: 8 MiB


def space_filling_gap(nsm: float) -> float:
    r"""The high-rate gap to R(D) of an entropy-coded lattice of NSM G, in bits per dimension.

    $$
    \tfrac12 \log_2(2\pi e\, G)
    $$

    Args:
        nsm: G > 0, mean squared error per dimension at unit volume.

    Raises:
        ValueError: if ``nsm`` is not positive.

    References:
        R. Zamir and M. Feder, "On lattice quantization noise", IEEE Trans. IT, 1996.

    Examples:
        >>> round(space_filling_gap(1 / 12), 4)
        0.2546
    """
    if not nsm > 0:
        raise ValueError(f"nsm: got {nsm!r}, but a normalized second moment is positive")
    return 0.5 * math.log2(2 * math.pi * math.e * nsm)


def sphere_bound(dim: int) -> float:
    r"""The NSM of a ball in ``dim`` dimensions, below that of every quantizer there (Zador).

    $$
    G_n \ge \frac{\Gamma(n/2 + 1)^{2/n}}{(n + 2)\,\pi} \to \frac1{2\pi e}
    $$

    Args:
        dim: n >= 1.

    Raises:
        ValueError: if ``dim`` is less than 1.

    References:
        J. H. Conway and N. J. A. Sloane, *Sphere Packings, Lattices and Groups*, chapter 21 (and chapter 2).

    Examples:
        >>> round(sphere_bound(1) * 12, 12), round(sphere_bound(24), 4)
        (1.0, 0.0647)
    """
    if dim < 1:
        raise ValueError(f"dim: got {dim!r}, but there must be at least one dimension")
    return math.exp(2 / dim * math.lgamma(dim / 2 + 1)) / ((dim + 2) * math.pi)


def estimate_nsm(
    quantize: Callable[[Tensor], Tensor],
    basis_or_sampler: Tensor | Callable[[int, torch.Generator], Tensor],
    dim: int,
    samples: int,
    generator: torch.Generator,
) -> tuple[float, float]:
    r"""Monte-Carlo estimate of the normalized second moment G, with its standard error.

    $$
    G = \frac{E\|x - Q(x)\|^2}{n\, |\det B|^{2/n}}, \qquad x \text{ uniform over a period of } Q
    $$

    Given a basis, x is uniform over its parallelepiped, which tiles space as the Voronoi cell does, so the error
    has the same distribution as over the cell; a basis of any volume is normalized.

    Args:
        quantize: the nearest lattice point, [N, dim] float64 -> [N, dim].
        basis_or_sampler: B, shape [dim, dim], rows are basis vectors; or a function of (count, generator) to
            inputs [count, dim], uniform over a period, for a quantizer of one point per unit volume.
        dim: n.
        samples: number of vectors, at least 2. They are drawn and quantized in chunks.
        generator: source of randomness; its device is where the inputs are made.

    Returns:
        (G, standard error of G).

    Raises:
        ValueError: if ``samples`` is below 2, or the basis has the wrong shape or is singular.

    Examples:
        >>> g = torch.Generator().manual_seed(0)
        >>> nsm, error = estimate_nsm(torch.round, torch.eye(4), 4, 100_000, g)
        >>> abs(nsm - 1 / 12) < 4 * error < 1e-3
        True
    """
    if samples < 2:
        raise ValueError(f"samples: got {samples!r}, but a standard error needs at least 2")
    if isinstance(basis_or_sampler, Tensor):
        basis = basis_or_sampler.to(generator.device).double()
        if basis.shape != (dim, dim):
            raise ValueError(
                f"basis_or_sampler: got a basis of shape {list(basis.shape)}, but it must be [{dim}, {dim}]"
            )
        log_volume = float(torch.linalg.slogdet(basis)[1])
        if not math.isfinite(log_volume):
            raise ValueError("basis_or_sampler: the basis is singular, but its rows must be independent")
        sample = _parallelepiped(basis)
    else:
        sample, log_volume = basis_or_sampler, 0.0

    chunk = max(1, _CHUNK_NUMBERS // dim)
    moment = RunningMean()
    for start in range(0, samples, chunk):
        x = sample(min(chunk, samples - start), generator)
        moment.add((x - quantize(x)).double().square().mean(dim=-1))
    unit = math.exp(-2 / dim * log_volume)
    return moment.mean * unit, moment.error * unit


def _parallelepiped(basis: Tensor) -> Callable[[int, torch.Generator], Tensor]:
    def sample(count: int, generator: torch.Generator) -> Tensor:
        u = torch.rand(count, len(basis), dtype=torch.float64, device=basis.device, generator=generator)
        return u @ basis

    return sample


class EntropyEstimate(NamedTuple):
    """Estimates of an entropy from N samples with K distinct values, in bits.

    Attributes:
        plug_in: entropy of the empirical frequencies; too low by about (K - 1) / (2 N ln 2).
        miller_madow: the plug-in value plus that correction.
        distinct: K. Where K is not far below N neither value can be trusted.
    """

    plug_in: float
    miller_madow: float
    distinct: int


def entropy_of_points(points: Tensor) -> EntropyEstimate:
    r"""The empirical entropy of integer points, in bits per point.

    $$
    \hat H = -\sum_k \frac{n_k}{N} \log_2 \frac{n_k}{N}, \qquad \hat H_{MM} = \hat H + \frac{K - 1}{2 N \ln 2}
    $$

    Args:
        points: integer coordinates, shape [N, n] (any dtype), N >= 1.

    Raises:
        ValueError: if ``points`` is not of that shape or not integer.

    References:
        G. A. Miller, "Note on the bias of information estimates", 1955.

    Examples:
        >>> entropy_of_points(torch.tensor([[0, 1], [0, 1], [1, 0], [1, 0]])).plug_in
        1.0
    """
    if points.ndim != 2 or len(points) == 0:
        raise ValueError(f"points: got shape {list(points.shape)}, but [N, n] with N >= 1 is needed")
    if points.is_floating_point() and not bool((points == points.round()).all()):
        raise ValueError("points: has coordinates that are no integers; pass the integer coordinates of the points")
    _, counts = torch.unique(points.long(), dim=0, return_counts=True)
    plug_in = float(torch.special.entr(counts.double() / len(points)).sum()) / math.log(2)
    correction = (len(counts) - 1) / (2 * len(points) * math.log(2))
    return EntropyEstimate(plug_in, plug_in + correction, len(counts))
