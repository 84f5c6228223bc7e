"""One small network for all rates, its lattices and their search, beside the codecs that people use, on Kodak.

    python -m benchmarks.multirate                    # two cores: three seeds, trained on BSDS500; resumable
    python -m benchmarks.multirate --folder FOLDER    # where runs and rows are kept; what is there is not made again
    python -m benchmarks.multirate --smoke            # seconds, to see that everything works

For each seed one network (``network=multirate``) is trained for all lambdas, with noise and then with rounding in its
place. From its very numbers two go on for as many steps each, with rounding and with a trellis code, and from each of
these one whose decoder learns from what the encoder's search finds. Rates are those of whole files. Writes
``docs/multirate.md`` with its pictures.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from hydra.utils import instantiate
from omegaconf import OmegaConf

from benchmarks.crop_picture import by_network, by_pillow, draw
from benchmarks.images import run
from benchmarks.kodak import options_with_data, photographs
from benchmarks.multirate_page import page
from benchmarks.multirate_time import seconds_alone
from benchmarks.pillow_codecs import PillowCodec, available
from benchmarks.provenance import commits_of, provenance
from benchmarks.spent import counted, spent
from benchmarks.tasks import Task, run_tasks
from ltc.codec.image_checkpoint import ImageCheckpoint, load_network, save_network
from ltc.codec.image_evaluation import evaluate
from ltc.files import whole_file
from ltc.images.refinement import Refinement
from ltc.images.start import start_from

_ROOT = Path(__file__).resolve().parent.parent

# What the page shows a part of: a photograph of Kodak, bytes of its files, and the top and left of the part.
_CROP, _CROP_BYTES, _CROP_PLACE = "kodim19.png", 16_000, (300, 150)


# Lambda of the photograph whose seconds are taken, and the highest that BD-rates are of: about 1 bit per pixel.
_TIMED = _HIGHEST = 0.025


@dataclass(frozen=True)
class Size:
    """How large the experiment is.

    Attributes:
        prices: lambdas that are tested.
        first: settings of the training with noise.
        second: settings of the training with rounding.
        third: settings of the training with each code.
        fourth: settings of the training with its search.
        images: how many of Kodak's are coded.
    """

    prices: tuple[float, ...]
    first: tuple[str, ...]
    second: tuple[str, ...]
    third: tuple[str, ...]
    fourth: tuple[str, ...]
    images: int = 24


_CROPS = ("crops=4", "crop_size=128")
_SIZES = {
    "laptop": Size(
        (0.0018, 0.0035, 0.0095, 0.025, 0.066),
        (*_CROPS, "steps=5000", "optimizer.lr=2e-3"),
        (*_CROPS, "steps=400", "optimizer.lr=5e-4"),
        (*_CROPS, "steps=600", "optimizer.lr=5e-4"),
        (*_CROPS, "steps=300", "optimizer.lr=3e-4"),
    ),
    "smoke": Size((0.0035, 0.025), *(("trainer=smoke",),) * 4, 2),
}


# Codes that networks are trained with, and those that are tested with the search.
_CODES = ("z", "tcq64")
_SEARCHED = (*_CODES, "tcq1024")


@dataclass(frozen=True)
class Row:
    """What is coded in one go: all images by one network with one lattice at one lambda."""

    seed: int
    lattice: str
    price: float
    effort: int | None

    images: int

    @property
    def name(self) -> str:
        effort = "" if self.effort is None else f"_effort_{self.effort}"
        return f"{self.seed}_{self.lattice}_{self.price:g}{effort}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--smoke", action="store_true", help="seconds, to see that everything works")
    parser.add_argument("--folder", type=Path, help="of runs and rows (multirun/multirate)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--lattices", nargs="+", default=["z", "tcq8", "tcq64", "tcq256", "tcq1024"])
    parser.add_argument("--jobs", type=int, default=2, help="processes at once")
    parser.add_argument(
        "--output", type=Path, default=_ROOT / "docs" / "multirate.md", help="its picture goes beside it"
    )
    options = options_with_data(parser)
    size = _SIZES["smoke" if options.smoke else "laptop"]
    folder = (options.folder or _ROOT / "multirun" / ("multirate_smoke" if options.smoke else "multirate")).absolute()
    (folder / "rows").mkdir(parents=True, exist_ok=True)
    wanted = rows_wanted(options.lattices, options.seeds, size.images)
    rows = [
        Row(seed, lattice, price, effort, count) for lattice, seed, effort, count in wanted for price in size.prices
    ]
    codecs = [(codec, value) for codec in available() for value in codec.values]
    theirs = [Task(measure_codec, (folder, *which, options.data, size.images)) for which in codecs]
    tasks = [*(training(folder, seed, size, rows, options.data) for seed in options.seeds), *theirs]
    pool = ProcessPoolExecutor(options.jobs, initializer=torch.set_num_threads, initargs=(1,))
    with counted(folder), pool:
        run_tasks(pool, tasks)
    # Before pictures are written: they would be changes to this very commit.
    code = f"{provenance()}; networks at commit {', '.join(commits_of([folder]))}"
    crop(folder, options.seeds[0], options.data, options.output.with_name(options.output.stem + "_crop.png"))
    command = " ".join(["python -m benchmarks.multirate", *sys.argv[1:]])
    seeds = f"seeds {', '.join(map(str, options.seeds))}"
    made = f"Made by `{command}`, {spent(folder) / 60:.0f} minutes for all of its folder; {seeds}; {code}."
    networks = [pd.read_csv(folder / "rows" / f"{row.name}.csv") for row in rows]
    others = [pd.read_csv(folder / "rows" / f"{codec_name(*which)}.csv") for which in codecs]
    steps = [size.first, size.second, size.third, size.fourth]
    text = page(pd.concat(networks), pd.concat(others), steps, made, _HIGHEST, options.output)
    coders = {name: network_with(folder, options.seeds[0], name) for name in _CODES if name in options.lattices}
    (photograph,) = (pixels for _, pixels in photographs(options.data, 1))
    text += "\n".join([*seconds_alone(coders, _TIMED, photograph), ""])
    with whole_file(options.output) as temporary:
        temporary.write_text(text)
    print(text)


def rows_wanted(names: Sequence[str], seeds: Sequence[int], images: int) -> list[tuple[str, int, int | None, int]]:
    """Lattice, seed, effort and how many images: rounding and the middle code have all of them with the first seed.

    Other seeds, the search, and other codes (one seed) have every third image: comparisons are made image by image.
    """
    compared = [name for name in _CODES if name in names]
    part = (images + 2) // 3
    found: list[tuple[str, int, int | None, int]] = [(name, seeds[0], None, images) for name in compared]
    found += [(name, seed, None, part) for seed in seeds[1:] for name in compared]
    found += [(name, seed, 0, part) for seed in seeds for name in _SEARCHED if name in names]
    return found + [(name, seeds[0], None, part) for name in names if name not in compared]


def training(folder: Path, seed: int, size: Size, rows: Sequence[Row], data: Path) -> Task:
    """All that is done with one seed: the network, those of the codes from it, and what is coded with each."""
    codes = []
    for code in _CODES:
        mine = [row for row in rows if row.seed == seed and (row.lattice == "z") == (code == "z")]
        nearest, searched = (
            [Task(measure, (folder, row, data)) for row in mine if (row.effort is None) == (not search)]
            for search in (False, True)
        )
        search = Task(train_search, (folder, seed, code, size), searched)
        codes.append(Task(train_code, (folder, seed, code, size), [search, *nearest]))
    return Task(train, (folder, seed, size), codes)


def train(folder: Path, seed: int, size: Size) -> None:
    """The trainings of a seed that all codes start from, as ``run.py`` does them; what is finished is kept."""
    noisy, rounded = folder / f"noise_{seed}", folder / f"rounding_{seed}"
    if (rounded / "rd_point.json").exists():
        return
    _run(folder, seed, *size.first, "bottleneck=scalar", f"hydra.run.dir={noisy}")
    _run(folder, seed, *size.second, "lattice=z", f"init_from={noisy}", f"hydra.run.dir={rounded}")


def train_code(folder: Path, seed: int, code: str, size: Size) -> None:
    """The training with one code, from the network with rounding; what is finished is kept."""
    place = _trained(folder, seed, code)
    if not (place / "rd_point.json").exists():
        start = [f"lattice={code}", "bottleneck.along=image", f"init_from={folder / f'rounding_{seed}'}"]
        _run(folder, seed, *size.third, *start, f"hydra.run.dir={place}")


def train_search(folder: Path, seed: int, code: str, size: Size) -> None:
    """The training of its decoder with what the search finds; what is finished is kept."""
    place = _trained(folder, seed, code, searched=True)
    if not (place / "rd_point.json").exists():
        start = [f"lattice={code}", "bottleneck.along=image", f"init_from={_trained(folder, seed, code)}"]
        settings = (*size.fourth, *start, f"hydra.run.dir={place}")
        _run(folder, seed, *settings, experiment="multirate_searched")


def _run(folder: Path, seed: int, *settings: str, experiment: str = "multirate") -> None:
    common = ["--config-name", "images", f"experiment=images/{experiment}", f"seed={seed}", "reconstructions=false"]
    run([*common, "lambda=0.025", "eval_symbols=1", "threads=1", *settings], folder / "log.txt")


def _trained(folder: Path, seed: int, lattice: str, searched: bool = False) -> Path:
    """Where a lattice's network is: all trellis codes have that of the middle one."""
    return folder / f"{'z' if lattice == 'z' else _CODES[-1]}{'_searched' if searched else ''}_{seed}"


