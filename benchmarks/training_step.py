"""What an exact rate costs in training: milliseconds of a step with the same number of scalars, for every lattice.

    python -m benchmarks.training_step

A step is that of the default run: linear transforms, straight-through points, the exact rate, Adam; 24,000 scalars.
Beside it the rate alone, with its gradient. One thread.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from rich.console import Console
from rich.table import Table

from benchmarks.provenance import provenance
from ltc import lattices
from ltc.entropy import GaussianMixture, exact_prior
from ltc.models import Coder, LatticeBottleneck
from ltc.transforms import Gain

_SCALARS = 24_000


def main() -> None:
    torch.set_num_threads(1)
    table = Table(title=f"A training step of {_SCALARS:,} scalars", caption=f"1 thread; {provenance()}")
    for title in ("lattice", "step, ms", "to E8's", "rate alone, ms"):
        table.add_column(title, justify="left" if title == "lattice" else "right")
    reference = measure("e8")[0]
    for name in ("z", "a2", "dn_dual", "e8", "bw16", "leech", "tcq8", "tcq256"):
        step, rate = measure(name)
        table.add_row(name, f"{1e3 * step:.2f}", f"{step / reference:.2f}", f"{1e3 * rate:.2f}")
    Console().print(table)


def measure(name: str) -> tuple[float, float]:
    """Seconds of a step, and of the rate with its gradient."""
    lattice = lattices.get(name)
    n = lattice.dim
    coder = Coder(Gain(n, n), LatticeBottleneck(lattice, exact_prior(lattice, n, GaussianMixture)), Gain(n, n))
    optimizer = torch.optim.Adam(coder.parameters(), lr=1e-4, fused=True)
    x = torch.randn(_SCALARS // n, n)

    def step() -> None:
        reconstruction, bits = coder(x)
        loss = bits.mean() / n + 4 * (x - reconstruction).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    point = lattice.quantize(x).requires_grad_()

    def rate() -> None:
        coder.bottleneck.rate(point).sum().backward()

    return _median(step), _median(rate)


def _median(call: Callable[[], None], repeats: int = 101) -> float:
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return sorted(seconds)[repeats // 2]


if __name__ == "__main__":
    main()
