"""A job's parts, made before anything is touched, and what they do: training, calibration, evaluation."""

from __future__ import annotations

import logging
import math
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import pytorch_lightning as pl
import torch
from hydra.utils import instantiate
from omegaconf import DictConfig

from callbacks.checkpoints import TrainingCheckpoints
from callbacks.rd_point import RDPoint
from experiment.interruption import end_processes, on_interruption
from experiment.kept_metrics import keep_metrics
from experiment.lightning_private import keep_own_signals, without_idle_hooks
from experiment.processes import relaunchable
from experiment.record import JobRecord
from ltc.training.start import start_from

__all__ = ["Parts", "prepare", "train_and_evaluate"]


class Parts(NamedTuple):
    """What a job is made of."""

    data: Any
    module: Any
    callbacks: list[pl.Callback]
    trainer: pl.Trainer


def prepare(cfg: DictConfig) -> Parts:
    """Makes and checks everything that can be made without touching the job's folder.

    Args:
        cfg: the job's configuration.

    Raises:
        ValueError: and others: what is wrong with the configuration or the data.
    """
    if cfg.check is not None:
        instantiate(cfg.check)
    _quiet()
    torch.set_num_threads(cfg.threads)
    pl.seed_everything(cfg.seed, verbose=False)
    data = instantiate(cfg.data)
    module: pl.LightningModule = instantiate(cfg.module)
    if cfg.get("start") is not None:
        start_from(module, Path(cfg.start.folder) / "checkpoints" / "last.ckpt", cfg.start["lambda"])
    callbacks = without_idle_hooks(instantiate(cfg.callbacks).values())
    trainer: pl.Trainer = instantiate(cfg.trainer, logger=False, callbacks=callbacks)
    keep_own_signals(trainer)
    return Parts(data, module, callbacks, trainer)


def train_and_evaluate(cfg: DictConfig, record: JobRecord, parts: Parts | None = None) -> float:
    """Trains a coder, evaluates it on data it never saw, and returns rate + lambda * distortion.

    Args:
        cfg: the job's configuration.
        record: what its folder knows of it.
        parts: what the job is made of; None makes them anew.

    Raises:
        FloatingPointError: if training diverges.
    """
    data, module, callbacks, trainer = parts or prepare(cfg)
    trainer.loggers = loggers = list(instantiate(cfg.logger).values())
    checkpoints = [c for c in callbacks if isinstance(c, TrainingCheckpoints)]
    start = next((c.start_from(record) for c in checkpoints), None)
    if start is not None:
        keep_metrics(loggers, start.step)
    if record.attempt > 1:
        _mark_attempt(callbacks, record)
        _announce("the start" if start is None else f"step {start.step}")
    with relaunchable(), on_interruption(lambda: end_processes(getattr(trainer.strategy.launcher, "procs", []), 1.0)):
        try:
            trainer.fit(module, datamodule=data, ckpt_path=start and start.path, weights_only=False)
        except (ArithmeticError, ValueError) as error:
            # Weights that run away are found out anywhere: in a search, in the size of a table.
            if isinstance(error, FloatingPointError) or not any(c.diverged(module, error) for c in checkpoints):
                raise
            cause = " ".join(str(error).split())
            raise FloatingPointError(f"At step {trainer.global_step}: training diverged: {cause}") from error
        trainer.test(module, datamodule=data, verbose=False)
    figures = module.evaluated.compute()
    objective = float(figures["rate"] + cfg["lambda"] * figures["distortion"])
    if not math.isfinite(objective):
        raise FloatingPointError(f"rate + lambda * distortion is {objective} in the evaluation: training diverged.")
    return objective


def _mark_attempt(callbacks: list[pl.Callback], record: JobRecord) -> None:
    """Says of a point of a second attempt that it is one."""
    for writer in (c for c in callbacks if isinstance(c, RDPoint)):
        writer.description |= {"attempt": record.attempt, "first_attempt": record.reason}


@pl.utilities.rank_zero_only
def _announce(place: str) -> None:
    print(f"Once more from {place}, with a smaller step.", flush=True)


def _quiet() -> None:
    """Silences what a user can do nothing about."""
    for name in ("pytorch_lightning", "lightning.pytorch", "lightning_fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # A job that goes on finds its own folder as it left it.
    warnings.filterwarnings("ignore", message=".*(directory|Directory) .* exists and is not empty")
    # The figures of an evaluation are synchronized by the module itself.
    warnings.filterwarnings("ignore", message="It is recommended to use `self.log")
    # Lightning's test loop and step-wise schedules touch torch's deprecated spellings; nothing of ours does.
    warnings.filterwarnings("ignore", category=FutureWarning, module=r"(pytorch_lightning|lightning_fabric|torch)\b")
