"""Memory and time of an array of one's own: ``python -m benchmarks.own_data FOLDER``.

Makes a file of 5,000,000 x 64 numbers (1.28 GB) in the folder if it is not there, trains a coder on it, codes and
decodes it, each in a process of its own, and prints the most memory that each has held beside that of the default
run. With ``--rows`` the file is another one.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.provenance import provenance
from ltc.files import whole_file
from ltc.vectors import open_vectors

__all__ = ["Spent", "make_vectors", "measured"]

DIM = 64
_ROOT = Path(__file__).resolve().parent.parent


class Spent(NamedTuple):
    """What a process has taken."""

    megabytes: float
    seconds: float


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition(":")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("overrides", nargs="*", help="of run.py, for both runs")
    options = parser.parse_intermixed_args()
    folder = options.folder.absolute()
    vectors, coded, decoded = (folder / f"vectors-{options.rows}{end}" for end in (".npy", ".ltc", ".decoded.npy"))
    if not vectors.exists():
        make_vectors(vectors, options.rows)
    run, stamp = [sys.executable, "run.py", *options.overrides], time.strftime("%Y%m%d-%H%M%S")
    default, own = folder / f"default-{stamp}", folder / f"own-{stamp}"
    source = ["source=array", f"source.path={vectors}", "transform=klt", "lambda=1000"]
    ltc = [sys.executable, "-m", "ltc"]
    spent = {
        "python run.py": measured([*run, f"hydra.run.dir={default}"]),
        "python run.py source=array transform=klt": measured([*run, *source, f"hydra.run.dir={own}"]),
        "ltc compress": measured([*ltc, "compress", str(own), str(vectors), str(coded)]),
        "ltc decompress": measured([*ltc, "decompress", str(own), str(coded), str(decoded)]),
    }
    usual = next(iter(spent.values())).megabytes
    print(provenance())
    print(f"{options.rows:,} x {DIM} numbers, {vectors.stat().st_size / 1e6:,.0f} MB; peak memory of each process:")
    for what, (megabytes, seconds) in spent.items():
        print(f"{what:42} {megabytes:7.0f} MB ({megabytes - usual:+.0f})  {seconds:7.1f} s")
    for place in (default, own):
        point = json.loads((place / "rd_point.json").read_text())
        speed = point["steps"] / (point["train_seconds"] - point["calibration_seconds"])
        print(f"{point['source']}: {speed:.0f} steps/s, rate {point['rate']:.4f}, distortion {point['distortion']:.5f}")
    print(f"file: {8 * coded.stat().st_size / options.rows:.4f} bits/symbol, error {_error(vectors, decoded):.5f}")


def make_vectors(path: Path, rows: int) -> None:
    """Writes correlated Gaussian vectors, whose variances fall from 1 to 0.02, as ``.npy`` [rows, 64]."""
    rng = np.random.default_rng(0)
    turn = np.linalg.qr(rng.standard_normal((DIM, DIM)))[0]
    mix = (turn * np.geomspace(1, 0.02, DIM) ** 0.5).T.astype(np.float32)
    with whole_file(path) as temporary, temporary.open("wb") as file:
        content = {"descr": "<f4", "fortran_order": False, "shape": (rows, DIM)}
        np.lib.format.write_array_header_1_0(file, content)
        for start in range(0, rows, 100_000):
            count = min(100_000, rows - start)
            (rng.standard_normal((count, DIM), dtype=np.float32) @ mix).tofile(file)


def measured(command: list[str]) -> Spent:
    """Runs a command as a process, to its end; its peak of resident memory, and its time.

    Raises:
        RuntimeError: if it fails.
    """
    begin = time.monotonic()
    quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    child = os.posix_spawn(command[0], command, {**os.environ, "PYTHONPATH": str(_ROOT)}, file_actions=quiet)
    _, status, usage = os.wait4(child, 0)
    if status:
        raise RuntimeError(f"{' '.join(command)} ended with {os.waitstatus_to_exitcode(status)}.")
    scale = 1 if sys.platform == "darwin" else 1024  # bytes there, kibibytes elsewhere
    return Spent(usage.ru_maxrss * scale / 1e6, time.monotonic() - begin)


def _error(one: Path, other: Path) -> float:
    """Mean squared difference of two files."""
    total, count = 0.0, 0
    for a, b in _pairs(one, other):
        total += float(np.square(a - b, dtype=np.float64).sum())
        count += a.size
    return total / count


def _pairs(one: Path, other: Path) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    return zip(open_vectors(one).pieces(), open_vectors(other).pieces(), strict=True)


if __name__ == "__main__":
    os.chdir(_ROOT)
    main()
