"""What quantizing a vector costs: uniform scalar, lattice (fixed and learned) and general vector quantization.

    python -m benchmarks.quantizers

Time per vector in nanoseconds, from tensor to tensor in float32, on one thread of the CPU, compilation not counted:
the best of repeated calls on a batch of 2^18 scalars (fewer where a search takes long). The inputs are
Gaussian with two lattice steps of standard deviation. Fixed lattices: Z in one dimension, E8, the Barnes-Wall lattice
in 16, the Leech lattice in 24 and two copies of the Barnes-Wall lattice in 32, and D_n* in all of them. Learned ones
have generators as at the start of training. Writes ``docs/quantizers.md``.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from benchmarks.provenance import provenance
from ltc import lattices
from ltc.lattices import LearnedLattice
from ltc.models import GVQ

_DIMS = (1, 8, 16, 24, 32)
_BEST = {1: "z", 8: "e8", 16: "bw16", 24: "leech", 32: "bw16"}

Search = Callable[[Tensor], Tensor]

# Scalars of a batch; and of the first, which tells how many fit into the time.
_SCALARS, _FEW = 1 << 18, 1 << 12


def main() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    rows = {name: [_nanoseconds(make(dim), dim) for dim in _DIMS] for name, make in _quantizers().items()}
    table = Table(title="Nanoseconds per vector", caption=f"one thread; {provenance()}")
    table.add_column("quantizer")
    for dim in _DIMS:
        table.add_column(f"n = {dim}", justify="right")
    for name, times in rows.items():
        table.add_row(name, *(_shown(t) for t in times))
    Console().print(table)
    _write(rows)


def _quantizers() -> dict[str, Callable[[int], Search | None]]:
    """By name: from a dimension to a search, None where there is none of that dimension."""
    return {
        "USQ: rounding": lambda dim: torch.round,
        "LVQ, fixed: Z, E8, Λ16, Leech, Λ16 x Λ16": lambda dim: lattices.get(_BEST[dim]).quantize,
        "LVQ, fixed: D_n*": lambda dim: lattices.get("dn_dual", dim).quantize if dim > 1 else None,
        "LVQ, learned: Babai's rounding": lambda dim: LearnedLattice(dim, "rounding").quantize,
        "LVQ, learned: Babai's nearest plane": lambda dim: LearnedLattice(dim, "plane").quantize,
        "LVQ, learned: nearest point": lambda dim: LearnedLattice(dim, "nearest").quantize,
        "GVQ: 2^12 code vectors": lambda dim: GVQ(dim, 12 / dim).quantize,
        "GVQ: 2^16 code vectors": lambda dim: GVQ(dim, 16 / dim).quantize,
    }


def _nanoseconds(search: Search | None, dim: int, seconds: float = 0.5) -> float | None:
    """Of a vector: the best of repeated calls, after one that compiles and warms up."""
    if search is None:
        return None
    x = 2 * torch.randn(_SCALARS // dim, dim)
    search(x[: _FEW // dim])
    start = time.perf_counter()
    search(x[: _FEW // dim])
    share = seconds / (time.perf_counter() - start) * _FEW / _SCALARS
    x = x[: max(_FEW // dim, int(len(x) * min(1.0, share)))]
    best, begun = float("inf"), time.perf_counter()
    while best == float("inf") or time.perf_counter() - begun < seconds:
        start = time.perf_counter()
        search(x)
        best = min(best, time.perf_counter() - start)
    return 1e9 * best / len(x)


def _shown(nanoseconds: float | None) -> str:
    if nanoseconds is None:
        return ""
    return f"{nanoseconds:,.1f}" if nanoseconds < 100 else f"{nanoseconds:,.0f}"


def _write(rows: dict[str, list[float | None]]) -> None:
    lines = [
        "# Quantizers: time per vector",
        "",
        f"Made by `python -m benchmarks.quantizers`; one thread; {provenance()}.",
        "",
        "Nanoseconds per vector of n scalars, float32, on the CPU.",
        "",
        "| quantizer | " + " | ".join(f"n = {dim}" for dim in _DIMS) + " |",
        "| --- |" + " ---: |" * len(_DIMS),
        *("| " + " | ".join([name, *map(_shown, times)]) + " |" for name, times in rows.items()),
        "",
        "Babai's two searches are cheap, and their cells are a parallelepiped and a box: at unit volume their second",
        "moment is 1/12 at least, that of rounding, whatever the generator. The gain of a rounder cell needs the",
        "nearest point, which fixed lattices have at the price of a few roundings and learned ones at a price that",
        "grows exponentially with n. A free codebook of 2^16 vectors has 2 bits per scalar for n = 8, and half a bit",
        "for n = 32.",
    ]
    (Path(__file__).resolve().parent.parent / "docs" / "quantizers.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
