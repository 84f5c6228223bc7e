"""`BlockDataModule` under Lightning's Trainer: epochs, warnings, and resuming from a checkpoint."""

import warnings

import pytest
import pytorch_lightning as pl
import torch

from datamodules import BlockDataModule, Gaussian


class Recorder(pl.LightningModule):
    """A model of one number that remembers the first sample of each batch."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(()))
        self.trained, self.validated, self.tested = [], [], 0

    def training_step(self, batch, _):
        self.trained.append(batch[0, 0].item())
        return (batch - self.weight).square().mean()

    def validation_step(self, batch, _):
        self.validated.append(batch[0, 0].item())

    def test_step(self, batch, _):
        self.tested += batch.numel()

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


def run(folder, max_steps, steps_per_epoch=None, checkpoint=None, **arguments):
    """Trains and tests; returns the model. A checkpoint is left after steps 4, 8, ..."""
    model = Recorder()
    data = BlockDataModule(Gaussian(), 2, 10, eval_symbols=100, steps_per_epoch=steps_per_epoch, **arguments)
    saver = pl.callbacks.ModelCheckpoint(folder, "{step}", every_n_train_steps=4, save_top_k=-1)
    trainer = pl.Trainer(
        max_steps=max_steps,
        accelerator="cpu",
        logger=False,
        callbacks=[saver],
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(model, datamodule=data, ckpt_path=checkpoint)
    trainer.test(model, datamodule=data, verbose=False)
    return model


@pytest.mark.parametrize("steps_per_epoch", [None, 3, 10])
def test_a_resumed_run_has_the_batches_it_would_have_had(tmp_path, steps_per_epoch):
    whole = run(tmp_path / "whole", 10, steps_per_epoch)
    resumed = run(tmp_path / "resumed", 10, steps_per_epoch, tmp_path / "whole" / "step=4.ckpt")
    assert len(set(whole.trained)) == 10  # no epoch repeats another
    assert resumed.trained == whole.trained[4:]


def test_a_longer_run_goes_on_where_the_last_one_ended(tmp_path):
    whole = run(tmp_path / "whole", 12, steps_per_epoch=4)
    first = run(tmp_path / "first", 8, steps_per_epoch=4)
    second = run(tmp_path / "second", 12, 4, tmp_path / "first" / "step=8.ckpt")
    assert first.trained + second.trained == whole.trained


def test_resuming_with_another_number_of_processes_repeats_nothing(monkeypatch):
    data = BlockDataModule(Gaussian(), 2, 10, eval_symbols=10)
    batches = [batch for batch, _ in zip(data.train_dataloader(), range(12), strict=False)]
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    data.load_state_dict({"step": 7, "batch": 7})  # seven steps of one process
    going_on = iter(data.train_dataloader())
    assert torch.equal(next(going_on), batches[7]) and torch.equal(next(going_on), batches[9])
    assert data.state_dict() == {"step": 7, "batch": 7}


def test_validation_and_test_see_what_was_asked_for(tmp_path):
    model = run(tmp_path, 6, steps_per_epoch=2, val_symbols=40)
    assert model.tested == 100
    assert len(model.validated) == 2 + 3 * 2  # the sanity check, then after each of three epochs
    assert len(set(model.validated)) == 2  # the same two batches each time


@pytest.mark.parametrize("val_symbols", [0, 40])
@pytest.mark.parametrize("steps_per_epoch", [None, 3])
def test_lightning_has_nothing_to_say_about_the_loaders(tmp_path, val_symbols, steps_per_epoch):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run(tmp_path, 4, steps_per_epoch, val_symbols=val_symbols)
    texts = [str(warning.message) for warning in caught]
    words = ("dataloader", "DataLoader", "workers", "Sampler", "__len__", "Total length", "resum")
    assert not [text for text in texts if any(word in text for word in words)]
