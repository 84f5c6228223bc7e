"""Learned lattices in image networks: the two tables of OLVQ at the size of a laptop, on Kodak.

    python -m benchmarks.olvq              # two cores, three hours at most; goes on where it was stopped
    python -m benchmarks.olvq --tables 1   # one of them
    python -m benchmarks.olvq --smoke      # minutes, to see that everything works

Zhang & Wu, "Learning Optimal Lattice Vector Quantizers for End-to-end Neural Image Compression", NeurIPS 2024. Its
table 1 has a learned lattice of dimension 32 in the place of rounding, for transforms of three networks and four
context models; its table 2 fixed and learned lattices of several dimensions. Here each network is trained with noise
first, and from these very numbers one with each quantizer, rounding among them, on the same crops for as many steps.
Writes ``docs/olvq.md``.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from benchmarks.images import run
from benchmarks.provenance import commits_of, provenance
from benchmarks.spent import spent
from ltc.files import whole_file

_ROOT = Path(__file__).resolve().parent.parent
_LAMBDA = 0.025
_KODAK = 768 * 512

_TRANSFORMS = {"bmshj2018": None, "SwinT-ChARM": "swint_transforms", "LIC-TCM": "tcm_transforms"}
_CONTEXTS = {
    "factorized": "context_factorized",
    "checkerboard": "context_checkerboard",
    "channel-wise": "context_channels",
    "spatial": "context_raster",
}
_BABAI = ("lattice.search=rounding", "lattice.orthogonality=0.1")
_QUANTIZERS: dict[str, tuple[str, ...]] = {
    "rounding": ("lattice=z",),
    "E8": ("lattice=e8",),
    "Barnes-Wall 16": ("lattice=bw16",),
    "Leech": ("lattice=leech",),
    **{f"learned {dim}, Babai": ("lattice=learned", f"lattice.dim={dim}", *_BABAI) for dim in (8, 16, 24, 32)},
    **{f"learned {dim}, nearest": ("lattice=learned", f"lattice.dim={dim}") for dim in (8, 16)},
}
_FIRST_TABLE = ("rounding", "learned 32, Babai")


@dataclass(frozen=True)
class Size:
    """How large the experiment is.

    Attributes:
        first: settings of the training with noise.
        second: settings of the training with each quantizer.
        images: how many of Kodak's are coded.
    """

    first: tuple[str, ...]
    second: tuple[str, ...]
    images: int


_CROPS = ("crops=4", "crop_size=128")
_SIZES = {
    "laptop": Size(
        (*_CROPS, "steps=1200", "optimizer.lr=1e-3"),
        (*_CROPS, "steps=300", "optimizer.lr=3e-4"),
        8,
    ),
    "smoke": Size(("trainer=smoke", "crops=1", "crop_size=64"), ("trainer=smoke", "crops=1", "crop_size=64"), 1),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=int, nargs="+", choices=[1, 2], default=[1, 2])
    parser.add_argument("--smoke", action="store_true", help="minutes, to see that everything works")
    parser.add_argument("--folder", type=Path, help="of the runs (multirun/olvq)")
    parser.add_argument("--jobs", type=int, default=2, help="processes at once")
    parser.add_argument("--output", type=Path, default=_ROOT / "docs" / "olvq.md")
    options = parser.parse_args()
    size = _SIZES["smoke" if options.smoke else "laptop"]
    folder = (options.folder or _ROOT / "multirun" / ("olvq_smoke" if options.smoke else "olvq")).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    begun = time.perf_counter()
    with ProcessPoolExecutor(options.jobs) as pool:
        jobs = [
            pool.submit(train, folder, transforms, context, quantizers, size)
            for transforms, context, quantizers in wanted(options.tables)
        ]
        for job in jobs:
            print(job.result(), flush=True)
    minutes = spent(folder, time.perf_counter() - begun, 60.0) / 60
    command = " ".join(["python -m benchmarks.olvq", *sys.argv[1:]])
    made = f"Made by `{command}` in {minutes:.0f} minutes; seed 0; {provenance()}; networks at commit "
    text = page(folder, options.tables, size, f"{made}{', '.join(commits_of([folder]))}.")
    with whole_file(options.output) as temporary:
        temporary.write_text(text)
    print(text)


def wanted(tables: Sequence[int]) -> list[tuple[str, str, tuple[str, ...]]]:
    """Transforms, context model and quantizers of each network that tables need.

    Examples:
        >>> [len(quantizers) for _, _, quantizers in wanted([1])] == [2] * 12
        True
    """
    found = []
    for transforms in _TRANSFORMS:
        for context in _CONTEXTS:
            quantizers: tuple[str, ...] = _FIRST_TABLE if 1 in tables else ()
            if 2 in tables and second_table(transforms, context):
                quantizers = tuple(_QUANTIZERS)
            if quantizers:
                found.append((transforms, context, quantizers))
    return found


def second_table(transforms: str, context: str) -> bool:
    """Whether a network is one of table 2."""
    return transforms != "LIC-TCM" and context in ("factorized", "checkerboard")


def train(folder: Path, transforms: str, context: str, quantizers: Sequence[str], size: Size) -> str:
    """A network with noise, and from it one with each quantizer, as ``run.py`` does them; what is finished is kept."""
    network = [f"network={_CONTEXTS[context]}", "network.N=64", "network.M=96"]
    if context == "channel-wise":
        network.append("network.context.groups=3")  # of 32 channels, which hold a vector of 32
    if (name := _TRANSFORMS[transforms]) is not None:
        network.append(f"+network.transforms={{_target_:ltc.images.networks.{name},_partial_:true}}")
    common = ["--config-name", "images", *network, f"lambda={_LAMBDA}", "seed=0", "threads=1", "reconstructions=false"]
    place, log = folder / f"{transforms}_{context}", folder / f"{transforms}_{context}.log"
    first = [*size.first, "bottleneck=scalar", "eval_symbols=1", f"hydra.run.dir={place / 'noise'}"]
    run([*common, *first], log)
    for quantizer in quantizers:
        second = [*size.second, *_QUANTIZERS[quantizer], f"init_from={place / 'noise'}"]
        second += [f"eval_symbols={size.images * _KODAK}", f"hydra.run.dir={place / _folder(quantizer)}"]
        run([*common, *second], log)
    return place.name


def _folder(quantizer: str) -> str:
    return quantizer.replace(", ", "_").replace(" ", "_")


def saving(anchor: pd.DataFrame, test: pd.DataFrame) -> tuple[float, float]:
    """Percent of the anchor's rate that are saved at equal cost, image by image: mean and standard error.

    At one lambda, a difference of ``rate + lambda * distortion`` is one of rate at equal distortion, to first order.

    Args:
        anchor: a row for each image, with bpp and mse.
        test: the same images.
    """
    both = anchor.merge(test, on="image", suffixes=("", "_test"))
    costs = (both["bpp" + end] + _LAMBDA * both["mse" + end] for end in ("_test", ""))
    each = (next(costs) - next(costs)) / both["bpp"] * 100
    return float(each.mean()), float(each.std() / math.sqrt(len(each))) if len(each) > 1 else math.nan


def page(folder: Path, tables: Sequence[int], size: Size, made: str) -> str:
    """The page in Markdown."""
    lines = [
        "# Images: learned lattices, OLVQ's tables at the size of a laptop",
        "",
        made,
        "",
        f"Networks of 64 channels and 96 latents, trained on crops of BSDS500 at lambda = {_LAMBDA} with noise "
        f"(`{' '.join(size.first)}`), and from these very numbers with each quantizer (`{' '.join(size.second)}`), "
        f"rounding among them. Tested on {size.images} images of Kodak by whole files. **Saving** is the difference of "
        "bits/pixel + lambda · squared error to rounding in the same network, over rounding's bits/pixel: to first "
        "order that of rate at equal distortion; the mean over images with its standard error; negative is better.",
        "",
        "Babai's rounding is the search of the paper: whatever the basis, its cell is the parallelepiped of the "
        "rounded coordinates, and has no granular gain over a cube (that of an orthogonal basis is one). What is "
        "learned with it is a transform of the latents: it gains where the context model leaves latents dependent on "
        "each other, and little where that one knows them already. Nearest points have the cell of the lattice.",
    ]
    if 1 in tables:
        lines += ["", "## A learned lattice of dimension 32 in the place of rounding", ""]
        lines += ["| transforms | context | rounding: bits/pixel, PSNR | learned: bits/pixel, PSNR | saving |"]
        lines += ["| --- | --- | --- | --- | --- |"]
        for transforms in _TRANSFORMS:
            for context in _CONTEXTS:
                place = folder / f"{transforms}_{context}"
                anchor, test = (_rows(place, name) for name in _FIRST_TABLE)
                figures = f"{_point(anchor)} | {_point(test)} | {_percent(*saving(anchor, test))}"
                lines.append(f"| {transforms} | {context} | {figures} |")
    if 2 in tables:
        places = [(t, c) for t in _TRANSFORMS for c in _CONTEXTS if second_table(t, c)]
        lines += ["", "## Fixed and learned lattices: saving against rounding", ""]
        lines += ["| quantizer | " + " | ".join(f"{t}, {c}" for t, c in places) + " |"]
        lines += ["| --- |" + " --- |" * len(places)]
        anchors = [_rows(folder / f"{t}_{c}", "rounding") for t, c in places]
        for name in list(_QUANTIZERS)[1:]:
            tests = [_rows(folder / f"{t}_{c}", name) for t, c in places]
            cells = [_percent(*saving(*pair)) for pair in zip(anchors, tests, strict=True)]
            lines.append(f"| {name} | {' | '.join(cells)} |")
    exact = [str(row) == "True" for path in folder.glob("*/*/images.csv") for row in _images(path)["exact"]]
    lines += ["", f"Files that decode exactly to what the encoder has seen: {sum(exact)} of {len(exact)}."]
    return "\n".join(lines) + "\n"


def _rows(place: Path, quantizer: str) -> pd.DataFrame:
    return _images(place / _folder(quantizer) / "images.csv")


def _images(path: Path) -> pd.DataFrame:
    return pd.read_csv(path).query("image != 'mean'")


def _point(rows: pd.DataFrame) -> str:
    return f"{rows['bpp'].mean():.4f}, {statistics.fmean(rows['psnr']):.2f} dB"


def _percent(mean: float, error: float) -> str:
    return f"{mean:+.2f} %" if math.isnan(error) else f"{mean:+.2f} ± {error:.2f} %"


if __name__ == "__main__":
    main()
