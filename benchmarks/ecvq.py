"""What vectors without structure reach: entropy-constrained vector quantization of N(0, 1), dimension by dimension.

    python -m benchmarks.ecvq
    python -m benchmarks.ecvq --dims 8 --lambdas 4 --samples 5_000_000 --size 32_768 --device cuda

Each codebook is fitted to one set of samples and measured on another of the same size, with E|x|^2 = 1 known
(control variate). ``on its own`` is the cost of the fit on what it was fitted to: the distance to ``cost`` is what
was learned by heart, and more samples make it smaller. ``lattice`` is the gap at high rate of the best lattice known.
Time is for the fit, on as many threads as torch has.
"""

from __future__ import annotations

import argparse
import math
import time
from typing import NamedTuple

import torch
from rich.console import Console
from rich.table import Table

from benchmarks.provenance import provenance
from ltc.models.ecvq import ECVQ
from ltc.theory import GaussianRD, space_filling_gap
from ltc.training.moments import RateDistortionMoments

# SPLAG, table 2.3: G of Z, A2, A3*, D4, D5*, E6*, E7*, E8.
_BEST = {1: 1 / 12, 2: 0.080188, 3: 0.078543, 4: 0.076603, 5: 0.075625, 6: 0.074244, 7: 0.073116, 8: 0.071682}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dims", type=int, nargs="+", default=list(_BEST), choices=list(_BEST))
    parser.add_argument("--lambdas", type=float, nargs="+", default=[2.0, 4.0])
    parser.add_argument("--samples", type=int, default=200_000, help="blocks to fit to, and as many to measure on")
    parser.add_argument("--size", type=int, default=8192, help="code vectors at most")
    parser.add_argument("--tolerance", type=float, default=1e-4, help="gain of the last iteration, bits per symbol")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()

    caption = f"{options.samples:,} samples, {options.device}, {torch.get_num_threads()} threads; {provenance()}"
    table = Table(title="ECVQ on N(0, 1)", caption=caption)
    for title in ("dim", "lambda", "vectors", "rate", "distortion", "gap", "lattice", "cost", "on its own", "seconds"):
        table.add_column(title, justify="right")
    for lmbda in options.lambdas:
        for dim in options.dims:
            point = measure(dim, lmbda, options.samples, options.size, options.tolerance, options.device, options.seed)
            table.add_row(*_row(point))
        table.add_section()
    console = Console()
    console.width = max(console.width, 110)  # also where the output is a file
    console.print(table)


class ECVQPoint(NamedTuple):
    """What ECVQ of N(0, 1) reaches on samples that it was not fitted to; ``fitted`` is its cost on those it was."""

    dim: int
    lmbda: float
    used: int
    rate: float
    distortion: float
    gap: float
    gap_error: float
    fitted: float
    seconds: float


def measure(
    dim: int, lmbda: float, samples: int, size: int, tolerance: float = 1e-4, device: str = "cpu", seed: int = 0
) -> ECVQPoint:
    """Fits a codebook to samples of N(0, 1) and measures it on others."""
    generator = torch.Generator(device).manual_seed(seed)
    ecvq = ECVQ(size, dim).to(device)
    begun = time.perf_counter()
    train = torch.randn(samples, dim, generator=generator, device=device)
    costs = ecvq.fit(train, lmbda, tolerance=tolerance)
    seconds = time.perf_counter() - begun
    moments = RateDistortionMoments(energy=1.0)
    for x in torch.randn(samples, dim, generator=generator, device=device).split(100_000):
        y, bits = ecvq(x)
        moments.update((bits / dim).cpu(), (x - y).square().mean(1).cpu(), x.square().mean(1).cpu())
    found = {name: float(value) for name, value in moments.compute().items()}
    rate, distortion = found["rate"], found["distortion"]
    slope = 1 / (2 * math.log(2) * distortion)
    variance = found["rate_error"] ** 2 + 2 * slope * found["covariance"] + (slope * found["distortion_error"]) ** 2
    gap = rate - GaussianRD().rate(distortion)
    error = math.sqrt(max(0.0, variance))
    return ECVQPoint(dim, lmbda, ecvq.used, rate, distortion, gap, error, costs[-1], seconds)


def _row(point: ECVQPoint) -> list[str]:
    return [
        str(point.dim),
        f"{point.lmbda:g}",
        f"{point.used:,}",
        f"{point.rate:.4f}",
        f"{point.distortion:.5f}",
        f"{point.gap:.4f} ± {point.gap_error:.4f}",
        f"{space_filling_gap(_BEST[point.dim]):.4f}",
        f"{point.rate + point.lmbda * point.distortion:.4f}",
        f"{point.fitted:.4f}",
        f"{point.seconds:.1f}",
    ]


if __name__ == "__main__":
    main()
