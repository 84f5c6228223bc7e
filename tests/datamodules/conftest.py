"""What the tests of `datamodules` share: the folder of real data, and one example of every source."""

import itertools
import os
import wave
from pathlib import Path

import numpy as np
import pytest
import torch

import datamodules
from datamodules import Array, Patches, Physics, Source, Speech
from ltc.pixels import write_image

torch.set_num_threads(1)

MISSING = "no physics/ppzee-split=test.npy under LTC_DATA_DIR or ../shared/data: see datamodules/physics.py"


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real data; the test is skipped where it is missing."""
    beside = Path(datamodules.__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("LTC_DATA_DIR", beside))
    if not (folder / "physics" / "ppzee-split=test.npy").is_file():
        pytest.skip(MISSING)
    return folder


@pytest.fixture(scope="session")
def made_up_physics(tmp_path_factory) -> Physics:
    """A Physics source whose row i is i, i + 0.01, ...: one can see which rows come out."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "physics").mkdir()
    rows = np.arange(10_000)[:, None] + np.arange(16) / 100
    np.save(folder / "physics" / "ppzee-split=test.npy", rows)
    return Physics(folder)


@pytest.fixture(scope="session")
def made_up_speech(tmp_path_factory) -> Speech:
    """A Speech source of noise, 500 recordings of 100 samples."""
    folder, rng = tmp_path_factory.mktemp("data") / "fsdd", np.random.default_rng(0)
    folder.mkdir()
    for digit, index in itertools.product(range(10), range(50)):
        with wave.open(str(folder / f"{digit}_theo_{index}.wav"), "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", ""))
            file.writeframes(rng.integers(-32768, 32768, 100).astype("<i2").tobytes())
    return Speech(folder.parent)


@pytest.fixture(scope="session")
def made_up_array(tmp_path_factory) -> Array:
    """An Array source of noise."""
    path = tmp_path_factory.mktemp("data") / "vectors.npy"
    np.save(path, np.random.default_rng(0).normal(size=(10_000, 3)))
    return Array(path)


@pytest.fixture(scope="session")
def made_up_patches(tmp_path_factory) -> Patches:
    """A Patches source of noise."""
    folder, generator = tmp_path_factory.mktemp("data"), torch.Generator().manual_seed(0)
    for name in ("train", "test"):
        (folder / name).mkdir()
        write_image(folder / name / "0.png", torch.randint(256, (3, 100, 90), generator=generator, dtype=torch.uint8))
    return Patches(folder / "train", folder / "test", size=4)


@pytest.fixture(params=[cls.__name__ for cls in Source.__subclasses__()])
def source(request, made_up_array, made_up_patches, made_up_physics, made_up_speech) -> Source:
    """An example of every source there is: built without arguments where that is possible."""
    examples = {
        "Array": lambda: made_up_array,
        "Patches": lambda: made_up_patches,
        "Physics": lambda: made_up_physics,
        "Speech": lambda: made_up_speech,
        "CorrelatedGaussian": lambda: datamodules.CorrelatedGaussian([[2.0, 0.6], [0.6, 0.5]]),
        "Sawbridge": lambda: datamodules.Sawbridge(points=64),
    }
    return examples.get(request.param, lambda: getattr(datamodules, request.param)())()
