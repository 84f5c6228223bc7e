"""The cheapest point for ``sum of weight * (y - point)^2 + bits``, given a scale for each coordinate.

Bits are those of the coder's own tables. Given the scales they add up over the coordinates: a lattice's normalization
is the same for all of its points, a trellis code's factors are probabilities by themselves. So the point is found
exactly, by one search over the trellis, among the integers of each residue class that lie between y and zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ltc.coding.conditional_model import distinct_steps
from ltc.coding.conditional_weights import gaussian_weights
from ltc.entropy.cells import spacing
from ltc.lattices import TrellisLattice
from ltc.lattices.kernels.compilation import compiled
from ltc.lattices.kernels.parallel import run_pieces

__all__ = ["ConditionalSearch"]

# Elements worth a thread of their own.
_GRAIN = 4096

# About what an integer costs that its table has no entry for: an escape.
_ESCAPE = 32.0


class ConditionalSearch:
    """The search for one lattice.

    Args:
        lattice: one with a trellis, or a trellis code.
        scales: ascending standard deviations, the coder's levels, float64 [levels].

    Examples:
        >>> from ltc import lattices
        >>> search = ConditionalSearch(lattices.get("z", 1), np.array([0.5]))
        >>> y, level = torch.tensor([[0.6], [1.6]]), torch.zeros(2, 1, dtype=torch.long)
        >>> search(y, level, torch.full_like(y, 100.0)).tolist(), search(y, level, torch.full_like(y, 1.0)).tolist()
        ([[1], [2]], [[0], [1]])
    """

    def __init__(self, lattice: TrellisLattice, scales: np.ndarray) -> None:
        self._lattice = lattice
        self._steps, self._kinds = distinct_steps(lattice)
        bits, starts, radii, at = [], [], [], 0
        for rows in gaussian_weights(lattice, scales):
            for weights in rows:
                bits.append(_bits(weights, spacing(lattice)))
                radii.append((len(weights) - lattice.trellis.modulus) // 2)
                starts.append(at + radii[-1])  # of the integer 0
                at += len(weights)
        self._tables = np.concatenate(bits).astype(np.float32), np.array(starts), np.array(radii)
        self._levels = len(scales)

    def __call__(self, y: Tensor, levels: Tensor, weights: Tensor) -> Tensor:
        """The integers of the cheapest points: int64 [count, n], on the CPU.

        Args:
            y: [count, n].
            levels: integers [count, n], each coordinate's scale by its number.
            weights: bits for a unit of squared error, positive [count, n].

        Raises:
            ValueError: if the shapes differ.
        """
        if y.ndim != 2 or y.shape[1] != self._lattice.dim or not y.shape == levels.shape == weights.shape:
            raise ValueError(
                f"y, levels and weights are [count, {self._lattice.dim}], got {list(y.shape)}, {list(levels.shape)} "
                f"and {list(weights.shape)}."
            )
        q = self._lattice.trellis.modulus
        costs, k = torch.empty(*y.shape, q), torch.empty(*y.shape, q, dtype=torch.int32)
        # By element, whose coordinate says which step and table it has.
        count = y.numel()
        kinds = np.tile(self._kinds, len(y))
        run_pieces(
            _classes,
            count,
            _GRAIN,
            _flat(y, torch.float64),
            _flat(levels, torch.int64) + kinds * self._levels,
            _flat(weights, torch.float32),
            self._steps[kinds],
            *self._tables,
            costs.view(count, q).numpy(),
            k.view(count, q).numpy(),
        )
        residues = torch.zeros(y.shape, dtype=torch.long) if q == 1 else self._lattice.cheapest(costs)
        return k.gather(-1, residues[..., None])[..., 0].long()


def _bits(weights: np.ndarray, apart: int) -> np.ndarray:
    """Bits of a table's integers, of each parity by itself for a trellis code."""
    sums: Sequence[Any] = [weights[first::apart].sum() for first in range(apart)]
    return np.minimum(-np.log2(weights / np.resize(sums, len(weights))), _ESCAPE)


def _flat(t: Tensor, dtype: torch.dtype) -> np.ndarray:
    return t.detach().cpu().to(dtype).contiguous().flatten().numpy()


@compiled
def _classes(start, stop, y, rows, weights, steps, bits, zeros, radii, costs, ks):  # type: ignore[no-untyped-def]
    """The cheapest integer of each residue class: from the nearest one towards zero, as long as it gets cheaper."""
    modulus = costs.shape[1]
    for i in range(start, stop):
        step, zero, radius = steps[i], zeros[rows[i]], radii[rows[i]]
        center = int(np.rint(y[i] / step))
        for r in range(modulus):
            k = center + (r - center) % modulus
            if (step * k - y[i]) > 0.5 * step * modulus:
                k -= modulus
            best, best_k = np.inf, k
            toward = -modulus if k > 0 else modulus
            while True:
                gap = y[i] - step * k
                cost = weights[i] * gap * gap + (bits[zero + k] if abs(k) <= radius else _ESCAPE)
                if cost >= best:
                    break
                best, best_k = cost, k
                if abs(k + toward) >= abs(k):
                    break
                k += toward
            # Among escapes nothing gets cheaper for a while.
            k = r if 2 * r <= modulus else r - modulus
            gap = y[i] - step * k
            cost = weights[i] * gap * gap + bits[zero + k]
            if cost < best:
                best, best_k = cost, k
            costs[i, r] = best
            ks[i, r] = best_k
