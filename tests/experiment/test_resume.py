"""What a job's folder knows of it, and trainings that go on from checkpoints as if nothing had happened."""

import json
import resource

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf

from callbacks.checkpoints import TrainingCheckpoints, WholeCheckpoints
from datamodules import BlockDataModule, Gaussian
from experiment.identity import fingerprint, identity
from experiment.kept_metrics import keep_metrics
from experiment.record import JobRecord
from ltc.training.clock import TrainingClock

values = st.one_of(st.integers(-9, 9), st.floats(-1, 1), st.booleans(), st.text("ab/", max_size=3), st.none())
trees = st.dictionaries(st.sampled_from("pqrs"), st.one_of(values, st.dictionaries(st.sampled_from("tu"), values)))


@given(trees, st.sampled_from(["out/0", "/sweeps/a/1"]))
def test_fingerprint_knows_what_matters(tree, folder):
    def mark(config, folder):
        return fingerprint(identity(config, folder))

    made = {"seed": 1, "module": tree, "callbacks": {"x": {"folder": f"{folder}/x"}}}
    config = OmegaConf.create({**made, "threads": 1, "data_dir": "/d", "logger": {"csv": folder}})
    other = {"logger": {}, "resume": False, "threads": 2, "callbacks": {"x": {"folder": "elsewhere/x"}}}
    other |= {"module": tree, "seed": 1}
    # Neither order, nor folder, nor how figures are shown, nor what nobody reads.
    assert mark(OmegaConf.create(other), "elsewhere") == mark(config, folder)
    assert mark(OmegaConf.merge(config, {"seed": 2}), folder) != mark(config, folder)
    assert mark(OmegaConf.merge(config, {"module": {"new": None}}), folder) != mark(config, folder)


def test_paths_are_the_places_that_they_lead_to(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "data")

    def mark(folder):
        config = {"data_dir": folder, "data": {"source": {"data_dir": "${data_dir}"}}}
        return fingerprint(identity(OmegaConf.create(config), "out"))

    places = [tmp_path / "data", f"{tmp_path}/data/", tmp_path / "link", tmp_path / "x" / ".." / "data"]
    assert len({mark(str(place)) for place in places}) == 1
    assert mark(str(tmp_path / "other")) != mark(str(tmp_path / "data"))


def test_record_of_a_job(tmp_path):
    record = JobRecord(tmp_path, "a")
    assert record.state is None
    record.begin()
    assert JobRecord(tmp_path, "a").state == "running" and JobRecord(tmp_path, "b").state is None
    record.fail("no")
    assert json.loads((tmp_path / "error.json").read_text()) == {"error": "no"}
    again = JobRecord(tmp_path, "a")
    assert again.state == "failed"
    again.begin()
    assert not (tmp_path / "error.json").exists()
    (tmp_path / "rd_point.json").write_text("{}")
    again.finish(1.25)
    assert (JobRecord(tmp_path, "a").state, JobRecord(tmp_path, "a").objective) == ("finished", 1.25)
    assert JobRecord(tmp_path, "a", resumes=False).state is None
    # Another job may not touch it, whatever becomes of it, until it is moved aside; a record is no result.
    other = JobRecord(tmp_path, "b")
    assert other.occupied == "result"
    other.fail("no")
    assert JobRecord(tmp_path, "a").state == "finished" and not (tmp_path / "error.json").exists()
    kept = other.make_room()
    other.begin()
    assert JobRecord(kept, "a").state == "finished" and not (tmp_path / "rd_point.json").exists()
    (tmp_path / "job.json").write_text('{"fingerprint": "a", "state": "finished", "objective": 1.25}')
    assert JobRecord(tmp_path, "a").state is None


class Noisy(pl.LightningModule):
    """A model whose training needs every generator, a schedule and Adam's memory; ``hazard`` sees each step."""

    def __init__(self, hazard=lambda step, rate: 0.0):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(3))
        self.hazard, self.clock = hazard, TrainingClock()

    def training_step(self, batch, _):
        noise = torch.randn(3) + float(np.random.normal())  # noqa: NPY002
        rate = self.optimizers().param_groups[0]["lr"]
        loss = ((batch.mean() + noise) * self.weight).square().mean() + self.hazard(self.global_step, rate)
        self.log("loss", loss)
        return loss

    def configure_optimizers(self):
        optimizer = torch.optim.Adam(self.parameters(), lr=0.1)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=40)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


class Killed(Exception):
    pass


