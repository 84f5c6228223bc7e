"""The cheapest integer of each residue class for ``|y - step k|^p + mu * bits(k)``."""

from __future__ import annotations

import numba
import numpy as np
import torch
from torch import Tensor

__all__ = ["class_costs"]

# Floats of one chunk of the search over all entries of the tables.
_CHUNK = 2**23


def class_costs(y: Tensor, bits: Tensor, step: Tensor, mu: float, modulus: int, power: int) -> tuple[Tensor, Tensor]:
    """For every coordinate and residue class the least cost, and the integer that has it.

    On CPU a compiled loop walks outwards from the nearest integer and stops where no better one can follow; elsewhere
    all entries are compared.

    Args:
        y: [batch, dim].
        bits: [grid, dim], the rate of the integers -radius, -radius + 1, …, radius a multiple of ``modulus``; every
            round(y / step) lies in the grid.
        step: [dim].
        mu: cost of a bit.
        modulus: q.
        power: p, 2 for squared error or 1 for absolute error.

    Returns:
        costs: [batch, dim, q], in the dtype of ``y``.
        k: int64 [batch, dim, q].
    """
    radius = (len(bits) - modulus) // 2
    if y.device.type == "cpu":
        costs = torch.empty(*y.shape, modulus, dtype=y.dtype)
        k = torch.empty(*y.shape, modulus, dtype=torch.long)
        table = np.ascontiguousarray((mu * bits).to(y.dtype).T.numpy())
        _walk(y.contiguous().numpy(), table, step.to(y.dtype).numpy(), radius, power, costs.numpy(), k.numpy())
        return costs, k
    parts = [_compare_all(part, bits, step, mu, modulus, power) for part in y.split(max(1, _CHUNK // bits.numel()))]
    return torch.cat([p[0] for p in parts]), torch.cat([p[1] for p in parts])


def _compare_all(y: Tensor, bits: Tensor, step: Tensor, mu: float, modulus: int, power: int) -> tuple[Tensor, Tensor]:
    radius = (len(bits) - modulus) // 2
    grid = torch.arange(-radius, radius + modulus, device=y.device)
    cost = (y[:, None, :] - grid[:, None] * step.to(y)).abs() ** power + mu * bits.to(y)  # [batch, grid, dim]
    least, row = cost.reshape(len(y), -1, modulus, y.shape[1]).min(1)  # [batch, q, dim]
    residue = torch.arange(modulus, device=y.device)
    return least.transpose(1, 2), (row * modulus - radius).transpose(1, 2) + residue


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _walk(y, table, step, radius, power, costs, ks):  # type: ignore[no-untyped-def]
    batch, dim = y.shape
    modulus = costs.shape[2]
    last = radius + modulus - 1
    floor = np.empty(dim, y.dtype)
    for i in range(dim):
        floor[i] = table[i].min()
    for b in range(batch):
        for i in range(dim):
            s = step[i]
            center = int(np.rint(y[b, i] / s))
            for r in range(modulus):
                # The nearest k = r mod q, then alternately on either side of it.
                first = center + (r - center) % modulus
                if first - center > modulus // 2:
                    first -= modulus
                first = min(max(first, -radius + r), last - modulus + 1 + r)
                gap = abs(y[b, i] - s * first)
                gap = gap * gap if power == 2 else gap
                best, best_k = gap + table[i, first + radius], first
                for direction in (-modulus, modulus):
                    k = first + direction
                    while -radius <= k <= last:
                        gap = abs(y[b, i] - s * k)
                        gap = gap * gap if power == 2 else gap
                        # Further away the distance grows, and no rate is below the floor.
                        if gap + floor[i] >= best and (k - center) * direction > 0:
                            break
                        cost = gap + table[i, k + radius]
                        if cost < best:
                            best, best_k = cost, k
                        k += direction
                costs[b, i, r], ks[b, i, r] = best, best_k
