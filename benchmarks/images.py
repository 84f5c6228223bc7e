"""Lattices against rounding in an image codec: the same network, data, steps and seed for all, on Kodak.

    python -m benchmarks.images                       # two cores, half an hour: a small hyperprior
    python -m benchmarks.images --size gpu            # the field's width, four lambdas
    python -m benchmarks.images --folder FOLDER       # where runs are kept; finished ones are not run again

One network with CompressAI's rounding is trained at the middle lambda, and from it one for each lambda; then from this
very network one with each bottleneck, rounding among them, for the same number of steps on the same crops. Writes
``docs/images.md`` with its picture and log, ``docs/images/``.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.bd_rate import bd_rate
from benchmarks.provenance import commits_of, provenance
from benchmarks.spent import counted, spent

_ROOT = Path(__file__).resolve().parent.parent

_SYSTEMS = ("scalar", "ltc_z", "ltc_e8", "ltc_tcq8", "ltc_learned")


@dataclass(frozen=True)
class Size:
    """How large the experiment is.

    Attributes:
        lambdas: prices of distortion.
        first: settings of the network that everything starts from.
        start: settings of the networks for each lambda, with rounding.
        tune: settings of the networks that are compared.
        parallel: jobs at once.
    """

    lambdas: tuple[float, ...]
    first: tuple[str, ...]
    start: tuple[str, ...]
    tune: tuple[str, ...]
    parallel: int


_SMALL = ("network.N=32", "network.M=48")
_CROPS = (*_SMALL, "crops=4", "crop_size=128", "threads=1", "steps=1000")
_WIDE = ("network.N=128", "network.M=192", "crops=8", "crop_size=256")
_SIZES = {
    "cpu": Size(
        (0.01, 0.025, 0.06),
        # Small crops first: many steps make transforms, and larger ones their side information later.
        (*_SMALL, "crops=8", "crop_size=64", "steps=10000", "optimizer.lr=2e-3"),
        (*_CROPS, "optimizer.lr=1e-3"),
        (*_CROPS, "optimizer.lr=5e-4"),
        2,
    ),
    "gpu": Size(
        (0.0067, 0.013, 0.025, 0.0483),
        (*_WIDE, "steps=60000", "optimizer.lr=2e-4"),
        (*_WIDE, "steps=10000", "optimizer.lr=1e-4"),
        (*_WIDE, "steps=10000", "optimizer.lr=1e-4"),
        1,
    ),
    # Seconds, to see that everything works.
    "smoke": Size((0.01, 0.025), *(("trainer=smoke", *_SMALL),) * 3, 1),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=_SIZES, default="cpu")
    parser.add_argument("--folder", type=Path, help="of the runs (multirun/images_SIZE)")
    parser.add_argument("--systems", nargs="+", default=list(_SYSTEMS), help="names of conf/experiment/images")
    parser.add_argument("--network", default="bmshj2018_hyperprior", help="a name of conf/network")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=_ROOT / "docs" / "images.md", help="pictures go beside it")
    options = parser.parse_args()
    size = _SIZES[options.size]
    folder = (options.folder or _ROOT / "multirun" / f"images_{options.size}").absolute()
    common = ("--config-name", "images", f"network={options.network}", f"seed={options.seed}", "reconstructions=false")
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "log.txt"
    code = provenance()
    lambdas = ",".join(map(str, size.lambdas))
    few = "eval_symbols=1"  # a starting point is not what is compared
    middle = f"lambda={size.lambdas[len(size.lambdas) // 2]}"
    with counted(folder):
        run([*common, *size.first, few, "bottleneck=scalar", middle, f"hydra.run.dir={folder}/first"], log)
        start = [*common, *size.start, few, "bottleneck=scalar", f"lambda={lambdas}", f"init_from={folder}/first"]
        sweep(start, folder / "start", size.parallel, log, "hydra.sweep.subdir=${lambda}")
        systems = ",".join(f"images/{name}" for name in options.systems)
        tune = [*common, *size.tune, f"experiment={systems}", f"lambda={lambdas}"]
        tune.append(f"init_from={folder}/start/${{lambda}}")
        sweep(tune, folder / "systems", size.parallel, log)
    minutes = spent(folder) / 60
    jobs = [job for job in (folder / "systems").iterdir() if (job / "rd_point.json").exists()]
    points = pd.DataFrame([{**json.loads((job / "rd_point.json").read_text()), "folder": job} for job in jobs])
    command = " ".join(["python -m benchmarks.images", *sys.argv[1:]])
    pictures = options.output.with_suffix("")
    pictures.mkdir(parents=True, exist_ok=True)
    shutil.copy(folder / "systems" / "psnr_curves.png", pictures / "psnr_curves.png")
    _without_paths(log, pictures / "log.txt", folder)
    code += f"; its networks at commit {', '.join(commits_of([folder / 'systems']))}"
    text = "\n".join(page(points, size, command, options.seed, minutes, code, pictures.name)) + "\n"
    print(text)
    options.output.write_text(text)


def sweep(arguments: list[str], folder: Path, parallel: int, log: Path, *more: str) -> None:
    """A multirun of ``run.py`` into a folder; jobs that it holds already are kept."""
    launcher = ["hydra/launcher=joblib", f"hydra.launcher.n_jobs={parallel}"] if parallel > 1 else []
    run(["-m", *arguments, f"hydra.sweep.dir={folder}", *launcher, *more], log)


def run(arguments: list[str], log: Path) -> None:
    """One command of ``run.py``, which keeps what it has done before; its output goes into the log."""
    print("run.py", *arguments, flush=True)
    with log.open("a") as file:
        print(f"{time.strftime('%Y-%m-%d %H:%M:%S')} python run.py", *arguments, file=file, flush=True)
        subprocess.run([sys.executable, "run.py", *arguments], cwd=_ROOT, check=True, stdout=file)


def _without_paths(log: Path, copy: Path, folder: Path) -> None:
    """The log for the documents, where folders of one machine mean nothing."""
    text = log.read_text()
    for path, name in ((folder, "FOLDER"), (_ROOT, ".")):
        text = text.replace(str(path), name)
    copy.write_text("\n".join(line.rstrip() for line in text.splitlines()) + "\n")


def page(
    points: pd.DataFrame, size: Size, command: str, seed: int, minutes: float, code: str, pictures: str
) -> list[str]:
    """The page in Markdown."""
    points = points.sort_values(["lambda", "coded_rate"])
    first = points.iloc[0]
    lines = [
        "# Images, measured",
        "",
        f"Made by `{command}` in {minutes:.0f} minutes; seed {seed}; {code}.",
        "",
        f"Network {first['transform']}, trained on crops of {first['source']}, tested on "
        f"{first['images']} images of Kodak. One network with rounding (`{' '.join(size.first)}`) is trained on at "
        f"each lambda (`{' '.join(size.start)}`); from there every row of the lambda is trained on with its own "
        f"bottleneck (`{' '.join(size.tune)}`): same network, data, steps and "
        "seed. These networks are far smaller and trained far more briefly than the published ones, and their few "
        "latents hold PSNR back whatever the rate: what compares is one row with another. [One network for all "
        "rates](multirate.md) has no such ceiling.",
        "",
        "Rates are those of whole files, headers included; PSNR and MS-SSIM of the pixels that were decoded from them.",
        "`scalar` is CompressAI's bottleneck (noise in training, its own entropy coder); `z` is rounding as a lattice, "
        "with straight-through training and this project's coder.",
        "",
        "| bottleneck | lambda | bits/pixel | estimated | PSNR, dB | MS-SSIM | rate + lambda D | training, s |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for _, p in points.iterrows():
        cost = p["coded_rate"] + p["lambda"] * p["distortion"]
        lines.append(
            f"| {p['lattice']} | {p['lambda']:g} | {p['coded_rate']:.4f} | {p['estimated_rate']:.4f} | "
            f"{p['psnr']:.3f} | {p['ms_ssim']:.4f} | {cost:.4f} | {p['train_seconds']:.0f} |"
        )
    picture = ["", f"![PSNR and MS-SSIM over bits per pixel]({pictures}/psnr_curves.png)"]
    log = ["", f"The log of the command: [{pictures}/log.txt]({pictures}/log.txt)."]
    return [*lines, *picture, *bd_lines(points), *file_lines(points), *log]


def bd_lines(points: pd.DataFrame) -> list[str]:
    """BD-rates against both kinds of rounding."""
    lines = [
        "",
        "## BD-rate",
        "",
        "Average difference of rate at equal PSNR (Bjøntegaard's delta, piecewise cubic, the package `bjontegaard`); "
        "negative is better. The first two columns compare mean curves, by bytes of files and by likelihoods; the last "
        "one is the mean of every image's own BD-rate, with its standard error.",
        "",
        "| bottleneck | against | files | likelihoods | files, image by image |",
        "| --- | --- | --- | --- | --- |",
    ]
    for anchor in ("scalar", "z"):
        for name in dict.fromkeys(points["lattice"]):
            if name == anchor or anchor not in set(points["lattice"]):
                continue
            base, test = (points[points["lattice"] == n].sort_values("lambda") for n in (anchor, name))
            each = [bd_rate(*curves) for curves in image_curves(base, test)]
            each = [value for value in each if math.isfinite(value)]
            mean = sum(each) / max(len(each), 1)
            spread = statistics.stdev(each) / math.sqrt(len(each)) if len(each) > 1 else math.nan
            files, likelihoods = (
                bd_rate(base[r], base["psnr"], test[r], test["psnr"]) for r in ("coded_rate", "estimated_rate")
            )
            image_by_image = f"{_percent(mean)} ± {spread:.2f}" if len(each) > 1 else "-"
            lines.append(f"| {name} | {anchor} | {_percent(files)} | {_percent(likelihoods)} | {image_by_image} |")
    return lines


def _percent(value: float) -> str:
    return f"{value:+.2f} %" if math.isfinite(value) else "-"


def image_curves(base: pd.DataFrame, test: pd.DataFrame) -> Iterator[tuple[Any, Any, Any, Any]]:
    """For each image, its rates and PSNRs over the lambdas, in both systems."""
    tables = []
    for points in (base, test):
        parts = [pd.read_csv(folder / "images.csv").query("image != 'mean'") for folder in points["folder"]]
        tables.append(pd.concat(parts).groupby("image", sort=True))
    for (_, one), (_, other) in zip(*tables, strict=True):
        one, other = one.sort_values("psnr"), other.sort_values("psnr")
        yield one["bpp"], one["psnr"], other["bpp"], other["psnr"]


def file_lines(points: pd.DataFrame) -> list[str]:
    """Whether files are as long as the likelihoods say, and decode to what they should."""
    tables = {p["lattice"]: [] for _, p in points.iterrows()}  # type: dict[str, list[pd.DataFrame]]
    for _, p in points.iterrows():
        tables[p["lattice"]].append(pd.read_csv(p["folder"] / "images.csv").query("image != 'mean'"))
    lines = [
        "",
        "## Files",
        "",
        "| bottleneck | files | bytes over the likelihoods' | largest excess less 128 bytes | decoded exactly | "
        "coding, s | decoding, s |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, parts in tables.items():
        rows = pd.concat(parts)
        estimated = rows["estimated_bpp"] * rows["width"] * rows["height"] / 8
        excess = ((rows["bytes"] - 128) / estimated - 1).max()
        exact = (rows["exact"].astype(str) == "True").sum()
        lines.append(
            f"| {name} | {len(rows)} | {rows['bytes'].sum() / estimated.sum() - 1:+.2%} | {excess:+.2%} | "
            f"{exact} of {len(rows)} | {rows['encode_seconds'].mean():.2f} | {rows['decode_seconds'].mean():.2f} |"
        )
    return lines


if __name__ == "__main__":
    main()
