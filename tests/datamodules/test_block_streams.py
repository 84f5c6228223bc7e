"""Blocks, batches, splits, loader and ranks: who gets which symbols."""

import itertools
import math
import time

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from datamodules import BlockDataModule, Gaussian, Laplace
from datamodules.evaluation import EvaluationStream
from datamodules.ranks import rank_and_world
from datamodules.seeding import Split, batch_seed
from datamodules.training import TrainingStream


def take(stream, count):
    return torch.stack(list(itertools.islice(stream, count)))


def as_rank(monkeypatch, rank, world):
    monkeypatch.setenv("RANK", str(rank))
    monkeypatch.setenv("WORLD_SIZE", str(world))


def rows_of(batches):
    return [tuple(row) for batch in batches for row in batch.tolist()]


def test_training_batches_have_their_shape(source):
    data = BlockDataModule(source, n=3, batch_size=5, eval_symbols=30)
    batches = take(data.train_dataloader(), 4)
    assert batches.shape == (4, 5, 3 * source.dim) and batches.dtype == torch.float32
    assert len(batches.reshape(20, -1).unique(dim=0)) == 20


def test_a_block_is_symbol_after_symbol(source):
    batch = next(iter(TrainingStream(source, n=4, batch_size=6, seed=9)))
    generator = torch.Generator().manual_seed(batch_seed(9, Split.TRAIN, 0))
    symbols = source.sample(24, generator)
    for block, place in itertools.product(range(6), range(4)):
        part = batch[block, place * source.dim : (place + 1) * source.dim]
        assert torch.equal(part, symbols[block * 4 + place])


def test_same_seed_same_data_other_seed_other_data(source):
    one, same, other = (take(BlockDataModule(source, 2, 10, 20, seed).train_dataloader(), 3) for seed in (1, 1, 2))
    assert torch.equal(one, same) and not torch.equal(one[0], other[0])


def test_the_splits_are_different_data():
    data = BlockDataModule(Gaussian(), n=2, batch_size=50, eval_symbols=100, val_symbols=100)
    (validation,) = data.val_dataloader()
    streams = (data.train_dataloader(), validation, data.test_dataloader())
    values = [set(next(iter(stream)).flatten().tolist()) for stream in streams]
    assert all(len(one & other) <= 1 for one, other in itertools.combinations(values, 2))


def test_evaluation_is_the_same_each_time():
    data = BlockDataModule(Laplace(), n=4, batch_size=16, eval_symbols=1000, val_symbols=100)
    for stream in (data.test_dataloader(), data.val_dataloader()[0]):
        assert rows_of(stream) == rows_of(stream)


def test_no_validation_unless_asked_for():
    assert list(BlockDataModule(Gaussian(), eval_symbols=10).val_dataloader()) == []


@given(n=st.integers(1, 9), batch_size=st.integers(1, 40), symbols=st.integers(1, 500), world=st.integers(1, 5))
def test_processes_together_evaluate_all_blocks_once(n, batch_size, symbols, world):
    rows = torch.arange(symbols + n - 1, dtype=torch.float32)[:, None]  # ceil(symbols / n) whole blocks
    finite = EvaluationStream(Gaussian(), n, batch_size, 0, Split.TEST, rows=rows)
    drawn = EvaluationStream(Gaussian(), n, batch_size, 0, Split.TEST, symbols=symbols)
    blocks = math.ceil(symbols / n)
    assert finite.blocks == drawn.blocks == blocks
    total = finite.batches(world)
    batches = [finite.batch(index, world) for index in range(total)]
    assert torch.equal(torch.cat(batches).flatten(), rows[: blocks * n, 0])
    sizes = [len(drawn.batch(index, world)) for index in range(total)]
    assert sizes == [len(batch) for batch in batches] and sum(sizes) == blocks
    assert min(sizes) >= 1 and max(sizes) <= min(batch_size, min(sizes) + 1)
    lengths = [finite.length(rank, world) for rank in range(world)]
    assert sum(lengths) == total and (len(set(lengths)) == 1 or total == blocks)


def test_an_incomplete_last_block_is_dropped(made_up_physics):
    rows = torch.cat(list(BlockDataModule(made_up_physics, n=7, batch_size=50).test_dataloader()))
    assert rows.shape == (2000 // 7, 7 * 16)
    assert torch.equal(rows.reshape(-1, 16), made_up_physics.test_set()[: 2000 // 7 * 7])


def test_a_finite_source_trains_and_validates_on_training_rows(made_up_physics):
    data = BlockDataModule(made_up_physics, n=2, batch_size=500, val_symbols=4000)
    for batches in (take(data.train_dataloader(), 20), torch.cat(list(data.val_dataloader()[0]))):
        assert batches.max() < 8000


def test_ranks_of_the_environment_have_different_batches(monkeypatch):
    data = BlockDataModule(Gaussian(), n=2, batch_size=10, eval_symbols=200)
    train, test = [], []
    alone = take(data.train_dataloader(), 6)
    for rank in range(3):  # one data module: the rank is read when an iteration starts
        as_rank(monkeypatch, rank, 3)
        train.append(take(data.train_dataloader(), 2))
        test += rows_of(data.test_dataloader())
    assert torch.equal(torch.stack(train, dim=1).reshape(alone.shape), alone)
    assert len(test) == len(set(test)) == 100


def test_a_rank_beyond_the_world_is_refused(monkeypatch):
    as_rank(monkeypatch, 2, 2)
    with pytest.raises(ValueError, match="RANK=2 and WORLD_SIZE=2"):
        rank_and_world()


def test_an_epoch_has_its_length_and_an_endless_stream_has_none():
    assert len(TrainingStream(Gaussian(), 1, 1, 0, steps=5)) == 5
    with pytest.raises(TypeError, match="endless"):
        len(TrainingStream(Gaussian(), 1, 1, 0))


@pytest.mark.parametrize(
    "wrong",
    [
        {"n": 0},
        {"batch_size": 0},
        {"eval_symbols": 0},
        {"seed": -1},
        {"steps_per_epoch": 0},
        {"val_symbols": -1},
        {"eval_batch_size": 0},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_numbers_out_of_range_are_refused_at_once(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong)).removeprefix("eval_").split("_")[0]):
        BlockDataModule(Gaussian(), **wrong)


def test_a_test_set_smaller_than_a_block_is_refused(made_up_physics):
    with pytest.raises(ValueError, match=r"physics.*n=2001"):
        BlockDataModule(made_up_physics, n=2001)


def test_a_batch_is_cheap():
    batches = iter(BlockDataModule(Gaussian(), n=8, batch_size=1000).train_dataloader())

    def seconds():
        start = time.perf_counter()
        next(batches)
        return time.perf_counter() - start

    assert min(seconds() for _ in range(200)) < 0.2e-3  # 0.04 ms on an idle core; the best of many ignores load
