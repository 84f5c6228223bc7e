"""Lightning's insides are what we take them for: these fail when an update changes them."""

import signal

import pytest
import pytorch_lightning as pl
import torch

from datamodules import BlockDataModule, Gaussian
from experiment import interruption
from experiment.lightning_private import _EVERY_STEP, keep_own_signals, without_idle_hooks


class _Fit(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.gain = torch.nn.Parameter(torch.ones(()))

    def training_step(self, batch, index):
        return (self.gain * batch).square().mean()

    def validation_step(self, batch, index):
        pass

    def test_step(self, batch, index):
        pass

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 0.1)


class _Counter(pl.Callback):
    steps = 0

    def on_train_batch_end(self, *_):
        self.steps += 1


@pytest.fixture
def trainer(tmp_path):
    """``trainer(callbacks)``: of four steps on the CPU."""
    options = {"max_steps": 4, "accelerator": "cpu", "logger": False, "enable_checkpointing": False}
    options |= {"enable_progress_bar": False, "enable_model_summary": False, "default_root_dir": tmp_path}
    return lambda callbacks: pl.Trainer(**options, callbacks=callbacks)


def test_a_trainer_takes_callbacks_without_hooks(trainer):
    """All of them are hooks of Lightning's, and it calls those that do something."""
    assert all(callable(getattr(pl.Callback, hook)) for hook in _EVERY_STEP)
    counter, idle = without_idle_hooks([_Counter(), pl.Callback()])
    fit = trainer([counter, idle])
    data = BlockDataModule(Gaussian(), n=2, batch_size=10, eval_symbols=100)
    fit.fit(_Fit(), datamodule=data)
    fit.test(_Fit(), datamodule=data, verbose=False)
    assert counter.steps == 4 and idle.on_after_backward is None


def test_our_handlers_of_signals_outlast_a_trainers(trainer, monkeypatch):
    def ours(*_):
        pass

    ours.__module__ = interruption.__name__
    before, seen = signal.signal(signal.SIGTERM, ours), []

    class Look(pl.Callback):
        def on_train_start(self, *_):
            seen.append(signal.getsignal(signal.SIGTERM))

    try:
        fit = trainer([Look()])
        keep_own_signals(fit)
        fit.fit(_Fit(), datamodule=BlockDataModule(Gaussian(), n=2, batch_size=10, eval_symbols=100))
    finally:
        signal.signal(signal.SIGTERM, before)
    assert seen == [ours]
