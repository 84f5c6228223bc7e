"""A mistake is called what it is: neither a divergence nor a model without a bitstream."""

from types import SimpleNamespace

import pytest
import torch
from PIL import Image

from callbacks.checkpoints import TrainingCheckpoints
from callbacks.coder_file import CoderFile
from datamodules.errors import DataError
from datamodules.image_data import ImageDataModule
from ltc.coding import NoBitstream
from ltc.entropy import LatentsTooFar


class Broken(torch.nn.Module):
    def __init__(self, error):
        super().__init__()
        self.error, self.tables = error, None

    def update(self):
        raise self.error


@pytest.mark.parametrize(("error", "said"), [(NoBitstream("an estimate"), False), (ValueError("a mistake"), True)])
def test_only_a_model_that_says_so_has_no_bitstream(tmp_path, error, said):
    file = CoderFile(str(tmp_path), {}, n=1, dim=1, description={})
    module = SimpleNamespace(coder=Broken(error), measure="mse")
    if said:
        with pytest.raises(ValueError, match="a mistake"):
            file.on_test_start(SimpleNamespace(is_global_zero=True), module)
    else:
        file.on_test_start(SimpleNamespace(is_global_zero=True), module)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("loss", "weight", "error", "expected"),
    [
        (1.0, 1.0, ValueError("a mistake"), False),
        (1.0, 1.0, LatentsTooFar("far"), True),
        (1e9, 1.0, ValueError("a size"), True),
        (float("nan"), 1.0, OverflowError("infinity"), True),
        (1.0, float("inf"), ValueError("NaN"), True),
    ],
)
def test_only_what_ran_away_is_a_divergence(tmp_path, loss, weight, error, expected):
    saver, module = TrainingCheckpoints(str(tmp_path)), torch.nn.Linear(1, 1)
    assert not saver.diverged(module, error)  # before the first step nothing can have run away
    saver._loss = torch.tensor(loss)
    with torch.no_grad():
        module.weight.fill_(weight)
    assert saver.diverged(module, error) == expected


def test_images_to_test_on_are_read_before_training(tmp_path):
    for folder in ("train", "test"):
        (tmp_path / folder).mkdir()
        for number in range(2):
            image = Image.new("RGB", (64, 64), (number, 0, len(folder)))
            image.save(tmp_path / folder / f"{number}.png")
    files = {folder: sorted((tmp_path / folder).iterdir()) for folder in ("train", "test")}
    ImageDataModule(files["train"], files["test"], crop_size=64)
    files["test"][1].write_bytes(files["test"][1].read_bytes()[:50])
    with pytest.raises(DataError, match=r"1\.png"):
        ImageDataModule(files["train"], files["test"], crop_size=64)
