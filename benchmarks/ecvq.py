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

import torch
from rich.console import Console
from rich.table import Table

from benchmarks.provenance import provenance
from ltc.models.ecvq import ECVQ
from ltc.models.moments import RateDistortionMoments
from ltc.theory import GaussianRD, space_filling_gap

# DESIGN, section 2: G of Z, A2, A3*, D4, D5*, E6*, E7*, E8.
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
            table.add_row(*_measure(dim, lmbda, options))
        table.add_section()
    console = Console()
    console.width = max(console.width, 110)  # also where the output is a file
    console.print(table)


def _measure(dim: int, lmbda: float, options: argparse.Namespace) -> list[str]:
    """A row of the table."""
    device, samples = torch.device(options.device), options.samples
    generator = torch.Generator(device).manual_seed(options.seed)
    ecvq = ECVQ(options.size, dim).to(device)
    begun = time.perf_counter()
    train = torch.randn(samples, dim, generator=generator, device=device)
    costs = ecvq.fit(train, lmbda, tolerance=options.tolerance)
    seconds = time.perf_counter() - begun
    moments = RateDistortionMoments(energy=1.0)
    for x in torch.randn(samples, dim, generator=generator, device=device).split(100_000):
        y, bits = ecvq(x)
        moments.update((bits / dim).cpu(), (x - y).square().mean(1).cpu(), x.square().mean(1).cpu())
    found = {name: float(value) for name, value in moments.compute().items()}
    rate, distortion = found["rate"], found["distortion"]
    slope = 1 / (2 * math.log(2) * distortion)
    variance = found["rate_error"] ** 2 + 2 * slope * found["covariance"] + (slope * found["distortion_error"]) ** 2
    return [
        str(dim),
        f"{lmbda:g}",
        f"{ecvq.used:,}",
        f"{rate:.4f}",
        f"{distortion:.5f}",
        f"{rate - GaussianRD().rate(distortion):.4f} ± {math.sqrt(max(0.0, variance)):.4f}",
        f"{space_filling_gap(_BEST[dim]):.4f}",
        f"{rate + lmbda * distortion:.4f}",
        f"{costs[-1]:.4f}",
        f"{seconds:.1f}",
    ]


if __name__ == "__main__":
    main()
