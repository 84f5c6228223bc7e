"""Real bits: how far files are above the exact rate, and how fast they are written and read.

    python -m benchmarks.codec            # both
    python -m benchmarks.codec --speed    # speeds alone

Rates: each point is a run of ``run.py`` on N(0, 1), whose ``coded_rate`` counts the bytes of the test's bitstreams.
Speeds: two million numbers at about 1.4 bits, tables made before; one thread codes, the search for the point has
torch's. Writes ``docs/codec.md``.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

from benchmarks.provenance import provenance
from ltc import lattices
from ltc.coding import decode_points, encode_points
from ltc.entropy import GaussianMixture, exact_prior
from ltc.models import Coder, LatticeBottleneck
from ltc.transforms import Gain

_ROOT = Path(__file__).resolve().parent.parent
_NUMBERS = 2_000_000

# lambda for about 0.5, 1 and 2 bits, where lattices differ little.
_LAMBDAS = {0.5: 1.4, 1.0: 2.5, 2.0: 10.2}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--speed", action="store_true", help="measure speeds only, and write no file")
    only_speed = parser.parse_args().speed
    lines = ["# Files, measured", "", f"Made by `python -m benchmarks.codec`; seed 0; {provenance()}.", ""]
    lines += speed_lines()
    if not only_speed:
        lines += rate_lines()
    text = "\n".join(lines) + "\n"
    print(text)
    if not only_speed:
        (_ROOT / "docs" / "codec.md").write_text(text)


def speed_lines() -> list[str]:
    """A Markdown table of speeds."""
    lines = [
        "Million numbers per second:",
        "",
        "| lattice | bits a number | encoding | with the search | decoding | with the synthesis |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name in ("z", "e8", "bw16", "leech", "tcq8", "tcq256"):
        lines.append(f"| {name} | " + " | ".join(f"{v:.2f}" for v in speeds(name)) + " |")
    return [*lines, ""]


@torch.no_grad()
def speeds(name: str) -> list[float]:
    """Bits a number, and the four speeds in millions of numbers per second."""
    lattice = lattices.get(name)
    n = lattice.dim
    prior = exact_prior(lattice, n, lambda dim: GaussianMixture(dim, scale=0.5))
    coder = Coder(Gain(n, n, initial=0.5), LatticeBottleneck(prior), Gain(n, n, initial=2.0)).eval()
    tables = coder.update()
    x = torch.randn(_NUMBERS // n, n)
    k = coder.bottleneck.to_integers(coder.encode(x)).numpy()
    stream = encode_points(tables, k)
    seconds = (
        _best(lambda: encode_points(tables, k)),
        _best(lambda: coder.compress(x)),
        _best(lambda: decode_points(tables, len(k), stream)),
        _best(lambda: coder.decompress(stream, len(k))),
    )
    return [8 * len(stream) / k.size, *(k.size / s / 1e6 for s in seconds)]


def _best(call: Any, repeats: int = 3) -> float:
    found = math.inf
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        found = min(found, time.perf_counter() - start)
    return found


def rate_lines() -> list[str]:
    """A Markdown table of coded rates."""
    lines = [
        "Bits per symbol of N(0, 1), exact and in the bitstream, on the same four million symbols (`sample_rate` and "
        "`coded_rate` of `rd_point.json`; its `rate` is corrected for the sample's energy):",
        "",
        "| command `python run.py …` | exact rate | coded rate | excess |",
        "| --- | --- | --- | --- |",
    ]
    with tempfile.TemporaryDirectory() as folder:
        for name in ("e8", "bw16", "leech", "tcq8", "tcq256"):
            for lmbda in _LAMBDAS.values():
                overrides = [f"lattice={name}", "transform=identity", f"lambda={lmbda}"]
                target = Path(folder) / f"{name}-{lmbda}"
                command = [sys.executable, "run.py", *overrides, f"hydra.run.dir={target}"]
                subprocess.run(command, cwd=_ROOT, check=True, stdout=subprocess.DEVNULL)
                point = json.loads((target / "rd_point.json").read_text())
                exact, coded = point["sample_rate"], point["coded_rate"]
                lines.append(f"| `{' '.join(overrides)}` | {exact:.5f} | {coded:.5f} | {coded / exact - 1:+.3%} |")
                print(lines[-1], flush=True)
    return lines


if __name__ == "__main__":
    main()
