"""A lattice's card: what it is and what it does on this machine, measured, beside what is published."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import torch
from torch import Tensor

from ltc.lattices.lattice import Lattice
from ltc.lattices.theta import shortest_norm, theta_series
from ltc.lattices.trellis_lattice import TrellisLattice
from ltc.theory.nsm import space_filling_gap
from ltc.theory.running_mean import RunningMean

__all__ = ["Card", "Shell", "kissing", "measure", "measure_nsm", "measure_speed"]

# Scalars of one call: enough that the kernels' threads have work, few enough to stay out of swap.
_SCALARS = 1 << 20


@dataclass(frozen=True)
class Shell:
    """The shortest vectors: their squared norm at unit volume, and how many there are (the kissing number)."""

    norm: float
    count: int


@dataclass(frozen=True)
class Card:
    """What was measured.

    Attributes:
        lattice: whose card it is.
        nsm: mean squared error per dimension at unit volume, of a uniform input.
        nsm_error: its standard error.
        vectors_per_second: of ``quantize``, float32, compiled; a trellis code's vector is a sequence.
    """

    lattice: Lattice
    nsm: float
    nsm_error: float
    vectors_per_second: float

    @property
    def gap(self) -> float:
        """The high-rate gap to R(D), bits per dimension, by the measured moment."""
        return space_filling_gap(self.nsm)

    @property
    def gap_error(self) -> float:
        """Its standard error."""
        return self.nsm_error / (2 * math.log(2) * self.nsm)

    @property
    def samples_per_second(self) -> float:
        return self.vectors_per_second * self.lattice.dim


def measure(
    lattice: Lattice, error: float = 2e-5, seconds: float = 0.4, seed: int = 0, patience: float = math.inf
) -> Card:
    """The card of a lattice.

    Args:
        lattice: any lattice or trellis code.
        error: standard error of the second moment; 2e-5 tells most lattices of a dimension apart.
        seconds: for the speed.
        seed: of the inputs.
        patience: seconds for the second moment; where they end before, its standard error is larger.
    """
    speed = measure_speed(lattice, seconds)
    nsm, nsm_error = measure_nsm(lattice, error, torch.Generator().manual_seed(seed), patience)
    return Card(lattice, nsm, nsm_error, speed)


def measure_nsm(
    lattice: Lattice, error: float, generator: torch.Generator, patience: float = math.inf
) -> tuple[float, float]:
    """(G, its standard error): the mean of |x - Q(x)|^2 / n over inputs that are uniform over a period of Q.

    Args:
        lattice: at unit volume. A trellis code is measured at its own length, with what its ends cost.
        error: vectors are drawn until the standard error is below it.
        generator: source of randomness.
        patience: seconds after which no more are drawn, whatever the error.
    """
    begun = time.perf_counter()
    chunk = max(16, _SCALARS // 32 // lattice.dim)
    moment = RunningMean()
    while moment.count < 16 * chunk or moment.error > error:
        if moment.count >= 2 * chunk and time.perf_counter() - begun > patience:
            break
        x = _uniform(lattice, chunk, generator)
        moment.add((x - lattice.quantize(x)).square().mean(-1))
    return moment.mean, moment.error


def _uniform(lattice: Lattice, count: int, generator: torch.Generator) -> Tensor:
    """Vectors [count, dim] that are uniform over a period of the lattice."""
    unit = torch.rand(count, lattice.dim, generator=generator)
    if not isinstance(lattice, TrellisLattice) or not lattice.is_code:
        return unit @ lattice.basis().float()
    # A code's allowed integers repeat with the modulus in every coordinate.
    return unit * (lattice.trellis.modulus * lattice.steps.float())


def measure_speed(lattice: Lattice, seconds: float = 0.4) -> float:
    """Vectors per second of ``quantize`` in float32: the best of repeated calls, after one that compiles."""
    x = torch.randn(-(-_SCALARS // lattice.dim), lattice.dim) * 2
    few = x[: max(1, len(x) // 100)]
    lattice.quantize(few)
    # Slow searches: no more vectors than there is time for.
    spent = min(_seconds(lattice, few) for _ in range(3))
    x = x[: max(len(few), min(len(x), int(len(few) * seconds / 2 / spent)))]
    best, begun = _seconds(lattice, x), time.perf_counter()
    while time.perf_counter() - begun < seconds:
        best = min(best, _seconds(lattice, x))
    return len(x) / best


def _seconds(lattice: Lattice, x: Tensor) -> float:
    start = time.perf_counter()
    lattice.quantize(x)
    return max(time.perf_counter() - start, 1e-9)


def kissing(lattice: Lattice) -> Shell | None:
    """The shortest vectors, where they can be counted: by paths of the trellis, or by enumeration."""
    try:
        norm = shortest_norm(lattice)
        return Shell(norm, int(theta_series(lattice, norm)[1][1]))
    except ValueError:
        return None
