"""Lattices that are cosets of a simple one: k = c + M j, with c a codeword and, maybe, sum(j) even.

A2, D_n, D_n*, E8 and the Barnes-Wall lattice are all of this form (Conway & Sloane, SPLAG, chapter 5), and so
one exact search serves them: round to each coset; where the sum of j must be even and is odd, move the
coordinate whose second choice costs least (the Wagner rule; Conway & Sloane 1982, sections II and IV).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from ltc.lattices.kernels.cosets import CosetSearch
from ltc.lattices.trellis import Trellis
from ltc.lattices.trellis_lattice import TrellisLattice

__all__ = ["CosetLattice"]


class CosetLattice(TrellisLattice):
    """The points ``steps * (c + M j)``, c in a binary code, j integer, optionally with sum(j) even.

    Args:
        name: the lattice's name.
        codewords: integers [count, n], entries 0 or 1; a linear code.
        spacing: M.
        even: whether sum(j) must be even.
        checks: the same set as congruences, for the trellis: [checks, n].
        moduli: their moduli.
        nsm: published normalized second moment.
        aspect: relative lengths of the coordinate steps [n]; equal by default. The volume is always 1.
        kernel: a compiled search of its own; a code of constant words has one by itself.
    """

    steps: Tensor

    def __init__(
        self,
        name: str,
        codewords: np.ndarray,
        spacing: int,
        even: bool,
        checks: np.ndarray,
        moduli: Sequence[int],
        nsm: float | None = None,
        aspect: Sequence[float] | None = None,
        kernel: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        self.name, self.dim, self.nsm = name, codewords.shape[1], nsm
        self.spacing, self.even = spacing, even
        self.trellis = Trellis.from_checks(checks, moduli)
        shape = torch.tensor([1.0] * self.dim if aspect is None else aspect, dtype=torch.float64)
        self.steps = shape * (self.trellis.volume() * shape.prod()) ** (-1 / self.dim)
        self.generator = torch.from_numpy(self.trellis.basis()).double() * self.steps
        self._codewords = torch.from_numpy(np.asarray(codewords)).double()
        self._letters = int(codewords.max()) + 1
        self._kernel = kernel
        if kernel is None and (codewords == codewords[:, :1]).all():
            self._kernel = CosetSearch(self._letters, spacing, even, self.steps.numpy())

    def nearest(self, x: Tensor) -> Tensor:
        steps, code = self.steps.to(x), self._codewords.to(x)
        letters = torch.arange(self._letters, device=x.device, dtype=x.dtype)
        # For each letter of the code: the nearest j, and the error it leaves.
        y = (x / steps)[:, None, :] - letters[:, None]  # [batch, letters, n]
        j = torch.round(y / self.spacing)
        error = y - self.spacing * j
        total = _by_codeword((error * steps).square(), code)  # [batch, codewords]
        if self.even:
            # The second choice of a coordinate leaves an error of M - |error| instead of |error|.
            penalty = (self.spacing**2 - 2 * self.spacing * error.abs()) * steps.square()
            odd = _by_codeword(torch.remainder(j, 2), code) % 2
            by_word = torch.where(code.bool(), penalty[:, -1, None, :], penalty[:, 0, None, :])
            least, where = by_word.min(-1)  # [batch, codewords]
            total = total + odd * least
        best = total.argmin(-1, keepdim=True)
        word = code[best[:, 0]]  # [batch, n]
        pick = word.long()[:, None, :]
        j = j.gather(1, pick)[:, 0]
        if self.even:
            column = where.gather(1, best)
            leaning = error.gather(1, pick)[:, 0].gather(1, column)
            j.scatter_add_(1, column, torch.where(leaning < 0, -1.0, 1.0).to(x) * odd.gather(1, best))
        return (word + self.spacing * j) * steps


def _by_codeword(values: Tensor, code: Tensor) -> Tensor:
    """Sums over coordinates of ``values[:, c_i, i]`` for every codeword c: [batch, codewords]."""
    base = values[:, 0].sum(-1, keepdim=True)
    return base if values.shape[1] == 1 else base + (values[:, 1] - values[:, 0]) @ code.T
