"""Every file of every group of ``conf``, and every pair that makes sense, goes through a job as ``run.py`` runs it.

Folders are listed, so that a new file is run without anybody remembering it. Jobs run in this process: a process of its
own for each would take most of the time for imports. Each file, and of each product of two groups a pair for every file
of the first, run in the quick suite, the whole products in the slow one.
"""

import itertools
import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import open_dict
from PIL import Image

import conf
import run
from ltc.theory import DiscretizedRD

CONF = Path(conf.__file__).parent

# Groups whose files run elsewhere, or are no choice of a user's.
ELSEWHERE = {
    "callbacks": "part of every job",
    "image_callbacks": "part of every job with images",
    "hydra": "launchers: test_launchers.py",
    "logger": "test_run.py, tests/experiment/test_wandb.py; every job here has none",
    "shorthand": "part of lattice=learned",
}
# Files that need what this process has not: several processes, or another data set.
APART = {("trainer", "ddp"): "test_processes.py", ("image_data", "vimeo90k"): "tests/images/test_image_data.py"}

VECTORS = ["source", "transform", "entropy_model", "lambda", "model", "experiment", "size", "trainer", "lattice"]
IMAGES = ["network", "bottleneck", "image_data", "experiment/images", "trainer", "lambda", "lattice"]
PAIRS = [("lattice", "model"), ("entropy_model", "lattice"), ("source", "model")]

CALIBRATION = "rounds=1 evaluations=1 refit_steps=1 rdo_factors=[1.0] rdo_steps=1 final_steps=1 validation_symbols=200"
FEW = ["trainer.max_steps=2", "logger=none", "threads=1"]
FEW_VECTORS = [*FEW, "batch_size=8", "eval_symbols=300", *(f"++calibration.{item}" for item in CALIBRATION.split())]

# The least of each network that works; what is not here takes N and M.
SMALL = {
    "multirate": ["network.N=8", "network.M=32", "network.prices=[0.0035,0.066]"],
    "cheng2020_attn": ["network.N=32"],
    "swint_charm": ["network.widths=[16,16,16,32]", "network.hyper_widths=[16,16]", "network.depths=[1,1,1,1]"],
    "lic_tcm": ["network.N=16", "network.M=40", "network.hyper=16", "network.heads=[8,8,16]"],
}
# What a choice needs beside it.
WITH = {
    ("experiment", "dither"): ["source=gaussian_correlated", "lattice=a2", "calibration=null"],
    ("experiment", "one_shot"): ["source=gaussian_correlated", "lattice=a2", "alternation.steps=2", "calibration=null"],
    ("experiment", "refine"): ["source=gaussian_correlated", "init_from=null"],
}

# What may be refused, and in which words.
REFUSED = {
    "its lattice is z": lambda c: c.get("model") == "ntc" and c.get("lattice", "z") != "z",
    "generator|no dithered form": lambda c: c.get("model") == "ltc_dither" and c.get("lattice", "").startswith("tcq"),
    "free codebook has 2 to": lambda c: c.get("model") == "gvq",
    "no generator matrix": lambda c: (
        c.get("entropy_model", "").startswith(("monte_carlo", "flow", "nested")) and c["lattice"].startswith("tcq")
    ),
    "ScalarBottleneck": lambda c: c.get("entropy_model") == "bottleneck",
}


def names(group):
    """A group's files."""
    return sorted(path.stem for path in (CONF / group).glob("*.yaml"))


def alone(groups):
    return [(g, name) for g in groups for name in names(g) if (g, name) not in APART]


