"""Before anything is done: can the folder of a run or a sweep be written, and what is it called in the next start?"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from experiment.interruption import add_action, end_processes, goes_on_in, remove_parts
from experiment.sweep.idle_workers import worker_processes
from experiment.sweep.jobs import tell_interrupted

__all__ = ["OutputFolder"]


class OutputFolder(Callback):
    """Hydra's callback that refuses folders that cannot be written, in one sentence, with exit code 2."""

    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        self._begin(config, "hydra.run.dir", config.hydra.run.dir)

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        folder = self._begin(config, "hydra.sweep.dir", config.hydra.sweep.dir)
        add_action(lambda: remove_parts(folder, deep=False))
        add_action(lambda: tell_interrupted(folder))
        add_action(lambda: end_processes(worker_processes()))
        # What clears up after workers that were ended says so at length.
        warned = os.environ.get("PYTHONWARNINGS")
        os.environ["PYTHONWARNINGS"] = ",".join(filter(None, [warned, "ignore:resource_tracker:UserWarning"]))

    def _begin(self, config: DictConfig, option: str, name: str) -> Path:
        given = any(str(override).startswith(f"{option}=") for override in config.hydra.overrides.hydra)
        goes_on_in("" if given else f"{option}={name}")
        folder = Path(name).absolute()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError as error:
            print(
                f"error: {folder} cannot be written: {error.strerror}; {option}=… names another folder.",
                file=sys.stderr,
            )
            sys.exit(2)
        return folder
