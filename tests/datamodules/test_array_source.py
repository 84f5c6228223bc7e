"""One's own vectors: a split that is disjoint, complete, the same for a seed; draws that follow the generator alone."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from datamodules import Array, BlockDataModule, DataError
from datamodules.random_order import RandomOrder
from ltc.vectors import ArrayVectors


@given(st.integers(1, 3000), st.integers(0, 2**32))
def test_an_order_is_a_permutation(count, seed):
    order = RandomOrder(count, seed)
    found = order(np.arange(count))
    assert np.array_equal(np.sort(found), np.arange(count))
    some = np.random.default_rng(count).integers(0, count, 10)
    assert np.array_equal(RandomOrder(count, seed)(some), found[some])


def test_an_order_is_random():
    count = 100_000
    found = RandomOrder(count, 3)(np.arange(count))
    # The mean of the first tenth, steps between neighbours, and parity are those of a shuffled list.
    assert abs(found[: count // 10].mean() / count - 0.5) < 5 / np.sqrt(12 * count / 10)
    assert abs(np.abs(np.diff(found)).mean() / count - 1 / 3) < 0.01
    assert abs((found[1:] % 2 == found[:-1] % 2).mean() - 0.5) < 0.01
    assert (RandomOrder(count, 4)(np.arange(count)) == found).sum() < 20


def test_an_order_of_more_rows_than_memory_holds():
    count = 10**13
    found = RandomOrder(count, 0)(np.arange(count - 1000, count))
    assert len(np.unique(found)) == 1000 and found.min() >= 0 and found.max() < count


@pytest.fixture
def numbered(tmp_path):
    """``numbered(rows)``: a file whose row i is (i, -i)."""

    def make(rows, name="x", dtype=np.float32):
        path = tmp_path / f"{name}.npy"
        np.save(path, (np.arange(rows)[:, None] * [1, -1]).astype(dtype))
        return path

    return make


def rows_of(x):
    assert torch.equal(x[:, 1], -x[:, 0])
    return x[:, 0].long().tolist()


def drawn(source, count=20_000, seed=0):
    return rows_of(source.sample(count, torch.Generator().manual_seed(seed)))


@pytest.mark.parametrize("share", [0.1, 0.3, 0.77])
def test_the_split_is_disjoint_and_complete(numbered, rng, share):
    rows = int(rng.integers(50, 400))
    source = Array(numbered(rows), test_share=share, seed=int(rng.integers(1000)))
    test, train = rows_of(source.test_set()), set(drawn(source))
    assert len(test) == len(set(test)) == round(share * rows)
    assert not train & set(test) and train | set(test) == set(range(rows))


def test_the_split_belongs_to_its_seed(numbered):
    path = numbered(500)
    one, same, other = (set(rows_of(Array(path, seed=seed).test_set())) for seed in (1, 1, 2))
    assert one == same and len(one & other) < 25


def test_what_is_held_out_does_not_depend_on_what_is_tested(numbered):
    path = numbered(500)
    few, all_ = Array(path, test_rows=7), Array(path)
    assert rows_of(few.test_set()) == rows_of(all_.test_set())[:7]
    assert drawn(few, 100) == drawn(all_, 100) and not set(drawn(few)) & set(rows_of(all_.test_set()))


def test_a_second_file_is_the_test(numbered, tmp_path):
    source = Array(numbered(60), test=numbered(30, "y"))
    assert sorted(rows_of(source.test_set())) == list(range(30)) and set(drawn(source)) == set(range(60))
    assert len(Array(numbered(60), test=numbered(30, "y"), test_rows=4).test_set()) == 4
    with pytest.raises(DataError, match="is what is trained on"):
        Array(tmp_path / "x.npy", test=tmp_path / "." / "x.npy")
    np.save(tmp_path / "z.npy", np.zeros((9, 3)))
    with pytest.raises(DataError, match=r"z\.npy holds vectors of dimension 3, and .*x\.npy of dimension 2"):
        Array(tmp_path / "x.npy", test=tmp_path / "z.npy")
    with pytest.raises(DataError, match=r"nowhere\.npy does not exist"):
        Array(tmp_path / "x.npy", test=tmp_path / "nowhere.npy")


def test_draws_are_those_of_an_array_in_memory(numbered, monkeypatch):
    monkeypatch.setattr("ltc.vectors.npy._IN_MEMORY", 0)
    path = numbered(300, dtype=np.int64)
    read, held = Array(path), Array(path)
    held._vectors = ArrayVectors(np.load(path).astype(np.float32), "x")
    for seed in range(3):
        assert drawn(read, 1000, seed) == drawn(held, 1000, seed)


def test_training_and_calibration_see_nothing_of_the_test(numbered):
    data = BlockDataModule(Array(numbered(200)), n=4, batch_size=50)
    test = {row for batch in data.test_dataloader() for row in rows_of(batch.reshape(-1, 2))}
    stream = iter(data.train_dataloader())
    seen = [next(stream) for _ in range(10)] + [data.calibration_batch(i) for i in range(10)]
    assert len(test) == 20 and not test & set(rows_of(torch.cat(seen).reshape(-1, 2)))


@pytest.mark.parametrize(
    ("rows", "more", "error", "words"),
    [
        (1, {}, DataError, "holds 1 vectors, too few"),
        (2, {"test_share": 0.9}, DataError, "holds 2 vectors, too few"),
        (9, {"test_share": 1.0}, ValueError, "test_share must lie between 0 and 1"),
        (9, {"test_share": 0}, ValueError, "test_share must lie between 0 and 1"),
        (9, {"test_rows": 0}, ValueError, "test_rows must be at least 1"),
        (9, {"measure": "huber"}, ValueError, "array: measure must be one of mse, l1"),
        (9, {"seed": -1}, ValueError, "seed"),
    ],
)
def test_numbers_out_of_their_range(numbered, rows, more, error, words):
    with pytest.raises(error, match=words):
        Array(numbered(rows), **more)


def test_files_that_cannot_be_read_are_data_errors(tmp_path):
    with pytest.raises(DataError, match="does not exist"):
        Array(tmp_path / "nowhere.npy")
    np.save(tmp_path / "x.npy", np.full((9, 2), np.nan))
    with pytest.raises(DataError, match="NaN"):
        Array(tmp_path / "x.npy")
