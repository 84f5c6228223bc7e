"""Learned lattices in image networks: the two tables of OLVQ at the size of a laptop, on Kodak.

    python -m benchmarks.olvq              # two cores, three hours at most; goes on where it was stopped
    python -m benchmarks.olvq --tables 1   # one of them; the page keeps the other
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
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from benchmarks.images import run
from benchmarks.kept_sections import with_kept
from benchmarks.provenance import commits_of, provenance
from benchmarks.spent import counted, spent
from ltc.files import whole_file

_ROOT = Path(__file__).resolve().parent.parent
_LAMBDA = 0.025
_KODAK = 768 * 512

# Far narrower than the paper's networks: a step of two crops takes 0.2 to 0.7 seconds on one core.
_CHANNELS, _LATENTS = 32, 192
_TRANSFORMS = {
    "bmshj2018": None,
    "SwinT-ChARM": "swint_transforms,_partial_:true",
    "LIC-TCM": "tcm_transforms,_partial_:true,depth:1,heads:[8,16,16]",
}
_CONTEXTS = {
    "factorized": "context_factorized",
    "checkerboard": "context_checkerboard",
    "channel-wise": "context_channels",
    "spatial": "context_raster",
}
# From the integers: Babai's cell suffers from every entry beside the diagonal, so that each must be worth it.
_BABAI = ("lattice.search=rounding", "lattice.orthogonality=0.1", "lattice.spread=0")
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


_CROPS = ("crops=2", "crop_size=128")
_SIZES = {
    "laptop": Size(
        (*_CROPS, "steps=600", "optimizer.lr=1e-3"),
        (*_CROPS, "steps=200", "optimizer.lr=3e-4"),
        4,
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
    with counted(folder), ProcessPoolExecutor(options.jobs) as pool:
        jobs = [
            pool.submit(train, folder, transforms, context, quantizers, size)
            for transforms, context, quantizers in wanted(options.tables)
        ]
        for job in jobs:
            print(job.result(), flush=True)
    command = " ".join(["python -m benchmarks.olvq", *sys.argv[1:]])
    code = f"{provenance()}; networks at commit {', '.join(commits_of([folder]))}"
    made = f"Made by `{command}`, {spent(folder) / 60:.0f} minutes for all of its folder; seed 0; {code}."
    tables = [line for table in options.tables for line in _TABLES[table](folder, size, made)]
    text = "\n".join([*_head(), "", *with_kept(tables, options.output, list(_TITLES.values()))]) + "\n"
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
            if 2 in tables and in_second_table(transforms, context):
                quantizers = tuple(_QUANTIZERS)
            if quantizers:
                found.append((transforms, context, quantizers))
    return found


def in_second_table(transforms: str, context: str) -> bool:
    """Whether a network is one of table 2."""
    return transforms != "LIC-TCM" and context in ("factorized", "checkerboard")


def train(folder: Path, transforms: str, context: str, quantizers: Sequence[str], size: Size) -> str:
    """A network with noise, and from it one with each quantizer, as ``run.py`` does them; what is finished is kept."""
    network = [
        "network._target_=ltc.images.networks.BlockContextNetwork",
        f"network={_CONTEXTS[context]}",
        f"network.N={_CHANNELS}",
        f"network.M={_LATENTS}",
    ]
    if context == "channel-wise":
        network.append("network.context.groups=6")  # of 32 channels, which hold a vector of 32
    if (name := _TRANSFORMS[transforms]) is not None:
        network.append(f"+network.transforms={{_target_:ltc.images.networks.{name}}}")
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


def _head() -> list[str]:
    """What comes before the tables, which each say their own commit."""
    return [
        "# Images: learned lattices, OLVQ's tables at the size of a laptop",
        "",
        f"Networks of {_CHANNELS} channels and {_LATENTS} latents, their transforms added to a lapped transform of "
        "16 x 16 pixels (`ltc.images.networks.BlockContextNetwork`): no laptop trains twelve networks from random "
        "numbers to 30 dB. Rows differ by context model and quantizer more than by what their transforms have "
        f"learned. Trained on crops of BSDS500 at lambda = {_LAMBDA} with noise, and from these numbers with each "
        "quantizer, rounding among them. Tested on Kodak by whole files. **Saving** is the difference of "
        "bits/pixel + lambda · squared error to rounding in the same network, over rounding's bits/pixel: to "
        "first order that of rate at equal distortion; the mean over images with its standard error; negative is "
        "better.",
        "",
        "Babai's rounding is the search of the paper: whatever the basis, its cell is the parallelepiped of the "
        "rounded coordinates, and has no granular gain over a cube (that of an orthogonal basis is one). What is "
        "learned with it is a transform of the latents, which can gain only where the prior leaves latents dependent "
        "on each other; these latents are a lapped transform's from the first step, which has decorrelated them "
        "already. Nearest points have the cell of the lattice.",
    ]


def first_table(folder: Path, size: Size, made: str) -> list[str]:
    """A learned lattice beside rounding, in every network: the section's lines."""
    lines = [f"## {_TITLES[1]}", "", _how(size, made), ""]
    lines += ["| transforms | context | rounding: bits/pixel, PSNR | learned: bits/pixel, PSNR | saving |"]
    lines += ["| --- | --- | --- | --- | --- |"]
    places = [(t, c) for t in _TRANSFORMS for c in _CONTEXTS]
    for transforms, context in places:
        anchor, test = (_rows(folder, transforms, context, name) for name in _FIRST_TABLE)
        figures = f"{_point(anchor)} | {_point(test)} | {_percent(*saving(anchor, test))}"
        lines.append(f"| {transforms} | {context} | {figures} |")
    return [*lines, "", _exact([_rows(folder, t, c, name) for t, c in places for name in _FIRST_TABLE])]


