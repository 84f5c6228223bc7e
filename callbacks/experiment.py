"""One job: a composed configuration becomes a trained, evaluated coder, or one clear sentence."""

from __future__ import annotations

import logging
import sys
import warnings
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from hydra.core.hydra_config import HydraConfig
from hydra.errors import InstantiationException
from hydra.types import RunMode
from hydra.utils import instantiate
from omegaconf import DictConfig

from ltc.files import write_json

__all__ = ["run_job", "train_and_evaluate"]

log = logging.getLogger(__name__)


def run_job(cfg: DictConfig) -> float | None:
    """Runs one job and returns its objective, rate + lambda * distortion.

    A mistake in the configuration or the data ends a single run with one sentence and exit code 2. In a sweep it is
    written to ``error.json`` in the job's folder, and the other jobs go on.
    """
    sweeping = HydraConfig.get().mode == RunMode.MULTIRUN
    try:
        return train_and_evaluate(cfg)
    except (ValueError, FloatingPointError, InstantiationException, OSError) as error:
        sentence = _sentence(error)
        log.debug("", exc_info=error)
    except Exception as error:
        if not sweeping:
            raise
        sentence = f"{type(error).__name__}: {error}"
        log.exception("The job failed.")
    print(f"error: {sentence}", file=sys.stderr)
    if not sweeping:
        sys.exit(2)
    write_json(Path(HydraConfig.get().runtime.output_dir) / "error.json", {"error": sentence})
    return None


def train_and_evaluate(cfg: DictConfig) -> float:
    """Trains a coder, evaluates it on data it never saw, and returns rate + lambda * distortion."""
    if cfg.check is not None:
        instantiate(cfg.check)
    _quiet()
    torch.set_num_threads(cfg.threads)
    pl.seed_everything(cfg.seed, verbose=False)
    data = instantiate(cfg.data)
    module: pl.LightningModule = instantiate(cfg.module, **data.objective)
    loggers = list(instantiate(cfg.logger).values())
    callbacks = list(instantiate(cfg.callbacks).values())
    trainer: pl.Trainer = instantiate(cfg.trainer, logger=loggers, callbacks=callbacks)
    with _relaunchable():
        trainer.fit(module, datamodule=data)
        trainer.test(module, datamodule=data, verbose=False)
    figures = module.evaluated.compute()  # type: ignore[operator, union-attr]
    return float(figures["rate"] + cfg["lambda"] * figures["distortion"])


class _relaunchable:
    """Makes ``sys.argv`` the command of this very job while Lightning may start further processes from it.

    In a multirun the command line describes the whole sweep; a DDP process must run one job of it.
    """

    def __enter__(self) -> None:
        self.argv = sys.argv[1:]
        config = HydraConfig.get()
        if config.mode == RunMode.MULTIRUN:
            sys.argv[1:] = [*config.overrides.task, "hydra.mode=RUN"]

    def __exit__(self, *_: Any) -> None:
        sys.argv[1:] = self.argv


def _sentence(error: BaseException) -> str:
    """The cause of an error in one line, without Hydra's wrapping."""
    if isinstance(error, InstantiationException) and error.__cause__ is not None:
        error = error.__cause__
    return " ".join(str(error).split())


def _quiet() -> None:
    """Silences what a user can do nothing about."""
    for name in ("pytorch_lightning", "lightning.pytorch", "lightning_fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # Lightning's test loop and step-wise schedules touch torch's deprecated spellings; nothing of ours does.
    warnings.filterwarnings("ignore", category=FutureWarning, module=r"(pytorch_lightning|lightning_fabric|torch)\b")
