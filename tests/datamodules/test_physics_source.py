"""The Physics source: its split, its real file, and the errors for a file that is not what it should be."""

import numpy as np
import pytest
import torch

from datamodules import DataError, Physics

FILE = "ppzee-split=test.npy"


@pytest.fixture
def write(tmp_path):
    """Writes a file where Physics looks for one, and returns the folder."""

    def writer(content):
        (tmp_path / "physics").mkdir()
        if isinstance(content, bytes):
            (tmp_path / "physics" / FILE).write_bytes(content)
        else:
            np.save(tmp_path / "physics" / FILE, content, allow_pickle=True)
        return tmp_path

    return writer


def test_training_draws_the_first_rows_and_only_these(made_up_physics):
    rows = made_up_physics.sample(200_000, torch.Generator().manual_seed(0))[:, 0]
    assert torch.equal(rows, rows.round()) and len(rows.unique()) == 7000 and rows.max() == 6999


def test_validation_has_the_rows_between(made_up_physics):
    assert torch.equal(made_up_physics.validation_set()[:, 0], torch.arange(7000.0, 8000.0))


def test_the_test_set_is_the_last_rows_in_order(made_up_physics):
    test = made_up_physics.test_set()
    assert test.dtype == torch.float32 and torch.equal(test[:, 0], torch.arange(8000.0, 10_000.0))


def test_the_bound_is_unknown(made_up_physics):
    assert made_up_physics.rate_distortion() is None


def test_the_real_file(data_dir):
    source = Physics(data_dir)
    train, test = source.sample(20_000, torch.Generator().manual_seed(0)), source.test_set()
    assert test.shape == (2000, 16) and train.isfinite().all()
    seen = {row.tobytes() for row in train.numpy()}
    assert not any(row.tobytes() in seen for row in test.numpy())
    assert train.std(0).min() > 0.02 and train.std(0).max() < 0.1  # as in the file: not standardized


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=f"{FILE} does not exist; .*10000, 16.*https://") as caught:
        Physics(tmp_path)
    assert str(tmp_path) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no readable .npy file"),
        (b"PK not an archive", "no readable .npy file"),
        (np.array([{}], dtype=object), "no readable .npy file"),
        (np.zeros((10_000, 15)), r"holds float64 \[10000, 15\]"),
        (np.zeros((100, 16)), r"holds float64 \[100, 16\]"),
        (np.zeros((10_000, 16), dtype=np.int64), "holds int64"),
        (np.where(np.arange(160_000).reshape(-1, 16) == 5, np.nan, 0.0), "holds 1 NaN or infinite"),
        (np.full((10_000, 16), np.inf), "holds 160000 NaN or infinite"),
    ],
    ids=["empty", "garbage", "pickle", "columns", "rows", "integers", "nan", "inf"],
)
def test_a_wrong_file_is_one_clear_sentence(write, content, message):
    folder = write(content)
    with pytest.raises(DataError, match=message) as caught:
        Physics(folder)
    text = str(caught.value)
    assert FILE in text and "float array [10000, 16] of finite numbers" in text and text.endswith(".")


def test_a_data_error_is_a_value_error():
    assert issubclass(DataError, ValueError)