def second_table(folder: Path, size: Size, made: str) -> list[str]:
    """Every quantizer's saving, in the networks of table 2: the section's lines."""
    places = [(t, c) for t in _TRANSFORMS for c in _CONTEXTS if in_second_table(t, c)]
    lines = [f"## {_TITLES[2]}", "", _how(size, made), ""]
    lines += ["| quantizer | " + " | ".join(f"{t}, {c}" for t, c in places) + " |"]
    lines += ["| --- |" + " --- |" * len(places)]
    rows = {name: [_rows(folder, *place, name) for place in places] for name in _QUANTIZERS}
    for name, tests in rows.items():
        if name != "rounding":
            cells = [_percent(*saving(*pair)) for pair in zip(rows["rounding"], tests, strict=True)]
            lines.append(f"| {name} | {' | '.join(cells)} |")
    return [*lines, "", _exact([images for tests in rows.values() for images in tests])]


_TITLES = {
    1: "A learned lattice of dimension 32 in the place of rounding",
    2: "Fixed and learned lattices: saving against rounding",
}
_TABLES = {1: first_table, 2: second_table}


def _how(size: Size, made: str) -> str:
    return (
        f"{made} With noise `{' '.join(size.first)}`, then with each quantizer `{' '.join(size.second)}`; "
        f"{size.images} images."
    )


def _exact(rows: Sequence[pd.DataFrame]) -> str:
    exact = [str(value) == "True" for images in rows for value in images["exact"]]
    return f"Files that decode exactly to what the encoder has seen: {sum(exact)} of {len(exact)}."


def _rows(folder: Path, transforms: str, context: str, quantizer: str) -> pd.DataFrame:
    path = folder / f"{transforms}_{context}" / _folder(quantizer) / "images.csv"
    return pd.read_csv(path).query("image != 'mean'")


def _point(rows: pd.DataFrame) -> str:
    return f"{rows['bpp'].mean():.4f}, {statistics.fmean(rows['psnr']):.2f} dB"


def _percent(mean: float, error: float) -> str:
    return f"{mean:+.2f} %" if math.isnan(error) else f"{mean:+.2f} ± {error:.2f} %"


if __name__ == "__main__":
    main()