def train(folder, record, hazard=lambda step, rate: 0.0, seconds=1e9):
    """Trains 40 steps from whatever checkpoint there is; returns the weights, where it began, and the rows logged."""
    pl.seed_everything(3, verbose=False)
    saver = TrainingCheckpoints(str(folder / "checkpoints"), milestones=4, seconds=seconds)
    logger = pl.loggers.CSVLogger(folder, name=None, version="metrics")
    start = saver.start_from(record)
    if start is not None:
        keep_metrics([logger], start.step)
    trainer = pl.Trainer(
        **{"max_steps": 40, "accelerator": "cpu", "logger": logger, "log_every_n_steps": 5},
        **{"callbacks": [saver], "plugins": [WholeCheckpoints()], "enable_progress_bar": False},
        **{"enable_model_summary": False, "enable_checkpointing": False, "default_root_dir": folder},
    )
    module = Noisy(hazard)
    data = BlockDataModule(Gaussian(), 2, 10, eval_symbols=10)
    trainer.fit(module, datamodule=data, ckpt_path=start and start.path, weights_only=False)
    rows = (folder / "metrics" / "metrics.csv").read_text()
    return module.weight.detach().clone(), start and start.step, rows


@pytest.mark.parametrize(("end", "seconds", "expected"), [(5, 1e9, None), (25, 1e9, 19), (39, 1e9, 39), (25, 0, 25)])
@pytest.mark.filterwarnings("ignore")
def test_a_killed_training_ends_as_the_undisturbed_one(tmp_path, end, seconds, expected):
    whole, start, rows = train(tmp_path / "whole", JobRecord(tmp_path / "whole", "a"))
    assert start is None

    def kill(step, rate):
        if step == end:
            raise Killed
        return 0.0

    folder = tmp_path / "killed"
    with pytest.raises(Killed):
        train(folder, JobRecord(folder, "a"), kill, seconds)
    weights, start, again = train(folder, JobRecord(folder, "a"))
    assert start == expected
    assert torch.equal(weights, whole) and again == rows
    # A checkpoint of another configuration, or one that cannot be read, is none.
    assert train(folder, JobRecord(folder, "b"))[1] is None
    (folder / "checkpoints").mkdir(exist_ok=True)
    for name in ("milestone.ckpt", "newest.ckpt"):
        (folder / "checkpoints" / name).write_bytes(b"PK half")
    assert train(folder, JobRecord(folder, "c"))[1] is None


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e6])
@pytest.mark.filterwarnings("ignore")
def test_a_diverging_training_goes_back_and_takes_smaller_steps(tmp_path, value):
    rates = {}

    def hazard(step, rate):
        rates[step] = rate
        return value if step >= 32 and rate > 0.005 else 0.0

    with pytest.raises(FloatingPointError, match="diverged"):
        train(tmp_path, JobRecord(tmp_path, "a"), hazard)
    first = dict(rates)
    record = JobRecord(tmp_path, "a")
    record.retry("because")
    _, start, _ = train(tmp_path, JobRecord(tmp_path, "a"), hazard)
    assert start == 19  # the milestone before the last one, of steps 9, 19, 29, 39
    assert rates[25] == pytest.approx(first[25] / 10) and rates[39] < rates[25]
    assert not list((tmp_path / "checkpoints").glob(".part-*"))
    record.forget()
    record.checkpoints = list((tmp_path / "checkpoints").glob("*.ckpt"))


def test_a_folder_with_other_runs_is_not_moved_aside(tmp_path):
    (tmp_path / "out" / "0").mkdir(parents=True)
    (tmp_path / "out" / "rd_point.json").write_text("{}")
    (tmp_path / "out" / "0" / "job.json").write_text("{}")
    record = JobRecord(tmp_path / "out", "another")
    assert record.occupied == "result"
    with pytest.raises(ValueError, match="holds other runs"):
        record.make_room()
    (tmp_path / "out" / "0" / "job.json").unlink()
    assert (record.make_room() / "rd_point.json").exists() and not list((tmp_path / "out").iterdir())


def test_a_full_disk_is_one_sentence_and_leaves_the_checkpoint_before(tmp_path):
    """A limit on the size of files is what a full disk is to a writer."""
    path, writer = tmp_path / "newest.ckpt", WholeCheckpoints()
    writer.save_checkpoint({"step": torch.tensor(1)}, path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(OSError, match=r"newest\.ckpt cannot be written; \d+ MB are free there.*goes on when"):
            writer.save_checkpoint({"weights": torch.zeros(1_000_000)}, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert int(torch.load(path)["step"]) == 1 and list(tmp_path.iterdir()) == [path]
