"""What limits the Leech lattice below 0.75 bit on N(0, 1): its gap with an ideal prior and an ideal choice of points.

    python -m benchmarks.leech_low_rate

All points of a shell (one distance from the origin) are equally likely for a Gaussian source, so the ideal prior has a
probability for each shell, shared by its points, whose number the theta series knows; no product of functions of
coordinates is better. Encoder: for each block the best of the origin and the nearest points of y at several scales, by
rate + lambda * distortion; with a rate that depends on the norm alone, shrinking y is what weighing rate does. Prior,
decoder and choices are iterated to a fixed point. What remains above the coder's own gap is the product form's; what
remains below 0 is what no coder on single blocks of this lattice will find in this way.
"""

from __future__ import annotations

import math

import torch
from rich.console import Console
from rich.table import Table

from benchmarks.provenance import provenance
from ltc import lattices
from ltc.lattices.theta import theta_series

_BLOCKS = 400_000
_LAMBDAS = (1.2, 1.33, 1.5, 1.7)
_SCALES = (0.26, 0.28, 0.30, 0.32, 0.36)
_SHRINK = (0.75, 0.85, 1.0)


def main() -> None:
    torch.manual_seed(0)
    table = Table(title="Leech on N(0, 1) with an ideal prior", caption=f"{_BLOCKS:,} blocks, seed 0; {provenance()}")
    for title in ("lambda", "scale", "rate", "distortion", "gap to R(D)", "rate + lambda D"):
        table.add_column(title, justify="right")
    x = torch.randn(_BLOCKS, 24)
    for lmbda in _LAMBDAS:
        cost, scale, rate, distortion = min(point(x, lmbda, scale) for scale in _SCALES)
        gap = rate + 0.5 * math.log2(distortion)
        table.add_row(f"{lmbda}", f"{scale:.2f}", *(f"{v:.4f}" for v in (rate, distortion, gap, cost)))
    Console().print(table)


def point(x: torch.Tensor, lmbda: float, scale: float) -> tuple[float, float, float, float]:
    """(rate + lambda * distortion, scale, rate, distortion) of the fixed point that the nearest points lead to."""
    lattice = lattices.get("leech")
    norms, counts = theta_series(lattice, 24.0)
    log_size = torch.full((200,), 1e3)
    log_size[norms.round().astype(int)] = torch.from_numpy(counts).double().log2().float()
    candidates = [torch.zeros_like(x), *(lattice.quantize(scale * s * x) for s in _SHRINK)]
    norm = torch.stack([q.square().sum(-1).round().long() for q in candidates])
    inner = torch.stack([(q * x).sum(-1) for q in candidates])
    energy = x.square().sum(-1)
    chosen, decoder = norm[-1], 1 / scale
    for _ in range(30):
        share = torch.bincount(chosen, minlength=200) / len(x)
        bits = -share.clamp(min=1e-9).log2() + log_size
        errors = energy - 2 * decoder * inner + decoder**2 * norm
        best = (bits[norm] + lmbda * errors).argmin(0, keepdim=True)
        chosen, along = norm.gather(0, best)[0], inner.gather(0, best)[0]
        decoder = float(along.sum() / chosen.sum())
    rate = float(bits[chosen].mean()) / 24
    distortion = float((energy - 2 * decoder * along + decoder**2 * chosen).mean()) / 24
    return rate + lmbda * distortion, scale, rate, distortion


if __name__ == "__main__":
    main()
