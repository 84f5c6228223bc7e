"""One job: a composed configuration becomes a trained, evaluated coder, or one clear sentence."""

from __future__ import annotations

import contextlib
import logging
import sys
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.errors import InstantiationException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from pytorch_lightning.utilities import rank_zero_only

from conf.limits import check_settings, check_sweep
from datamodules.ranks import rank_and_world
from experiment.identity import fingerprint, identity
from experiment.interruption import on_interruption
from experiment.lambda_path import check_path, run_path
from experiment.lock import end_with_parent, sole_process
from experiment.provenance import write_provenance
from experiment.record import JobRecord
from experiment.settings import difference, job_settings, write_hydra_files
from experiment.sweep.jobs import SweepEntry, entries, finished_job, sweep_lock
from experiment.training_run import Parts, prepare, train_and_evaluate

__all__ = ["run_job"]

log = logging.getLogger(__name__)


def run_job(cfg: DictConfig) -> float | None:
    """Runs one job and returns its objective, rate + lambda * distortion.

    A job whose folder holds its result already is not run again, and one that was killed goes on from its last
    checkpoint (``+resume=false`` runs it from the start). In a sweep the result is looked for in all folders of the
    sweep. A mistake in the configuration or the data ends a single run with one sentence and exit code 2, before
    anything is touched. In a sweep it is written to ``error.json`` in the job's folder, and the other jobs go on.
    """
    folder = Path(HydraConfig.get().runtime.output_dir)
    entry = _sweep_entry(cfg, folder)
    end_with_parent()
    if entry is not None and folder.resolve() == entry.sweep.resolve():
        print(
            "error: hydra.sweep.subdir puts every job into the sweep's own folder: name one for each job, "
            "hydra.sweep.subdir='${hydra.job.num}', say.",
            file=sys.stderr,
        )
        sys.exit(2)
    if cfg.get("path") is None:
        return _run_point(cfg, folder, entry)
    try:
        check_path(cfg)
    except ValueError as error:
        print(f"error: {sentence(error)}", file=sys.stderr)
        sys.exit(2)
    assert entry is not None
    return run_path(cfg, entry, _run_point)


def _run_point(cfg: DictConfig, folder: Path, entry: SweepEntry | None) -> float | None:
    """Runs the job of one point."""
    if entry is None:
        return _Job(cfg, folder, None).run()
    if cfg.get("fail_fast") and any(other["state"] == "failed" for other in entries(entry.sweep)):
        entry.write("skipped")
        return None
    with on_interruption(entry.interrupt):
        entry.write("running")
        return _Job(cfg, folder, entry).run()


