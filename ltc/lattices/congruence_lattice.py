"""Lattices given by a few congruences on scaled integer coordinates, searched through their trellis.

Where the trellis is small (E6* has 6 states, K12 has 18) the Viterbi search over it is a good nearest-point search as
it stands: the coset decoding of Conway & Sloane (1984), with partial sums shared between the cosets.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ltc.lattices.trellis import Trellis
from ltc.lattices.trellis_lattice import TrellisLattice

__all__ = ["CongruenceLattice", "eisenstein_parities"]

# Vectors searched at once: the tables of a chunk then stay in the processor's cache.
_CHUNK = 2048


class CongruenceLattice(TrellisLattice):
    """The points ``steps * k`` with ``sum_i checks[j, i] k_i = 0 mod moduli[j]`` for all j.

    Args:
        name: the lattice's name.
        checks: integers [checks, n].
        moduli: their moduli.
        nsm: published normalized second moment.
        aspect: relative lengths of the coordinate steps [n]; equal by default. The volume is always 1.
    """

    trellis: Trellis
    steps: Tensor

    def __init__(
        self,
        name: str,
        checks: np.ndarray,
        moduli: Sequence[int],
        nsm: float | None = None,
        aspect: Sequence[float] | None = None,
    ) -> None:
        self.name, self.dim, self.nsm = name, checks.shape[1], nsm
        self.trellis = Trellis.from_checks(checks, moduli)
        shape = torch.tensor([1.0] * self.dim if aspect is None else aspect, dtype=torch.float64)
        self.steps = shape * (self.trellis.volume() * shape.prod()) ** (-1 / self.dim)
        self.generator = torch.from_numpy(self.trellis.basis()).double() * self.steps

    def nearest(self, x: Tensor) -> Tensor:
        return torch.cat([self.nearest_on_trellis(part) for part in x.split(_CHUNK)]) if len(x) else x.clone()


def eisenstein_parities(count: int) -> np.ndarray:
    """The checks mod 2 by which ``count`` pairs (a, b) of coordinates are Eisenstein integers (a + b sqrt(-3)) / 2.

    Returns:
        [count, 2 count]: a = b mod 2 in each pair; with aspect (1, sqrt 3) in each pair.
    """
    return np.kron(np.eye(count, dtype=np.int64), np.ones((1, 2), dtype=np.int64))
