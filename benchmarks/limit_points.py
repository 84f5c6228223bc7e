"""Points of the page on the limit: files of every code, searches, runs of ``run.py``, NNCodec, windows."""

from __future__ import annotations

import functools
import json
import math
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

import ltc
from ltc import lattices
from ltc.lattices.card import measure_speed
from ltc.lattices.kernels.windowed_search import ROWS
from ltc.lattices.kernels.windowed_viterbi import WindowedViterbiSearch
from ltc.lattices.trellis_codes import CODES
from ltc.theory import DiscretizedRD, GaussianRD, RateDistortionFunction

__all__ = ["laplace", "laplace_bound", "nncodec", "normal", "packed", "ran", "searched", "slope", "windows"]

_ROOT = Path(__file__).resolve().parent.parent

Point = dict[str, Any]


def normal(count: int) -> np.ndarray:
    """So many numbers of N(0, 1), float32."""
    return np.random.default_rng(0).normal(size=count).astype(np.float32)


def laplace(count: int) -> np.ndarray:
    """So many numbers of the Laplace source of variance 1, float32."""
    return np.random.default_rng(1).laplace(scale=math.sqrt(0.5), size=count).astype(np.float32)


def slope(rate: float, gap: float) -> float:
    """lambda of N(0, 1) at a rate, for a coder with a gap that does not depend on the rate."""
    return 1 / (2 * math.log(2) * 2 ** (-2 * (rate - gap)))


def packed(array: np.ndarray, code: str, bound: RateDistortionFunction | None = None, **goal: Any) -> Point:
    """A file of an array: bits a number, error over the variance, gap, and seconds to pack and to unpack.

    Args:
        array: float32, of mean 0.
        code: of ``ltc.pack``.
        bound: R(D) of the source at variance 1; a Gaussian's if None.
        goal: of ``ltc.pack``.
    """
    ltc.unpack(ltc.pack(array[:4096], bits=2, code=code))
    begun = time.perf_counter()
    data = ltc.pack(array, code=code, **goal)
    packing = time.perf_counter() - begun
    begun = time.perf_counter()
    found = ltc.unpack(data)
    unpacking = time.perf_counter() - begun
    exact = array.astype(np.float64)
    rate, distortion = 8 * len(data) / array.size, float(np.square(found - exact).mean() / np.square(exact).mean())
    # From a million numbers the error of the mean is a tenth of a percent: the bound is that of their own variance.
    gap = rate - (bound or GaussianRD()).rate(distortion)
    return {"rate": rate, "distortion": distortion, "gap": gap, "pack": packing, "unpack": unpacking}


@functools.cache
def laplace_bound() -> DiscretizedRD:
    """R(D) under squared error of the Laplace source of variance 1."""
    return DiscretizedRD.from_density(lambda x: -math.sqrt(2) * x[:, 0].abs(), [(-14, 14)], resolution=701)


def searched(name: str) -> float:
    """Samples per second for which a lattice or code finds the nearest points, on as many threads as torch has."""
    lattice = lattices.get(name, 1 << 14) if name.startswith("tcq") else lattices.get(name)
    return measure_speed(lattice, 1.0) * lattice.dim


def ran(overrides: list[str]) -> Point:
    """One run of ``run.py``: its RD point."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "run.py", *overrides, f"hydra.run.dir={folder}"]
        subprocess.run(command, cwd=_ROOT, check=True, stdout=subprocess.DEVNULL)
        return json.loads((Path(folder) / "rd_point.json").read_text())


def nncodec(python: str, array: np.ndarray, parameters: list[int]) -> list[Point]:
    """NNCodec with dependent quantization: rates, errors with the best gain, gaps, seconds to encode and to decode."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.npy"
        # Of arrays with one axis it keeps every bit.
        np.save(path, array.reshape(-1, 1000))
        command = [python, str(_ROOT / "benchmarks" / "pack_rival.py"), str(path), *map(str, parameters)]
        out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    variance, points = float(np.square(array.astype(np.float64)).mean()), []
    for line in (line for line in out.splitlines() if line.startswith("{")):
        p = json.loads(line)
        rate, distortion = 8 * p["bytes"] / array.size, p["best"] / variance
        gap = rate - GaussianRD().rate(distortion)
        point = {"rate": rate, "distortion": distortion, "gap": gap, "pack": p["encode"], "unpack": p["decode"]}
        points.append(point)
    return points


def windows(states: int) -> Point:
    """What a window of decisions costs, in bits, beside all of them; its bytes a sample, and all its bytes."""
    h0, h1 = CODES[states][:2]
    x = 2 * torch.rand(8, 1 << 15, generator=torch.Generator().manual_seed(0))
    few, every = (WindowedViterbiSearch(h0, h1, 0.5, rows) for rows in (ROWS, x.shape[1]))
    errors = [float((search(x) - x).double().square().mean()) for search in (few, every)]
    return {"loss": 0.5 * math.log2(errors[0] / errors[1]), "bytes": states // 8, "all": states // 8 * ROWS}
