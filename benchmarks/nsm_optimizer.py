"""How good a lattice numerical optimization finds from random bases, beside the best that is known.

    python -m benchmarks.nsm_optimizer
    python -m benchmarks.nsm_optimizer --dims 12 --restarts 4

Each dimension: descents of a million steps from random bases (seeds 0, 1, ...), the best of them polished, and its
normalized second moment estimated on vectors it has not seen. Time is for all of that, on as many threads as torch has
for the estimate and one for the descent; compilation is not counted.
"""

from __future__ import annotations

import argparse
import time

import torch
from rich.console import Console
from rich.table import Table

from benchmarks.provenance import provenance
from ltc.lattices.nsm_optimizer import estimate_nsm, optimize_generator, polish

# Best known: SPLAG, table 2.3; for 9 and 10 Allen & Agrell, "The optimal lattice quantizer in nine dimensions" (2021);
# for 12 Agrell, Pook-Kolb & Allen, "Glued lattices are better quantizers than K12" (2023), where K12 has 0.0700956.
_BEST = {
    2: ("A2", 0.0801875),
    3: ("A3*", 0.0785433),
    4: ("D4", 0.0766032),
    5: ("D5*", 0.0756255),
    6: ("E6*", 0.0742437),
    7: ("E7*", 0.0731165),
    8: ("E8", 0.0716821),
    9: ("AE9", 0.0716226),
    10: ("D10+", 0.0708138),
    12: ("D6 x D6, glued", 0.070034),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dims", type=int, nargs="+", default=list(range(2, 9)), choices=sorted(_BEST))
    parser.add_argument("--restarts", type=int, default=3, help="descents in each dimension, from seed 0 on")
    parser.add_argument("--steps", type=int, default=1_000_000, help="steps of each descent")
    parser.add_argument("--error", type=float, default=1e-5, help="standard error of the estimate")
    options = parser.parse_args()

    table = Table(
        title="Lattices found from random bases", caption=f"{torch.get_num_threads()} threads; {provenance()}"
    )
    table.add_column("dimension", justify="right")
    for title in ("G found", "best known", "difference", "lattice", "seconds"):
        table.add_column(title, justify="right")
    estimate_nsm(polish(optimize_generator(2, steps=1000)[0], steps=1000))
    for dim in options.dims:
        begun = time.perf_counter()
        generator, _ = optimize_generator(dim, seed=0, steps=options.steps, restarts=options.restarts)
        nsm, error = estimate_nsm(polish(generator), options.error, seed=1)
        seconds = time.perf_counter() - begun
        name, best = _BEST[dim]
        table.add_row(str(dim), f"{nsm:.6f} ± {error:.0e}", f"{best:.6f}", f"{nsm - best:+.6f}", name, f"{seconds:.1f}")
    Console().print(table)


if __name__ == "__main__":
    main()
