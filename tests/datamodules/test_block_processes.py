"""Streams in real processes: ranks of a process group, and workers of a DataLoader.

Lightning is not imported here, since each spawned process would have to import it again, which takes seconds.
"""

import itertools

import pytest
import torch
import torch.distributed as dist
from torch.utils.data import DataLoader

from datamodules import Gaussian
from datamodules.evaluation import EvaluationStream
from datamodules.seeding import Split
from datamodules.training import TrainingStream


@pytest.mark.parametrize("context", ["fork", "spawn"])
def test_loader_workers_change_nothing(context):
    stream = TrainingStream(Gaussian(), n=2, batch_size=3, seed=0, steps=7, position=lambda: 5)
    plain = list(stream)
    loaded = list(DataLoader(stream, batch_size=None, num_workers=2, multiprocessing_context=context))
    assert len(loaded) == 7 and torch.equal(torch.stack(loaded), torch.stack(plain))


def process(rank, world, folder, source):
    """One of two real processes: what it trains and tests on goes to a file."""
    dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=world)
    train = TrainingStream(Gaussian(), 2, 10, seed=0)
    drawn = EvaluationStream(Gaussian(), 2, 10, 0, Split.TEST, symbols=210)
    finite = EvaluationStream(source, 3, 100, 0, Split.TEST, rows=source.test_set())
    parts = {
        "train": torch.stack(list(itertools.islice(train, 4))),
        "drawn": torch.cat(list(drawn)),
        "finite": torch.cat(list(finite)),
        "batches": torch.tensor([len(drawn), len(finite)]),
    }
    torch.save(parts, f"{folder}/{rank}.pt")
    dist.destroy_process_group()


def test_two_processes_share_all_data_and_none(tmp_path, made_up_physics):
    torch.multiprocessing.spawn(process, (2, str(tmp_path), made_up_physics), nprocs=2)
    zero, one = (torch.load(tmp_path / f"{rank}.pt") for rank in range(2))
    assert torch.equal(zero["batches"], one["batches"])  # a process with fewer would keep the other waiting
    for part in ("train", "drawn", "finite"):
        both = torch.cat([zero[part].flatten(0, -2), one[part].flatten(0, -2)])
        assert len(both.unique(dim=0)) == len(both)
    assert len(zero["drawn"]) + len(one["drawn"]) == 105
    tested = torch.cat([zero["finite"], one["finite"]]).reshape(-1, 16)[:, 0].sort().values
    assert torch.equal(tested, made_up_physics.test_set()[: 2000 // 3 * 3, 0])
