"""Vectors per second of every lattice's nearest point: the compiled kernel, the torch reference, and published code.

    python -m benchmarks.nearest_points

Float32, on as many threads as torch has, from tensor to tensor; compilation is not counted. The kernel runs
on a batch of 2^23 scalars, far more than the cache; the torch reference on 2^17, which favours it. The published
figures were measured on a machine with 2 cores and 2 threads.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from benchmarks.provenance import provenance
from ltc import lattices

# Vectors per second of the published LTC code (DESIGN, section 5).
_PUBLISHED = {"a2": 1.8e7, "dn_dual": 1.7e7, "e8": 2.4e6, "bw16": 8.2e4, "leech": 943.0}

# Scalars of the large batch, of the reference's batch, and vectors of a training batch.
_LARGE, _MEDIUM, _TRAINING = 1 << 23, 1 << 17, 1000


def main() -> None:
    table = Table(title="Nearest points, vectors per second", caption=_caption())
    table.add_column("lattice")
    for title in ("kernel", "torch", "ratio", "published", "ratio", "samples/s", "1,000 vectors"):
        table.add_column(title, justify="right")
    for name in lattices.names():
        table.add_row(*_measure(lattices.get(name)))
    Console().print(table)


def _measure(lattice: lattices.Lattice) -> list[str]:
    """A row of the table."""
    x = torch.randn(-(-_LARGE // lattice.dim), lattice.dim) * 2
    few = x[: max(1, _MEDIUM // lattice.dim)]
    kernel, reference = _rate(lattice.quantize, x), _rate(lattice.nearest, few)
    latency = _TRAINING / _rate(lattice.quantize, x[:_TRAINING]) if len(x) >= _TRAINING else None
    published = _PUBLISHED.get(lattice.name)
    return [
        f"{lattice.name} ({lattice.dim})",
        f"{kernel:,.0f}" if lattice._kernel is not None else "-",
        f"{reference:,.0f}",
        f"{kernel / reference:,.1f}" if lattice._kernel is not None else "-",
        f"{published:,.0f}" if published else "-",
        f"{kernel / published:,.1f}" if published else "-",
        f"{kernel * lattice.dim:,.0f}",
        f"{latency * 1e6:,.0f} µs" if latency else "-",
    ]


def _rate(search: Callable[[Tensor], Tensor], x: Tensor, seconds: float = 0.4) -> float:
    """Vectors per second: the best of repeated calls, after one that compiles and warms up."""
    search(x[:100])
    best, begun = float("inf"), time.perf_counter()
    while time.perf_counter() - begun < seconds:
        start = time.perf_counter()
        search(x)
        best = min(best, time.perf_counter() - start)
    return len(x) / best


def _caption() -> str:
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return f"float32, {torch.get_num_threads()} threads; {provenance()}{load}"


if __name__ == "__main__":
    main()
