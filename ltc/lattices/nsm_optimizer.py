"""Good lattices found from nothing: stochastic descent of the normalized second moment over generator matrices.

A random vector of the unit cube, the nearest lattice point, and a small step against the gradient of its squared error
at unit volume; the step size falls, and every hundred steps the basis is reduced. From random bases this finds the
hexagonal lattice, D4 and E8 in seconds, and in twelve dimensions lattices that are better than K12.

E. Agrell and T. Eriksson, "Optimization of lattices for quantization", IEEE Trans. IT 44 (1998);
E. Agrell, D. Pook-Kolb and B. Allen, "Optimization and identification of lattice quantizers", 2022.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ltc.lattices.kernels.descent import descend, moments
from ltc.lattices.kernels.parallel import run_pieces
from ltc.lattices.kernels.schnorr_euchner import reduce_basis
from ltc.lattices.sphere import lower_triangular
from ltc.theory.running_mean import RunningMean

__all__ = ["Progress", "estimate_nsm", "nsm_gradient", "optimize_generator", "polish"]

# Steps drawn and taken at once, vectors searched at once, and vectors worth a second thread.
_STEPS, _VECTORS, _GRAIN = 10_000, 1 << 17, 1 << 10

# Of a reduction that changes nothing else along with the basis.
_NO_ROWS = np.empty((0, 0))

# Steps between two reductions of the basis.
_EVERY = 100

# Vectors on which the results of restarts are compared, the same for all.
_COMPARED = 300_000


class Progress(NamedTuple):
    """How far the descent is.

    Attributes:
        step: steps taken.
        rate: the step size there.
        nsm: the mean of G over the last ten thousand steps, as sampled on the way.
    """

    step: int
    rate: float
    nsm: float


def optimize_generator(
    dim: int,
    seed: int = 0,
    steps: int = 1_000_000,
    rate: float = 0.02,
    fall: float = 200.0,
    restarts: int = 1,
    start: Tensor | None = None,
) -> tuple[Tensor, list[Progress]]:
    """A generator matrix of small normalized second moment.

    Args:
        dim: n.
        seed: of the start and the vectors; a restart takes the next number.
        steps: of each descent.
        rate: first step size; the step size falls exponentially.
        fall: first over last step size.
        restarts: descents in all, of which the best result is kept: some end in a local minimum.
        start: a generator [n, n] to start from; a random one by default.

    Returns:
        generator: float64 [n, n], upper triangular (so that the locally normalized prior applies), unit volume.
        history: the progress of the descent that was kept.

    Raises:
        ValueError: if a number is not positive or ``start`` is no generator of that dimension.

    Examples:
        >>> generator, history = optimize_generator(2, seed=1, steps=50_000)
        >>> abs(estimate_nsm(generator, 1e-4)[0] - 5 / (36 * 3**0.5)) < 1e-3
        True
    """
    if min(dim, steps, restarts) < 1 or rate <= 0 or fall < 1:
        raise ValueError("dim, steps, restarts and rate must be positive, and fall at least 1.")
    if start is not None and start.shape != (dim, dim):
        raise ValueError(f"start must be a generator of shape [{dim}, {dim}], got {list(start.shape)}.")
    best: tuple[float, np.ndarray, list[Progress]] | None = None
    for number in range(seed, seed + restarts):
        rng = np.random.default_rng(number)
        lower = _lower(rng.normal(size=(dim, dim)) if start is None else start.numpy())
        reduce_basis(lower, _NO_ROWS)
        rates = rate * fall ** (-np.arange(steps) / max(1, steps - 1))
        history = _descend(lower, rates, rng, _EVERY)[0]
        nsm = _estimate(lower, _COMPARED, np.random.default_rng(seed))[0] if restarts > 1 else 0.0
        if best is None or nsm < best[0]:
            best = nsm, lower, history
    assert best is not None
    reduce_basis(best[1], _NO_ROWS)
    return _upper(best[1]), best[2]


def polish(generator: Tensor, seed: int = 0, steps: int = 500_000, rate: float = 1e-3, fall: float = 100.0) -> Tensor:
    """The same lattice, nearer to the bottom of its minimum: small steps, and the mean of the later bases.

    Args:
        generator: [n, n], from ``optimize_generator``.
        seed: of the vectors.
        steps: of which the second half is averaged.
        rate: first step size.
        fall: first over last step size.

    Returns:
        float64 [n, n], upper triangular, unit volume.
    """
    lower = _lower(generator.numpy())
    reduce_basis(lower, _NO_ROWS)
    # From here on the basis must not change, or its mean would mean nothing.
    rates = rate * fall ** (-np.arange(steps) / max(1, steps - 1))
    rng = np.random.default_rng(seed)
    _descend(lower, rates[: steps // 2], rng, 0)
    _, mean = _descend(lower, rates[steps // 2 :], rng, 0)
    return _upper(_lower(mean))


def estimate_nsm(generator: Tensor, error: float = 2e-5, seed: int = 0) -> tuple[float, float]:
    """(G, its standard error) of a generator of any volume, on so many random vectors that the error is below a bound.

    Args:
        generator: [n, n].
        error: of which size.
        seed: of the vectors.
    """
    lower = _lower(generator.numpy())
    reduce_basis(lower, _NO_ROWS)
    rng = np.random.default_rng(seed)
    # A first look tells how many are needed.
    found = _estimate(lower, _VECTORS, rng)[1]
    count = math.ceil(_VECTORS * (found / error) ** 2)
    return _estimate(lower, max(count, _VECTORS), rng)


def nsm_gradient(generator: Tensor, cubes: Tensor) -> tuple[float, Tensor]:
    r"""The mean of G over given vectors, and its gradient by the entries of a lower triangular generator.

    Where x = u B has the nearest point z B, its error is (u - z) B, and almost everywhere z does not change with B:

    $$
    dG = \frac{2}{n |B|^{2/n}} \sum_{i \ge j} \Big( y_i e_j - \delta_{ij} \frac{|e|^2}{n B_{ii}} \Big) dB_{ij},
    \quad y = u - z, \; e = y B
    $$

    Args:
        generator: lower triangular [n, n], positive diagonal.
        cubes: u, [count, n].

    Returns:
        (G, gradient [n, n]); the gradient is zero above the diagonal.
    """
    lower, u = generator.double().contiguous().numpy(), cubes.double().contiguous().numpy()
    n = len(lower)
    squares, gradients = np.empty(len(u)), np.empty((len(u), n, n))
    run_pieces(moments, len(u), _GRAIN, lower, u, squares, gradients)
    unit = float(np.exp(-2 / n * np.log(np.diag(lower)).sum())) / n
    gradient = gradients.mean(0) - 2 * squares.mean() / n * np.diag(1 / np.diag(lower))
    return float(squares.mean() * unit), torch.from_numpy(gradient * unit)


def _descend(
    lower: np.ndarray, rates: np.ndarray, rng: np.random.Generator, every: int
) -> tuple[list[Progress], np.ndarray]:
    """Descent in place, a step for each rate; its progress, and the mean of the bases on the way."""
    total, moment, history = np.zeros_like(lower), np.zeros(1), []
    for first in range(0, len(rates), _STEPS):
        part = rates[first : first + _STEPS]
        descend(lower, rng.random((len(part), len(lower))), part, every, total, moment)
        history.append(Progress(first + len(part), float(part[-1]), float(moment[0])))
    return history, total / len(rates)


def _estimate(lower: np.ndarray, count: int, rng: np.random.Generator) -> tuple[float, float]:
    n, moment = len(lower), RunningMean()
    for first in range(0, count, _VECTORS):
        found = np.empty(min(_VECTORS, count - first))
        run_pieces(moments, len(found), _GRAIN, lower, rng.random((len(found), n)), found, np.empty((0, n, n)))
        moment.add(torch.from_numpy(found) / n)
    return moment.mean, moment.error


def _lower(generator: np.ndarray) -> np.ndarray:
    """The lattice turned so that its generator is lower triangular with a positive diagonal, at unit volume."""
    lower = lower_triangular(generator)
    diagonal = np.diag(lower)
    # Beyond that the search would lose itself in rounding errors.
    if not diagonal.min() > 1e-12 * diagonal.max():
        raise ValueError("A generator matrix is nonsingular, got one of determinant 0 or nearly so.")
    return lower / np.exp(np.log(diagonal).mean())


def _upper(lower: np.ndarray) -> Tensor:
    """The same lattice with its vectors and its coordinates in reverse order."""
    return torch.from_numpy(lower[::-1, ::-1].copy())
