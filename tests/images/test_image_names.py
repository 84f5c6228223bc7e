"""Test images of any names: each has its own row and its own pictures, and all are read before anything is trained."""

import types

import numpy as np
import pandas as pd
import pytest
import torch
from hydra.utils import instantiate
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from callbacks.image_evaluation import ImageEvaluation
from datamodules.errors import DataError
from datamodules.image_data import ImageDataModule
from datamodules.images import ImageFiles, image_folder, names_in_common
from experiment.reconstructions import reconstruction_names
from ltc.images.estimates import Estimate
from ltc.pixels import read_image

NAMES = ["a/x.png", "b/x.png", "b/x.bmp", "b/x_original.png"]
NETWORK = {"_target_": "ltc.images.networks.FactorizedPrior", "N": 8, "M": 16}


@pytest.fixture
def pictures(tmp_path, rng):
    """``pictures(names)``: a folder of images of noise, and one to train on beside it."""

    def make(names=NAMES):
        for name in (*(f"test/{name}" for name in names), "train/t.png"):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            values = rng.integers(0, 256, (20, 24, 3), dtype=np.uint8)
            Image.fromarray(values).save(tmp_path / name)
        return tmp_path

    return make


def evaluate(files, folder):
    """What the callback makes of test images, without a trainer; as many outputs as there are images."""
    config = {"_target_": "ltc.images.networks.assemble", "network": NETWORK}
    config["bottleneck"] = {"_target_": "ltc.images.networks.scalar", "_partial_": True}
    module = types.SimpleNamespace(network=instantiate(config))
    data = types.SimpleNamespace(test_images=ImageFiles(files))
    trainer = types.SimpleNamespace(is_global_zero=True, world_size=1, datamodule=data)
    evaluation = ImageEvaluation(str(folder), config, {})
    evaluation.on_test_start(trainer, module)
    for index in range(len(files)):
        pixels = data.test_images[index]
        evaluation.on_test_batch_end(trainer, module, {"estimate": Estimate(pixels, 1.0)}, (index, pixels))
    evaluation.on_test_epoch_end(trainer, module)
    return evaluation


def test_images_of_equal_names_have_their_own_rows_and_pictures(pictures, tmp_path):
    files = image_folder(pictures() / "test")
    evaluation = evaluate(files, tmp_path / "run")
    table = pd.read_csv(tmp_path / "run" / "images.csv")
    assert sorted(table["image"]) == sorted([*NAMES, "mean"])
    written = [p for p in (tmp_path / "run" / "reconstructions").rglob("*") if p.is_file()]
    assert len(written) == 2 * len(NAMES)
    for file, (decoded, original) in zip(files, evaluation._pictures, strict=True):
        assert torch.equal(read_image(tmp_path / "run" / "reconstructions" / original), read_image(file))
        error = read_image(tmp_path / "run" / "reconstructions" / decoded).double() - read_image(file).double()
        row = table[table["image"] == str(file.relative_to(tmp_path / "test"))].iloc[0]
        assert row["mse"] == pytest.approx(float(error.square().mean()))


stems = st.sampled_from(["x", "x.png", "x_original", "x.png_original", "y", "a/x", "a/x_original", ".x"])


@given(st.sets(st.tuples(stems, st.sampled_from([".png", ".jpg", ".tif"])), min_size=1, max_size=12))
def test_no_two_pictures_have_one_name(pairs):
    names = [stem + suffix for stem, suffix in pairs]
    found = [picture for pair in reconstruction_names(names) for picture in pair]
    assert len(set(found)) == 2 * len(names)


def test_names_are_those_below_the_common_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    here = [tmp_path / "s" / name for name in NAMES]
    assert names_in_common(here) == (tmp_path / "s", NAMES)
    relative = [file.relative_to(tmp_path) for file in here]
    assert names_in_common(relative) == (tmp_path / "s", NAMES)
    assert names_in_common([*relative[:2], *here[2:]]) == (tmp_path / "s", NAMES)
    assert names_in_common(here[:1]) == (tmp_path / "s" / "a", ["x.png"])


@pytest.mark.parametrize("broken", range(3))
@pytest.mark.parametrize("damage", [b"", b"text", None])
def test_a_broken_test_image_is_refused_before_training(broken, damage, pictures):
    """Wherever it is among them; but for those that are not tested on."""
    folder = pictures(["1.png", "2.png", "3.png"])
    train, test = image_folder(folder / "train"), image_folder(folder / "test")
    data = test[broken].read_bytes()
    test[broken].write_bytes(data[: len(data) // 2] if damage is None else damage)
    with pytest.raises(DataError, match=rf"{test[broken].name} is no image"):
        ImageDataModule(train, test, crop_size=8)
    pixels = 20 * 24
    if broken > 0:
        assert len(ImageDataModule(train, test, crop_size=8, eval_symbols=broken * pixels).test_dataloader()) == broken
    with pytest.raises(DataError, match="is no image"):
        ImageDataModule(train, test, crop_size=8, eval_symbols=broken * pixels + 1)


def test_a_test_image_that_is_given_twice_is_refused(pictures):
    folder = pictures(["1.png"])
    with pytest.raises(DataError, match="given twice"):
        ImageDataModule(image_folder(folder / "train"), [folder / "test" / "1.png"] * 2, crop_size=8)
