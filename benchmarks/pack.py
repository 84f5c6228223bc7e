"""Arrays without a training run: bytes, error, speed and memory of ``ltc.pack``, beside NNCodec and plain rounding.

    python -m benchmarks.pack                                # without NNCodec
    python -m benchmarks.pack --nncodec other/bin/python     # with that of another environment
    python -m benchmarks.pack --memory 2                     # and the memory of packing a file of 2 GB

Writes ``docs/pack.md`` and ``docs/pack.png``.
"""

from __future__ import annotations

import argparse
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
_ERRORS = (0.08, 0.04, 0.015, 0.006)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nncodec", metavar="PYTHON", help="an interpreter that has nncodec")
    parser.add_argument("--memory", metavar="GB", type=float, help="of a file whose packing's memory is measured")
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    normal = rng.normal(size=_MANY).astype(np.float32)
    ltc.unpack(ltc.pack(normal[:100_000], bits=2))
    lines = [
        "# Arrays, measured",
        "",
        f"Made by `python -m benchmarks.pack`; seed 0; {provenance()}; load of the machine {os.getloadavg()[0]:.1f}.",
        "",
        *speed_lines(normal),
    ]
    weights, accuracy = trained_weights()
    curves = {code: gaps(normal[:_FEW], code) for code in ("z", "tcq8", "tcq256")}
    if options.nncodec:
        biggest = max(weights.values(), key=lambda w: w.size)
        arrays = {
            "N(0, 1)": normal[:_FEW].reshape(1000, 1000),
            "Laplace": rng.laplace(size=(1000, 1000)).astype(np.float32),
            f"a layer's weights, {' x '.join(map(str, biggest.shape))}": biggest,
            "N(0, 1), ten million": normal.reshape(10_000, 1000),
        }
        found, points = rival_lines(options.nncodec, arrays)
        lines, curves["NNCodec"] = lines + found, points
    lines += network_lines(weights, accuracy)
    draw(curves)
    lines += [
        "## Gap against rate",
        "",
        "N(0, 1), a million numbers, whole files:",
        "",
        "![Bits above R(D) of packed arrays, against the rate](pack.png)",
        "",
    ]
    write(lines)
    if options.memory:
        write(lines + memory_lines(options.memory))


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


def rival_lines(python: str, arrays: dict[str, np.ndarray]) -> tuple[list[str], list[tuple[float, float]]]:
    """NNCodec with dependent quantization, and files of the same error; its rates and gaps on N(0, 1)."""
    lines = [
        "## NNCodec, with dependent quantization, and `psnr` for the same error",
        "",
        "Squared errors are those of what NNCodec decodes; with the gain that suits it best they would be smaller by "
        "as much as the last column says.",
        "",
        "| array | error over variance | NNCodec, bits | ltc, bits | fewer bytes | encoding, million/s | ltc | "
        "times as fast | decoding, million/s | ltc | gain, dB |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    points: list[tuple[float, float]] = []
    for name, array in arrays.items():
        scale = float(array.std())
        for p in rival(python, array, [e * scale * scale for e in (_ERRORS if array.size < _MANY else _ERRORS[1:2])]):
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
            if name == "N(0, 1)":
                points.append((bits, gap_of(array, p["bytes"], p["best"])))
    return [*lines, ""], points


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
