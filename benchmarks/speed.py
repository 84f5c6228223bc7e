"""Speed: nearest points of every lattice and trellis code, beside plain and published code, and training steps.

    python -m benchmarks.speed

Nearest points: float32, on as many threads as torch has, from tensor to tensor, compilation not counted. The kernel
runs on a batch of 2^23 scalars, far more than the cache. *Plain* is the same search in batched torch (the reference
that the kernels are tested with), on 2^17 scalars, which favours it. Past 2,048 states both are fewer. The published
figures (vectors per second, a 2-core machine, 2 threads) are those of the LTC paper's code.

Training steps: the default run's, with 24,000 scalars: a scale, straight-through points, the exact rate with its
gradient, Adam; one thread; lattices take turns, and the median of each is shown. Writes ``docs/speed.md``.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.provenance import provenance
from ltc import lattices
from ltc.entropy import GaussianMixture, exact_prior
from ltc.lattices.trellis_lattice import TrellisLattice
from ltc.models import Coder, LatticeBottleneck
from ltc.transforms import Gain

_PUBLISHED = {"a2": 1.8e7, "dn_dual": 1.7e7, "e8": 2.4e6, "bw16": 8.2e4, "leech": 943.0}

# Scalars of the large batch, of the reference's batch, and of a training step.
_LARGE, _MEDIUM, _STEP = 1 << 23, 1 << 17, 24_000
_STEPPING = ("z", "a2", "dn_dual", "e8", "bw16", "leech", "tcq8", "tcq256")


def main() -> None:
    lines = [
        "# Speed, measured",
        "",
        f"Made by `python -m benchmarks.speed`; {torch.get_num_threads()} threads; {provenance()}.",
        "",
        "## Nearest points",
        "",
        "| lattice | vectors/s | samples/s | plain, vectors/s | ratio | published, vectors/s | ratio |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name in lattices.names():
        lines.append(nearest_points(lattices.get(name)))
        print(lines[-1], flush=True)
    lines += ["", f"## Training steps of {_STEP:,} scalars, one thread", ""]
    lines += ["| lattice | milliseconds | to E8's |", "| --- | --- | --- |", *training_steps()]
    (Path(__file__).resolve().parent.parent / "docs" / "speed.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines[-len(_STEPPING) :]))


def nearest_points(lattice: lattices.Lattice) -> str:
    """A row of the table."""
    share = 2048 / max(states_of(lattice), 2048)
    x = torch.randn(-(-int(_LARGE * share) // lattice.dim), lattice.dim) * 2
    few = x[: max(1, int(_MEDIUM * share) // lattice.dim)]
    kernel, plain = _rate(lattice.quantize, x), _rate(lattice.nearest, few)
    compiled = lattice._kernel is not None
    published = _PUBLISHED.get(lattice.name)
    cells = [
        f"{lattice.name} ({lattice.dim})",
        f"{kernel:,.0f}",
        f"{kernel * lattice.dim:,.0f}",
        f"{plain:,.0f}" if compiled else "the same",
        f"{kernel / plain:,.1f}" if compiled else "",
        f"{published:,.0f}" if published else "",
        f"{kernel / published:,.0f}" if published else "",
    ]
    return "| " + " | ".join(cells) + " |"


def states_of(lattice: lattices.Lattice) -> int:
    """Of the trellis of a code; 1 for a lattice."""
    return max(lattice.trellis.state_counts) if isinstance(lattice, TrellisLattice) and lattice.is_code else 1


def _rate(search: Callable[[Tensor], Tensor], x: Tensor, seconds: float = 0.4) -> float:
    """Vectors per second: the best of repeated calls, after one that compiles and warms up."""
    search(x[:100])
    best, begun = float("inf"), time.perf_counter()
    while time.perf_counter() - begun < seconds:
        start = time.perf_counter()
        search(x)
        best = min(best, time.perf_counter() - start)
    return len(x) / best


def training_steps(rounds: int = 101) -> list[str]:
    """Rows of milliseconds a step."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    steps = {name: _step(name) for name in _STEPPING}
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            seconds[name].append(time.perf_counter() - start)
    torch.set_num_threads(threads)
    median = {name: sorted(found)[rounds // 2] for name, found in seconds.items()}
    return [f"| {name} | {1e3 * m:.2f} | {m / median['e8']:.2f} |" for name, m in median.items()]


def _step(name: str) -> Callable[[], None]:
    lattice = lattices.get(name)
    n = lattice.dim
    coder = Coder(Gain(n, n), LatticeBottleneck(exact_prior(lattice, n, GaussianMixture)), Gain(n, n))
    optimizer = torch.optim.Adam(coder.parameters(), lr=1e-4, fused=True)
    x = torch.randn(_STEP // n, n)

    def step() -> None:
        reconstruction, bits = coder(x)
        loss = bits.mean() / n + 4 * (x - reconstruction).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


if __name__ == "__main__":
    main()
