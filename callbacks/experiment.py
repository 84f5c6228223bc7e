"""One job: a composed configuration becomes a trained, evaluated coder, or one clear sentence."""

from __future__ import annotations

import contextlib
import logging
import math
import sys
import warnings
from pathlib import Path

import pytorch_lightning as pl
import torch
from hydra.core.hydra_config import HydraConfig
from hydra.errors import InstantiationException
from hydra.types import RunMode
from hydra.utils import instantiate
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException
from pytorch_lightning.utilities import rank_zero_only

from callbacks.idle_hooks import without_idle_hooks
from callbacks.provenance import write_provenance
from callbacks.relaunch import relaunchable
from callbacks.resume import JobRecord, fingerprint
from callbacks.resume_checkpoints import TrainingCheckpoints
from callbacks.resume_metrics import keep_metrics
from callbacks.sole_process import end_with_parent, sole_process
from datamodules.ranks import rank_and_world

__all__ = ["run_job", "train_and_evaluate"]

log = logging.getLogger(__name__)


def run_job(cfg: DictConfig) -> float | None:
    """Runs one job and returns its objective, rate + lambda * distortion.

    A job whose folder holds its result already is not run again, and one that was killed goes on from its last
    checkpoint (``+resume=false`` runs it from the start). A mistake in the configuration or the data ends a single run
    with one sentence and exit code 2. In a sweep it is written to ``error.json`` in the job's folder, and the other
    jobs go on.
    """
    sweeping = HydraConfig.get().mode == RunMode.MULTIRUN
    folder = Path(HydraConfig.get().runtime.output_dir)
    end_with_parent()
    with sole_process(folder):
        return _in(folder, cfg, sweeping)


def _in(folder: Path, cfg: DictConfig, sweeping: bool) -> float | None:
    """A job in its folder, where nobody else is at work; whatever goes wrong is written there."""
    record = None
    try:
        record = JobRecord(folder, fingerprint(cfg, folder), cfg.get("resume", True))
        if record.state == "finished":
            _say(f"Done before, kept: {folder} (+resume=false runs it again)")
            return record.objective
        return _run(cfg, record)
    except (ValueError, FloatingPointError, InstantiationException, OSError, OmegaConfBaseException) as error:
        sentence = _sentence(error)
        log.debug("", exc_info=error)
    except Exception as error:
        if not sweeping:
            raise
        sentence = f"{type(error).__name__}: {error}"
        log.exception("The job failed.")
    print(f"error: {sentence}", file=sys.stderr)
    with contextlib.suppress(OSError):  # it may be the very reason
        (record or JobRecord(folder, "")).fail(sentence)
    if not sweeping:
        sys.exit(2)
    return None


def _run(cfg: DictConfig, record: JobRecord) -> float:
    """Trains, once more with a smaller step if training diverges, evaluates, and keeps the record."""
    record.begin()
    write_provenance(record.folder, cfg)
    try:
        try:
            objective = train_and_evaluate(cfg, record)
        except FloatingPointError as error:
            if record.attempt > 1 or rank_and_world()[1] > 1:
                raise
            record.retry(_sentence(error))
            record.resumes = True
            _say(f"{_sentence(error)}\nOnce more from the last good checkpoint, with a smaller step.")
            objective = train_and_evaluate(cfg, record)
    except FloatingPointError as error:
        record.forget()
        if record.reason is None:
            raise
        raise FloatingPointError(f"{_sentence(error)} (A first attempt ended so: {record.reason})") from error
    record.finish(objective)
    return objective


def train_and_evaluate(cfg: DictConfig, record: JobRecord) -> float:
    """Trains a coder, evaluates it on data it never saw, and returns rate + lambda * distortion.

    Args:
        cfg: the job's configuration.
        record: what its folder knows of it.
    """
    if cfg.check is not None:
        instantiate(cfg.check)
    _quiet()
    torch.set_num_threads(cfg.threads)
    pl.seed_everything(cfg.seed, verbose=False)
    data = instantiate(cfg.data)
    module: pl.LightningModule = instantiate(cfg.module, **data.objective)
    loggers = list(instantiate(cfg.logger).values())
    callbacks = without_idle_hooks(instantiate(cfg.callbacks).values())
    trainer: pl.Trainer = instantiate(cfg.trainer, logger=loggers, callbacks=callbacks)
    checkpoints = [c for c in callbacks if isinstance(c, TrainingCheckpoints)]
    start = next((c.start_from(record) for c in checkpoints), None)
    if start is not None:
        keep_metrics(loggers, start.step)
    with relaunchable():
        try:
            trainer.fit(module, datamodule=data, ckpt_path=start and start.path, weights_only=False)
        except (ArithmeticError, ValueError) as error:
            # Weights that run away are found out anywhere: in a search, in the size of a table.
            if isinstance(error, FloatingPointError) or trainer.global_step == 0:
                raise
            raise FloatingPointError(f"At step {trainer.global_step}: {_sentence(error)}") from error
        trainer.test(module, datamodule=data, verbose=False)
    figures = module.evaluated.compute()  # type: ignore[operator, union-attr]
    objective = float(figures["rate"] + cfg["lambda"] * figures["distortion"])
    if not math.isfinite(objective):
        raise FloatingPointError(f"rate + lambda * distortion is {objective} in the evaluation: training diverged.")
    return objective


@rank_zero_only
def _say(line: str) -> None:
    print(line, flush=True)


def _sentence(error: BaseException) -> str:
    """The cause of an error in one line, without Hydra's wrapping."""
    if isinstance(error, InstantiationException) and error.__cause__ is not None:
        error = error.__cause__
    return " ".join(str(error).split())


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