def product(one, other):
    """All pairs of two groups' files; but for one with each of the first group's they are marked slow."""
    rows, columns, found = names(one), names(other), []
    for (i, row), (j, column) in itertools.product(enumerate(rows), enumerate(columns)):
        quick = j == 7 * i % len(columns)
        marks = [] if quick else [pytest.mark.slow]
        found.append(pytest.param({one: row, other: column}, id=f"{row}-{column}", marks=marks))
    return found


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """A data folder like the real one, with a few images of noise."""
    folder, rng = tmp_path_factory.mktemp("data"), np.random.default_rng()
    for name, width, height in (("bsds500/1.jpg", 90, 80), ("bsds500/2.jpg", 70, 90), ("kodak/kodim01.png", 60, 50)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        coarse = rng.integers(0, 256, (height // 10, width // 10, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC).save(folder / name)
    return folder


@pytest.fixture
def vectors(tmp_path):
    """A small array of one's own."""
    np.save(tmp_path / "vectors.npy", np.random.default_rng().normal(size=(9000, 3)))
    return tmp_path / "vectors.npy"


@pytest.fixture
def job(tmp_path):
    """``job("config", "lattice=e8", ...)``: what ``run.py`` does with it; its rd_point.json."""

    def call(config, *overrides):
        GlobalHydra.instance().clear()
        with initialize_config_dir(str(CONF), version_base="1.3"):
            place = ["hydra.mode=RUN", f"hydra.runtime.output_dir={tmp_path}"]
            cfg = compose(config, [*overrides, *place], return_hydra_config=True)
        HydraConfig.instance().set_config(cfg)
        with open_dict(cfg):
            del cfg["hydra"]
        run.main.__wrapped__(cfg)
        return json.loads((tmp_path / "rd_point.json").read_text())

    yield call
    GlobalHydra.instance().clear()
    HydraConfig.instance().cfg = None


@pytest.fixture
def ends_well(job, capsys):
    """``ends_well("config", {"lattice": "e8"}, ...)``: a job leaves its point, or is refused in the right words."""

    def check(config, choices, *overrides):
        arguments = [*(f"{group}={name}" for group, name in choices.items()), *overrides]
        if "trainer" not in choices:
            arguments.insert(0, "trainer=smoke")
        try:
            point = job(config, *arguments)
        except SystemExit as end:
            error = capsys.readouterr().err
            words = [words for words, may in REFUSED.items() if may(choices)]
            assert end.code == 2 and words and re.search("|".join(words), error), error
            assert error.startswith("error: ") and len(error.strip().splitlines()) == 1
            return
        assert point["steps"] == 2 and point["rate"] >= 0 and point["distortion"] > 0
        assert math.isfinite(point["rate"]) and math.isfinite(point["distortion"])

    return check


def test_every_group_is_run():
    """A new folder of ``conf`` belongs into one of the lists above."""
    folders = {path.name for path in CONF.iterdir() if path.is_dir() and any(path.glob("*.yaml"))}
    assert folders == {*VECTORS, *IMAGES, *ELSEWHERE} - {"experiment/images"}


@pytest.mark.parametrize(("group", "name"), alone([g for g in VECTORS if g not in {g for pair in PAIRS for g in pair}]))
def test_vectors(ends_well, group, name):
    ends_well("config", {group: name}, *FEW_VECTORS, *WITH.get((group, name), []))


@pytest.mark.parametrize("choices", [pair for groups in PAIRS for pair in product(*groups)])
def test_pairs_of_vectors(ends_well, choices, request):
    data = []
    if choices.get("source") in ("physics", "speech"):
        data = [f"data_dir={request.getfixturevalue('data_dir')}"]
    elif choices.get("source") == "patches":
        data = [f"data_dir={request.getfixturevalue('pictures')}", "source.size=4"]
    elif choices.get("source") == "array":
        data = [f"source.path={request.getfixturevalue('vectors')}"]
    ends_well("config", choices, *data, *FEW_VECTORS)


@pytest.fixture(autouse=True)
def coarse_bounds(monkeypatch):
    """R(D) on a few cells: what it is exactly takes a quarter of a minute, and is the business of tests/theory."""
    whole = DiscretizedRD.from_density

    def few_cells(density, box, cells, **more):
        return whole(density, box, max(20, cells // 10), **{**more, "tolerance": 0.1})

    monkeypatch.setattr(DiscretizedRD, "from_density", few_cells)


def small(network):
    return SMALL.get(network, ["network.N=8", "network.M=32"])


@pytest.mark.parametrize(("group", "name"), alone([g for g in IMAGES if g not in ("lattice", "network")]))
def test_images(ends_well, pictures, group, name):
    folder = [f"image_data.folder={pictures}/bsds500"] if (group, name) == ("image_data", "folder") else []
    group, _, inside = group.partition("/")
    choice = {group: f"{inside}/{name}" if inside else name}
    ends_well("images", choice, *small(name), *folder, f"data_dir={pictures}", "crops=2", "crop_size=64", *FEW)


@pytest.mark.parametrize("choices", product("network", "lattice"))
@pytest.mark.parametrize("hyper", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["", "hyper"])
def test_networks_with_lattices(ends_well, pictures, choices, hyper):
    # Slices and groups of few channels hold no large lattice.
    along = "image" if choices["network"] in ("swint_charm", "lic_tcm", "context_channels") else "channels"
    ends_well(
        "images",
        choices,
        *small(choices["network"]),
        *(f"data_dir={pictures}", f"bottleneck.hyper={hyper}", f"bottleneck.along={along}", "crops=1"),
        *FEW,
    )


@pytest.mark.parametrize("lattice", ["z", "e8", "tcq8"])
@pytest.mark.parametrize("network", ["bmshj2018_factorized", "bmshj2018_hyperprior"])
def test_side_information_on_lattices(ends_well, pictures, network, lattice):
    more = [f"data_dir={pictures}", "bottleneck.hyper=true", "crops=1"]
    ends_well("images", {"network": network, "lattice": lattice}, *small(network), *more, *FEW)
