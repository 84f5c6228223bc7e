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
from ltc.lattices.kernels.windowed_viterbi import WindowedViterbiSearch
from ltc.lattices.registry import register
from ltc.lattices.trellis import Section, Trellis
from ltc.lattices.trellis_codes import CODES, LONG, encoder_tables
from ltc.lattices.trellis_lattice import TrellisLattice

__all__ = ["TrellisCode"]


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
        search: ViterbiSearch | WindowedViterbiSearch
        if states < LONG:
            search = ViterbiSearch(self.next_state, self.residue, step=0.5)
        else:
            search = WindowedViterbiSearch(h0, h1, step=0.5)
        self._kernel, self._cheapest_kernel = search, search.residues

    def nearest(self, x: Tensor) -> Tensor:
        return self.nearest_on_trellis(x)


def _register(states: int, h0: int, h1: int, nsm: float, ends: float) -> None:
    @register(f"tcq{states}", dim=256, fixed=False)
    def code(dim: int) -> TrellisCode:
        return TrellisCode(states, dim, h0, h1, nsm, ends)


for _states, _code in CODES.items():
    _register(_states, *_code)