class _Job:
    """A job in its folder, where nobody else is at work.

    Args:
        cfg: its configuration.
        folder: where its files go.
        entry: its place in a sweep; None for a single run.
    """

    def __init__(self, cfg: DictConfig, folder: Path, entry: SweepEntry | None) -> None:
        self.cfg, self.folder, self.entry = cfg, folder, entry
        self.record: JobRecord | None = None

    def run(self) -> float | None:
        """The objective; None if the job of a sweep failed."""
        try:
            with contextlib.ExitStack() as alone:
                alone.enter_context(sole_process(self.folder))
                try:
                    return self._run(alone)
                except BaseException as error:
                    self._failed(error)
                    raise
        except (ValueError, FloatingPointError, InstantiationException, OSError, OmegaConfBaseException) as error:
            log.debug("", exc_info=error)
            print(f"error: {sentence(error)}", file=sys.stderr)
        except Exception as error:
            if self.entry is None:
                raise
            print(f"error: {_named(error)}", file=sys.stderr)
            log.exception("The job failed.")
        if self.entry is None:
            sys.exit(2)
        return None

    def _run(self, alone: contextlib.ExitStack) -> float:
        """Takes the result that there is, or trains, and keeps the record."""
        check_sweep(HydraConfig.get())
        check_settings(self.cfg)
        # Interpolations are followed once: what comes reads every node several times.
        composed, resolved = self.cfg, OmegaConf.to_container(self.cfg, resolve=True)
        assert isinstance(resolved, dict)
        self.cfg = OmegaConf.create(resolved)
        mark, about = fingerprint(identity(self.cfg, self.folder)), job_settings(self.cfg)
        self.record = record = JobRecord(self.folder, mark, self.cfg.get("resume", True), about)
        known = (self.folder, record.objective) if record.state == "finished" else self._elsewhere(mark)
        if known is not None and known[1] is not None:
            _announce(f"Done before, kept: {known[0]} (+resume=false runs it again)")
            self._enter("kept", place=known[0], fingerprint=mark)
            return known[1]
        parts = prepare(self.cfg)
        self._make_room(alone)
        with on_interruption(record.interrupt):
            record.begin()
            _describe(self.folder, composed, self.cfg)
            objective = self._train(parts)
            record.finish(objective)
        self._enter("finished", fingerprint=mark)
        return objective

    def _elsewhere(self, mark: str) -> tuple[Path, float] | None:
        """A finished job with the same settings in another folder of the sweep."""
        if self.entry is None or self.record is None or not self.record.resumes:
            return None
        with sweep_lock(self.entry.sweep):
            return finished_job(self.entry.sweep, mark)

    def _make_room(self, alone: contextlib.ExitStack) -> None:
        """Moves aside what another job has left in the folder.

        Raises:
            ValueError: if it is the result of another configuration, and nobody said that this one may take its place.
        """
        record = self.record
        assert record is not None
        if not record.occupied:
            return
        if self.entry is not None:
            with sweep_lock(self.entry.sweep):
                record.make_room()
        elif record.occupied == "result" and record.resumes:
            raise ValueError(
                f"{self.folder} holds the finished result of another configuration "
                f"({difference(self.folder, record.other, self.cfg)}): choose another folder (hydra.run.dir=…), "
                "or +resume=false, which moves it aside."
            )
        else:
            _announce(f"What was in {self.folder} is kept: {record.make_room()}")
        _close_logs()
        alone.enter_context(sole_process(self.folder))

    def _train(self, parts: Parts) -> float:
        """Trains and evaluates, once more with a smaller step if training diverges."""
        record = self.record
        assert record is not None
        try:
            try:
                return train_and_evaluate(self.cfg, record, parts)
            except FloatingPointError as error:
                if record.attempt > 1 or rank_and_world()[1] > 1:
                    raise
                record.retry(sentence(error))
                record.resumes = True
                _announce(sentence(error))
                return train_and_evaluate(self.cfg, record)
        except FloatingPointError as error:
            record.forget()
            if record.reason is None:
                raise
            raise FloatingPointError(f"{sentence(error)} (A first attempt ended so: {record.reason})") from error

    def _failed(self, error: BaseException) -> None:
        """Writes down why the job failed, where that takes nothing away: what is finished stays."""
        if not isinstance(error, Exception) or (self.record is not None and self.record.state == "finished"):
            return
        text = sentence(error) if isinstance(error, _MISTAKES) else _named(error)
        with contextlib.suppress(Exception):  # it may be the very reason
            self._enter("failed", error=text)
            record = self.record or JobRecord(self.folder, "")
            record.fail(text)
            if not record.occupied:
                write_hydra_files(self.folder, self.cfg)

    def _enter(self, state: str, **more: Any) -> None:
        if self.entry is not None:
            self.entry.write(state, **more)


_MISTAKES = (ValueError, FloatingPointError, InstantiationException, OSError, OmegaConfBaseException)


def sentence(error: BaseException) -> str:
    """The cause of an error in one line, without Hydra's wrapping."""
    if isinstance(error, InstantiationException) and error.__cause__ is not None:
        error = error.__cause__
    return " ".join(str(error).split())


def _named(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def _sweep_entry(cfg: DictConfig, folder: Path) -> SweepEntry | None:
    """The job's place in its sweep; None for a single run."""
    hydra = HydraConfig.get()
    if hydra.mode != RunMode.MULTIRUN:
        return None
    return SweepEntry(Path(hydra.sweep.dir).absolute(), int(hydra.job.num), folder, job_settings(cfg))


def _close_logs() -> None:
    """Log files went with what was moved aside: the next entry opens them where they belong."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.FileHandler):
            handler.close()


@rank_zero_only
def _describe(folder: Path, composed: DictConfig, resolved: DictConfig) -> None:
    write_hydra_files(folder, composed)
    write_provenance(folder, resolved)


@rank_zero_only
def _announce(line: str) -> None:
    print(line, flush=True)
