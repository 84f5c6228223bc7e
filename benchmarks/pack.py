"""Arrays without a training run: bytes, error, speed and memory of ``ltc.pack``, beside NNCodec and plain rounding.

    python -m benchmarks.pack                                # without NNCodec
    python -m benchmarks.pack --nncodec other/bin/python     # with that of another environment
    python -m benchmarks.pack --memory 2                     # and the memory of packing a file of 2 GB
    python -m benchmarks.pack --small                        # whether it runs: small arrays, no page

Writes ``docs/pack.md`` and ``docs/pack.png``. What each part has found is kept in ``multirun/pack``, by commit and
options, so that a run that was interrupted goes on; ``--again`` measures anew.
"""

from __future__ import annotations

import argparse
import functools
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import ltc
from benchmarks.pack_network import network_lines, trained_weights
from benchmarks.parts import Parts
from benchmarks.provenance import provenance
from docs.pictures.style import ACCENT, INK, LINE, figure, plain

_ROOT = Path(__file__).resolve().parent.parent
_CODES = ("z", "tcq8", "tcq64", "tcq256", "tcq1024")
_BITS = (0.3, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0)
# The command, and its largest memory in kB; what the system tells of a child would begin with its parent's.
_COMMAND = (
    "import sys; from ltc.__main__ import main; code = main(); "
    "print(open('/proc/self/status').read().split('VmHWM:')[1].split()[0]); sys.exit(code)"
)
_MANY, _FEW = 10_000_000, 1_000_000
# Errors over the variance at which NNCodec is looked at: about two to four bits.
_ERRORS = (0.08, 0.04, 0.015, 0.005)
_RIVAL = [
    "## NNCodec, with dependent quantization, and `psnr` for the same error",
    "",
    "Squared errors are those of what NNCodec decodes; with the gain that suits it best they would be smaller by "
    "as much as the last column says.",
    "",
    "| array | error over variance | NNCodec, bits | ltc, bits | fewer bytes | encoding, million/s | ltc | "
    "times as fast | decoding, million/s | ltc | gain, dB |",
    "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nncodec", metavar="PYTHON", help="an interpreter that has nncodec")
    parser.add_argument("--memory", metavar="GB", type=float, help="of a file whose packing's memory is measured")
    parser.add_argument("--small", action="store_true", help="small arrays, and no page")
    parser.add_argument("--again", action="store_true", help="measures what an earlier run has measured")
    options = parser.parse_args()
    many, few = (_MANY // 50, _FEW // 10) if options.small else (_MANY, _FEW)
    parts = Parts("pack", f"{provenance()}{' small' if options.small else ''}", options.again)
    rng = np.random.default_rng(0)
    normal = rng.normal(size=many).astype(np.float32)
    ltc.unpack(ltc.pack(normal[:100_000], bits=2))
    load = parts.of("load", lambda: round(os.getloadavg()[0], 1))
    lines = [
        "# Arrays, measured",
        "",
        f"Made by `python -m benchmarks.pack`; seed 0; {provenance()}; load of the machine {load}.",
        "",
        *parts.of("speed", lambda: speed_lines(normal)),
    ]
    curves = {
        code: parts.of(f"gaps-{code}", functools.partial(gaps, normal[:few], code)) for code in ("z", "tcq8", "tcq256")
    }
    network = functools.cache(trained_weights)
    if options.nncodec:
        arrays: dict[str, Callable[[], np.ndarray]] = {
            "N(0, 1)": lambda: normal[:few].reshape(-1, 1000),
            "Laplace": lambda: np.random.default_rng(1).laplace(size=(few // 1000, 1000)).astype(np.float32),
            "the largest layer of a network": lambda: max(network()[0].values(), key=lambda w: w.size),
            "N(0, 1), ten times as many": lambda: normal[: 10 * few].reshape(-1, 1000),
        }
        lines += _RIVAL
        for i, (name, array) in enumerate(arrays.items()):
            measure = functools.partial(_rival_of, options.nncodec, name, array)
            found, points = parts.of(f"nncodec-{i}", measure)
            lines += found
            if not i:
                curves["NNCodec"] = points
        lines.append("")
    lines += parts.of("network", lambda: network_lines(*network()))
    if not options.small:
        draw(curves)
    lines += [
        "## Gap against rate",
        "",
        "N(0, 1), a million numbers, whole files:",
        "",
        "![Bits above R(D) of packed arrays, against the rate](pack.png)",
        "",
    ]
    if options.memory:
        lines += parts.of(f"memory-{options.memory:g}", lambda: memory_lines(options.memory))
    if options.small:
        print("\n".join(lines))
    else:
        write(lines)


def write(lines: list[str]) -> None:
    """Writes the page."""
    (_ROOT / "docs" / "pack.md").write_text("\n".join(lines).rstrip() + "\n")


def timed(call: Callable[..., Any], *arguments: Any, times: int = 1, **options: Any) -> tuple[Any, float]:
    """What a call returns, and its seconds, the least of several times."""
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        found = call(*arguments, **options)
        seconds.append(time.perf_counter() - start)
    return found, min(seconds)


def distortion(array: np.ndarray, found: np.ndarray) -> float:
    """Mean squared error."""
    return float(np.square(found.astype(np.float64) - array).mean())


def gap_of(array: np.ndarray, size: int, error: float) -> float:
    """Bits a number above R(D) of a Gaussian with the array's own variance."""
    return 8 * size / array.size + 0.5 * math.log2(error / float(array.astype(np.float64).var()))


def speed_lines(array: np.ndarray) -> list[str]:
    """Seconds and gap of each code."""
    lines = [
        f"## N(0, 1), {array.size:,} numbers of float32, `bits=2`",
        "",
        "| code | pack, s | million/s | unpack, s | million/s | bits a number | bits above R(D) |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for code in _CODES:
        data, packing = timed(ltc.pack, array, bits=2, code=code, times=2)
        found, unpacking = timed(ltc.unpack, data, times=2)
        rate, million = 8 * len(data) / array.size, array.size / 1e6
        lines.append(
            f"| {code} | {packing:.2f} | {million / packing:.1f} | {unpacking:.2f} | "
            f"{million / unpacking:.1f} | {rate:.4f} | {gap_of(array, len(data), distortion(array, found)):.4f} |"
        )
        print(lines[-1], flush=True)
    return [*lines, ""]


def memory_lines(gigabytes: float) -> list[str]:
    """The largest memory of the command, its imports included."""
    with tempfile.TemporaryDirectory() as folder:
        path, packed, back = (Path(folder) / name for name in ("a.npy", "a.ltc", "b.npy"))
        count = int(gigabytes * 1e9 / 4)
        out = np.lib.format.open_memmap(path, "w+", np.float32, (count,))
        rng = np.random.default_rng(1)
        for start in range(0, count, 1 << 22):
            out[start : start + (1 << 22)] = rng.standard_normal(min(1 << 22, count - start), dtype=np.float32)
        del out
        lines = [
            f"## Memory: a file of {gigabytes:g} GB, as a process of its own",
            "",
            "| command | s | largest memory, MB |",
            "| --- | --- | --- |",
        ]
        for words in (["pack", path, packed, "--bits", "2"], ["unpack", packed, back]):
            command = [sys.executable, "-c", _COMMAND, *map(str, words)]
            done, seconds = timed(subprocess.run, command, check=True, capture_output=True, text=True)
            lines.append(f"| `ltc {words[0]}` | {seconds:.1f} | {int(done.stdout) / 1e3:.0f} |")
            print(lines[-1], flush=True)
    return [*lines, ""]


def gaps(array: np.ndarray, code: str) -> list[tuple[float, float]]:
    """Rates, and bits above R(D)."""
    found = []
    for bits in _BITS:
        data = ltc.pack(array, bits=bits, code=code)
        found.append((8 * len(data) / array.size, gap_of(array, len(data), distortion(array, ltc.unpack(data)))))
    return found


def _rival_of(python: str, name: str, array: Callable[[], np.ndarray]) -> tuple[list[str], list[tuple[float, float]]]:
    return rival_lines(python, name, array())


def rival_lines(python: str, name: str, array: np.ndarray) -> tuple[list[str], list[tuple[float, float]]]:
    """NNCodec with dependent quantization, and files of the same error; its rates and gaps to R(D) of a Gaussian."""
    lines: list[str] = []
    points: list[tuple[float, float]] = []
    scale = float(array.std())
    errors = _ERRORS if array.size <= _FEW else _ERRORS[1:2]
    for p in rival(python, array, [e * scale * scale for e in errors]):
        psnr = 10 * math.log10(float(np.ptp(array.astype(np.float64))) ** 2 / p["distortion"])
        data, packing = timed(ltc.pack, array, psnr=psnr, times=2)
        _, unpacking = timed(ltc.unpack, data, times=2)
        million, bits = array.size / 1e6, 8 * p["bytes"] / array.size
        lines.append(
            f"| {name} | {p['distortion'] / scale**2:.4f} | {bits:.3f} | {8 * len(data) / array.size:.3f} | "
            f"{100 * (1 - len(data) / p['bytes']):.1f} % | {million / p['encode']:.2f} | {million / packing:.2f} | "
            f"{p['encode'] / packing:.1f} | {million / p['decode']:.1f} | {million / unpacking:.1f} | "
            f"{10 * math.log10(p['distortion'] / p['best']):.2f} |"
        )
        print(lines[-1], flush=True)
        points.append((bits, gap_of(array, p["bytes"], p["best"])))
    return lines, points


def rival(python: str, array: np.ndarray, wanted: list[float]) -> list[dict[str, Any]]:
    """NNCodec's points whose errors are about those that are wanted."""
    # The step doubles with every four of the parameter; the error is about a third of its square.
    parameters = [str(round(4 * math.log2(math.sqrt(3 * error)) + 1)) for error in wanted]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.npy"
        np.save(path, array)
        command = [python, str(_ROOT / "benchmarks" / "pack_rival.py"), str(path), *parameters]
        out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [json.loads(line) for line in out.splitlines() if line.startswith("{")]


def draw(curves: dict[str, list[tuple[float, float]]]) -> None:
    """Writes the picture."""
    made = figure(7.0, 4.0)
    axes = made.add_subplot()
    looks = {
        "z": (LINE, "rounding"),
        "tcq8": (INK, "tcq8"),
        "tcq256": (INK, "tcq256 (default)"),
        "NNCodec": (ACCENT, "NNCodec"),
    }
    for name, points in curves.items():
        colour, label = looks[name]
        points = sorted(points)
        axes.plot(*zip(*points, strict=True), marker="o", color=colour, linestyle="--" if name == "tcq8" else "-")
        axes.annotate(label, points[-1], xytext=(6, 0), textcoords="offset points", va="center", color=colour)
    axes.set(xlabel="rate, bits a number", ylabel="bits above R(D)", ylim=(0, None), xlim=(0, 5.2))
    plain(axes)
    made.savefig(_ROOT / "docs" / "pack.png", dpi=110, metadata={"Software": None})


if __name__ == "__main__":
    main()