def network_with(folder: Path, seed: int, lattice: str, searched: bool = False) -> ImageCheckpoint:
    """The trained network of a seed with a lattice in the place of rounding, through its file ``coder.pt``.

    Args:
        folder: of the runs.
        seed: of the network.
        lattice: its code.
        searched: whether its decoder has learned from the encoder's search.
    """
    path = folder / f"coder_{seed}_{lattice}{'_searched' if searched else ''}.pt"
    if not path.exists():
        trained = _trained(folder, seed, lattice, searched)
        settings: Any = OmegaConf.to_container(OmegaConf.load(trained / "config.yaml").network_config, resolve=True)
        settings["bottleneck"] |= {"along": "image", "lattice": {"_target_": "ltc.lattices.get", "name": lattice}}
        network = instantiate(settings)
        start_from(network, trained)
        network.eval().update(force=True)
        network.at(0.025)
        save_network(path, network, settings, {"lambda": 0.025})
    return load_network(path)


def crop(folder: Path, seed: int, data: Path, path: Path) -> None:
    """A part of one photograph at equal bytes, by rounding, the middle code and Pillow's codecs."""
    (pixels,) = (pixels for name, pixels in photographs(data, 24) if name == _CROP)
    coders = {"rounding": by_network(network_with(folder, seed, "z"), pixels, _CROP_BYTES, None)}
    coders["tcq64 + search"] = by_network(network_with(folder, seed, "tcq64", True), pixels, _CROP_BYTES, 0)
    for codec in available():
        if codec.setting == "quality":
            coders[codec.name] = by_pillow(codec, pixels, _CROP_BYTES)
    draw(path, pixels, coders, *_CROP_PLACE)


