"""Trellis-coded quantization: integer sequences that follow a convolutional code, past every lattice at long lengths.

Marcellin & Fischer, "Trellis coded quantization of memoryless and Gauss-Markov sources", IEEE Trans. Commun. 38
(1990), with Ungerboeck's one-dimensional codes ("Channel coding with multilevel/phase signals", IEEE Trans. IT 28
(1982), table I): k mod 4 is the label z = 2 z1 + z0 of a canonical systematic feedback encoder with parity
polynomials (h0, h1), z0 being the low bit of its state. So in each state only k of one parity is allowed.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ltc.lattices.kernels.viterbi import ViterbiSearch
from ltc.lattices.registry import register
from ltc.lattices.trellis import Section, Trellis
from ltc.lattices.trellis_lattice import TrellisLattice

__all__ = ["CODES", "TrellisCode", "encoder_tables"]

# States: (h0, h1, normalized second moment G, what the ends add). The moments are this project's own
# (benchmarks.trellis_codes): the mean squared error per coordinate deep within a long sequence, and by how much the
# squared error of a whole sequence exceeds length * G, which the known first state costs beyond what the free last one
# saves; standard errors 1e-5 and 0.006.
CODES: dict[int, tuple[int, int, float, float]] = {
    4: (0o5, 0o2, 0.06625, 0.085),
    8: (0o13, 0o04, 0.06490, 0.105),
    16: (0o23, 0o04, 0.06400, 0.128),
    32: (0o45, 0o10, 0.06305, 0.166),
    64: (0o103, 0o024, 0.06241, 0.186),
    128: (0o235, 0o126, 0.06175, 0.216),
    256: (0o515, 0o362, 0.06128, 0.247),
    # Past the published tables: found by the search of benchmarks/trellis_codes.py.
    512: (0o1105, 0o602, 0.06082, 0.261),
    1024: (0o2205, 0o1402, 0.06053, 0.270),
    2048: (0o4405, 0o3002, 0.06029, 0.299),
}


def encoder_tables(states: int, h0: int, h1: int) -> tuple[np.ndarray, np.ndarray]:
    """The canonical systematic feedback encoder of two parity polynomials.

    Returns:
        next_state: [states, 2], by the free bit z1.
        residue: [states, 2], k mod 4 = 2 z1 + z0.

    Examples:
        >>> next_state, residue = encoder_tables(4, 0o5, 0o2)
        >>> residue.tolist()
        [[0, 2], [1, 3], [0, 2], [1, 3]]
    """
    state, z1 = np.arange(states)[:, None], np.arange(2)[None, :]
    z0 = state & 1
    return (state >> 1) ^ (z0 * (h0 >> 1)) ^ (z1 * (h1 >> 1)), 2 * z1 + z0


class TrellisCode(TrellisLattice):
    """A trellis code over sequences of ``dim`` coordinates, one point per unit volume: steps of 1/2.

    It starts in state 0 and may end in any state, so it is no lattice: it has no generator, and its Voronoi cells
    differ from point to point. Everything that needs only the nearest point and the trellis works as for a lattice.

    Args:
        states: number of states, a power of two.
        dim: length of the sequence.
        h0: parity polynomial of z0, as an integer whose bit i is the coefficient of D^i.
        h1: parity polynomial of z1.
        nsm: its normalized second moment deep within long sequences, where known.
        ends: what both ends of a sequence add to its squared error.

    Attributes:
        nsm: the moment at this length: the ends cost a code of 256 states 3 bits a sequence.
    """

    def __init__(self, states: int, dim: int, h0: int, h1: int, nsm: float | None = None, ends: float = 0.0) -> None:
        self.name, self.dim, self.generator = f"tcq{states}", dim, None
        # The shortest sequences, all start, are rounded to even integers.
        self.nsm = None if nsm is None else min(nsm + ends / dim, 1 / 12)
        self.steps = torch.full((dim,), 0.5, dtype=torch.float64)
        self.next_state, self.residue = encoder_tables(states, h0, h1)
        first = Section(np.zeros(2, np.int64), self.next_state[0], self.residue[0])
        later = Section(np.arange(states).repeat(2), self.next_state.ravel(), self.residue.ravel())
        # States that cannot have been reached yet are no harm: their forward value is the semiring's zero.
        self.trellis = Trellis(4, [first] + [later] * (dim - 1), [1] + [states] * dim)
        search = ViterbiSearch(self.next_state, self.residue, step=0.5)
        self._kernel, self._cheapest_kernel = search, search.residues

    def nearest(self, x: Tensor) -> Tensor:
        return self.nearest_on_trellis(x)


def _register(states: int, h0: int, h1: int, nsm: float, ends: float) -> None:
    @register(f"tcq{states}", dim=256, fixed=False)
    def code(dim: int) -> TrellisCode:
        return TrellisCode(states, dim, h0, h1, nsm, ends)


for _states, _code in CODES.items():
    _register(_states, *_code)
