"""Laws of an image run: what a job leaves in its folder belongs together, and is true of the real files."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from rich.console import Console

from experiment.image_table import image_table
from experiment.pictures.image_curves import draw_image_curves
from experiment.pictures.published_curves import KODAK
from ltc.codec.image_checkpoint import load_network
from ltc.codec.image_evaluation import evaluate
from ltc.codec.images import compress_image
from ltc.images.quality import similarity
from ltc.pixels import read_image

_ROOT = Path(__file__).parents[2]
# Networks, and the least of each that works.
_SMALL = {
    "bmshj2018_factorized": ["network.N=8", "network.M=16"],
    "bmshj2018_hyperprior": ["network.N=8", "network.M=16"],
    "mbt2018_mean": ["network.N=8", "network.M=16"],
    "mbt2018": ["network.N=8", "network.M=16"],
    "cheng2020_attn": ["network.N=16"],
    "context_factorized": ["network.N=8", "network.M=16"],
    "context_hyperprior": ["network.N=8", "network.M=16"],
    "context_checkerboard": ["network.N=8", "network.M=16"],
    "context_channels": ["network.N=8", "network.M=16"],
    "context_raster": ["network.N=8", "network.M=16"],
    "multirate": ["network.N=8", "network.M=16", "network.depth=1"],
    "swint_charm": [],
    "lic_tcm": [],
}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """A data folder like the real one, with a few images of noise."""
    folder, rng = tmp_path_factory.mktemp("data"), np.random.default_rng()
    for name, width, height in (
        ("bsds500/train/1.jpg", 90, 80),
        ("bsds500/val/2.jpg", 80, 90),
        ("kodak/kodim01.png", 200, 170),
        ("kodak/kodim02.png", 100, 70),
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        coarse = rng.integers(0, 256, (height // 10, width // 10, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC).save(folder / name)
    return folder


@pytest.fixture(scope="module")
def run(pictures, tmp_path_factory, warm_python):
    """The folder of a job that has been run as users run it, and what it printed."""
    folder = tmp_path_factory.mktemp("run")
    command = ["run.py", "--config-name", "images", "trainer=smoke", "lattice=e8", "lambda=0.013"]
    command += ["network.N=8", "network.M=16", "eval_symbols=null", f"data_dir={pictures}", f"hydra.run.dir={folder}"]
    done = warm_python.run([*command, "threads=1"], _ROOT, dict(os.environ))
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


def test_the_folder_holds_one_story(run):
    folder, printed = run
    point, table = json.loads((folder / "rd_point.json").read_text()), pd.read_csv(folder / "images.csv")
    rows, mean = table[table["image"] != "mean"], table[table["image"] == "mean"].iloc[0]
    assert list(rows["image"]) == ["kodim01.png", "kodim02.png"] and len(table) == 3
    assert (point["source"], point["transform"], point["lattice"]) == ("bsds500", "bmshj2018_hyperprior", "e8")
    assert (point["lambda"], point["n"], point["seed"], point["steps"]) == (0.013, 1, 0, 20)
    assert point["eval_symbols"] == 200 * 170 + 100 * 70 and point["images"] == 2
    assert point["bound_rate"] is None and point["gap"] is None and point["train_seconds"] > 0
    np.testing.assert_allclose(point["coded_rate"], rows["bpp"].mean())
    # The rate is that of files; what the likelihoods say has a name of its own.
    np.testing.assert_allclose(point["rate"], rows["bpp"].mean())
    np.testing.assert_allclose(point["rate_error"], rows["bpp"].std() / 2**0.5)
    np.testing.assert_allclose(point["estimated_rate"], rows["estimated_bpp"].mean(), rtol=1e-5)
    assert point["lattices"] == "e8 100.0%"
    assert ("the model's rate" in " ".join(printed.split())) == (
        abs(point["rate"] / point["estimated_rate"] - 1) >= 0.005
    )
    np.testing.assert_allclose(point["distortion"], rows["mse"].mean(), rtol=1e-5)
    np.testing.assert_allclose(point["psnr"], rows["psnr"].mean())
    np.testing.assert_allclose(rows["psnr"], 10 * np.log10(255**2 / rows["mse"]))
    np.testing.assert_allclose(rows["bpp"], 8 * rows["bytes"] / (rows["width"] * rows["height"]))
    np.testing.assert_allclose(mean["bpp"], rows["bpp"].mean())
    assert point["decoded_exactly"] and rows["exact"].astype(str).eq("True").all()
    # Too small for five scales: no figure rather than another one.
    assert pd.isna(rows["ms_ssim"].iloc[1]) and np.isclose(point["ms_ssim"], rows["ms_ssim"].iloc[0])
    assert "kodim02.png" in printed and "mean" in printed and max(map(len, printed.splitlines()[:-1])) <= 80


def test_a_search_is_in_all_figures(pictures, warm_python, tmp_path):
    """Rate and distortion are those of the files, not of the nearest points."""
    command = ["run.py", "--config-name", "images", "trainer=smoke", "lattice=e8", "effort=3", "threads=1"]
    command += ["network.N=8", "network.M=16", "logger=none", f"data_dir={pictures}", f"hydra.run.dir={tmp_path}"]
    done = warm_python.run(command, _ROOT, dict(os.environ))
    assert done.returncode == 0, done.stderr
    point, table = json.loads((tmp_path / "rd_point.json").read_text()), pd.read_csv(tmp_path / "images.csv")
    rows = table[table["image"] != "mean"]
    for name, column in (("rate", "bpp"), ("estimated_rate", "estimated_bpp"), ("distortion", "mse")):
        np.testing.assert_allclose(point[name], rows[column].mean(), rtol=1e-5)
    assert point["decoded_exactly"] and rows["exact"].astype(str).eq("True").all()


def test_the_checkpoint_makes_the_very_files(run, pictures, tmp_path):
    folder, _ = run
    checkpoint, table = load_network(folder), pd.read_csv(folder / "images.csv").set_index("image")
    for name in ("kodim01", "kodim02"):
        pixels = read_image(pictures / "kodak" / f"{name}.png")
        with (tmp_path / "a.ltc").open("wb") as file:
            decoded = compress_image(checkpoint, pixels, file)
        assert (tmp_path / "a.ltc").stat().st_size == table.loc[f"{name}.png", "bytes"]
        assert torch.equal(read_image(folder / "reconstructions" / f"{name}.png"), decoded)
        assert torch.equal(read_image(folder / "reconstructions" / f"{name}_original.png"), pixels)
        error = (pixels.double() - decoded.double()).square().mean()
        np.testing.assert_allclose(table.loc[f"{name}.png", "mse"], float(error))


def test_the_rows_are_those_of_the_library(run, pictures):
    """Its evaluation of the same files with the same network, without Lightning."""
    folder, _ = run
    table = pd.read_csv(folder / "images.csv").set_index("image")
    images = [(path.name, read_image(path)) for path in sorted((pictures / "kodak").iterdir())]
    for found in evaluate(load_network(folder), images):
        expected = table.loc[found.row["image"]]
        assert found.row["exact"] and (found.row["bytes"], found.row["width"]) == (expected["bytes"], expected["width"])
        for name in ("bpp", "estimated_bpp", "mse", "psnr"):
            np.testing.assert_allclose(found.row[name], expected[name], rtol=1e-5)
        assert torch.equal(found.decoded, read_image(folder / "reconstructions" / found.row["image"]))


@pytest.mark.slow
def test_fine_tuning_starts_where_the_other_run_ended(run, pictures, tmp_path):
    folder, _ = run
    command = [
        sys.executable,
        "run.py",
        "--config-name",
        "images",
        "trainer=smoke",
        "experiment=images/ltc_tcq8",
        "lambda=0.013",
    ]
    command += ["network.N=8", "network.M=16", f"data_dir={pictures}", f"init_from={folder}", "optimizer.lr=0"]
    command += [f"hydra.run.dir={tmp_path}", "threads=1", "module.auxiliary_lr=0"]
    subprocess.run(command, cwd=_ROOT, capture_output=True, check=True)
    one, other = (load_network(path).network.state_dict() for path in (folder, tmp_path))
    assert all(torch.equal(one[name], other[name]) for name in one if name.startswith(("g_a", "g_s", "h_a", "h_s")))


@pytest.fixture(scope="module")
def composed_images():
    """``composed_images(*overrides)``: the configuration of an image job, as Hydra composes it."""
    from hydra import compose, initialize_config_dir
    from hydra.core.hydra_config import HydraConfig

    import conf

    with initialize_config_dir(str(Path(conf.__file__).parent), version_base="1.3"):

        def make(*overrides):
            cfg = compose("images", list(overrides), return_hydra_config=True)
            cfg.hydra.runtime.output_dir = "nowhere"
            HydraConfig.instance().set_config(cfg)
            return cfg

        yield make
    HydraConfig.instance().cfg = None


def names(group):
    return sorted(path.stem for path in (_ROOT / "conf" / group).glob("*.yaml"))


def test_every_network_has_a_small_form_here():
    assert names("network") == sorted(_SMALL)


@pytest.mark.parametrize("network", names("network"))
def test_networks_compose_with_a_lattice(composed_images, network):
    from hydra.utils import instantiate

    cfg = composed_images(f"network={network}", *_SMALL[network], "lattice=e8")
    module = instantiate(cfg.module)
    assert any(type(m).__name__.startswith("Lattice") for m in module.network.modules())
    about = cfg.callbacks.evaluation.description
    assert (about.transform, about.lattice, about["lambda"]) == (network, "e8", 0.013)


@pytest.mark.parametrize("experiment", [*names("experiment/images"), "ltc_e8", "ltc_tcq8", "ltc_learned"])
def test_experiments_compose(composed_images, experiment):
    from hydra.utils import instantiate

    network = "multirate" if experiment.startswith("multirate") else "bmshj2018_hyperprior"
    cfg = composed_images(f"experiment=images/{experiment}", f"network={network}", *_SMALL[network])
    module = instantiate(cfg.module)
    kind = type(module.network.gaussian_conditional).__name__
    assert kind == ("GaussianConditional" if experiment == "scalar" else "LatticeGaussianConditional")
    default = experiment in ("ltc", "multirate", "multirate_searched")
    assert cfg.quantizer_name == ("e8" if default else experiment.removeprefix("ltc_"))


def test_similarity_is_one_for_the_same_image(rng):
    image = torch.from_numpy(rng.integers(0, 256, (3, 170, 180), dtype=np.uint8))
    noisy = (image.float() + 20 * torch.randn(image.shape)).clamp(0, 255).to(torch.uint8)
    assert similarity(image, image) == pytest.approx(1)
    assert similarity(image, noisy) < 0.999
    assert similarity(image[:, :100], image[:, :100]) is None


def test_curves_are_drawn_for_points_with_and_without_similarity():
    rows = [
        {"source": "bsds500", "lattice": name, "coded_rate": rate, "psnr": 30 + rate, "ms_ssim": similar}
        for name, similar in (("z", None), ("e8", 0.9))
        for rate in (0.2, 0.4)
    ]
    figure = draw_image_curves(pd.DataFrame(rows))
    assert [len(axes.lines) for axes in figure.axes] == [2, 2]
    assert len(draw_image_curves(pd.DataFrame(rows[:2])).axes) == 1


def test_published_curves_stand_beside_those_on_kodak():
    rows = [
        {"source": "bsds500", "lattice": "e8", "coded_rate": rate, "psnr": 30.0, "ms_ssim": 0.9, "test_set": "kodak"}
        for rate in (0.2, 0.4)
    ]
    figure = draw_image_curves(pd.DataFrame(rows))
    assert [len(axes.lines) for axes in figure.axes] == [1, 1 + len(KODAK), 1 + len(KODAK)]
    for line in figure.axes[1].lines[1:]:
        x, y = line.get_data()
        assert 0.1 < x.min() < x.max() < 0.6
        assert (np.diff(x) > 0).all() and (np.diff(y) > 0).all()


def test_published_curves_rise():
    for curve in KODAK:
        assert (np.diff(np.array(curve.points), axis=0) > 0).all()


def test_the_table_fits_a_terminal():
    row = {"image": "a_very_long_name_of_a_photograph_indeed.png", "bpp": 0.5, "estimated_bpp": 0.49}
    rows = [{**row, "psnr": 30.0, "ms_ssim": None}] * 30
    point = {"transform": "mbt2018", "lattice": "e8", "lambda": 0.01, "coded_rate": 0.5, "estimated_rate": 0.49}
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(image_table(rows, {**point, "psnr": 30.0, "ms_ssim": None}))
    text = console.export_text()
    assert "6 more in images.csv" in text and max(map(len, text.splitlines())) <= 80