def measure(folder: Path, row: Row, data: Path) -> str:
    """Codes all images of a row into files, unless that has been done."""
    path = folder / "rows" / f"{row.name}.csv"
    if not path.exists():
        checkpoint = network_with(folder, row.seed, row.lattice, row.effort is not None)
        checkpoint.network.at(row.price)
        search = None if row.effort is None else Refinement(row.price, row.effort)
        rows = [found.row for found in evaluate(checkpoint, photographs(data, row.images), search=search)]
        effort = "" if row.effort is None else str(row.effort)
        _keep(path, rows, seed=row.seed, lattice=row.lattice, price=row.price, effort=effort)
    return path.stem


def codec_name(codec: PillowCodec, value: float) -> str:
    return f"{codec.format}_{value:g}"


def measure_codec(folder: Path, codec: PillowCodec, value: float, data: Path, count: int) -> str:
    """The same of a codec that Pillow has."""
    path = folder / "rows" / f"{codec_name(codec, value)}.csv"
    if not path.exists():
        rows = [{"image": name, **codec.row(pixels, value)} for name, pixels in photographs(data, count)]
        _keep(path, rows, codec=codec.name, value=value)
    return path.stem


def _keep(path: Path, rows: list[dict[str, Any]], **same: Any) -> None:
    with whole_file(path) as temporary:
        pd.DataFrame([{**same, **row} for row in rows]).to_csv(temporary, index=False)


if __name__ == "__main__":
    main()
