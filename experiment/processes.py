"""One job on several processes, alone or among the jobs of a sweep."""

from __future__ import annotations

import functools
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch.distributed
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import read_write

from datamodules.ranks import rank_and_world

__all__ = ["relaunchable"]

_SCRIPT = Path(__file__).resolve().parent.parent / "run.py"

# What Lightning leaves in the environment, from which it would take the next job for one of several processes.
_VARIABLES = ("LOCAL_RANK", "NODE_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")


@contextmanager
def relaunchable() -> Iterator[None]:
    """Lets Lightning start further processes from this very job, and leaves nothing of them to the next one.

    Lightning starts the script anew with ``sys.argv``. In a multirun that describes the whole sweep, and in a worker of
    a launcher it is the worker's: it becomes the command of this one job, with this job's folder.

    Raises:
        ConnectionError: if another process died.
    """
    config: Any = HydraConfig.get()
    argv, main = sys.argv[:], sys.modules["__main__"]
    spec = getattr(main, "__spec__", None)
    environment = {name: os.environ.get(name) for name in _VARIABLES}
    if config.mode == RunMode.MULTIRUN:
        sys.argv[:] = [str(_SCRIPT), *_config_flags(config), *config.overrides.task, "hydra.mode=RUN"]
        main.__spec__ = None  # a worker was started as a module, this job is started as a script
        with read_write(config):
            config.run.dir = config.runtime.output_dir
    _report_deaths()
    try:
        yield
    except RuntimeError as error:
        # gloo and NCCL say it in many words, from where they happened to wait.
        if rank_and_world()[1] > 1 and "peer" in str(error):
            raise ConnectionError(
                "Another process of this run died. The same command with the same folder goes on from where it was."
            ) from error
        raise
    finally:
        sys.argv[:] = argv
        main.__spec__ = spec
        if config.mode == RunMode.MULTIRUN:
            if torch.distributed.is_available() and torch.distributed.is_initialized():
                torch.distributed.destroy_process_group()
            for name, value in environment.items():
                os.environ.pop(name, None)
                if value is not None:
                    os.environ[name] = value


def _config_flags(config: Any) -> list[str]:
    """How the command line named the configuration."""
    folders = [source.path for source in config.runtime.config_sources if source.provider == "command-line"]
    return [f"--config-name={config.job.config_name}", *(f"--config-dir={folder}" for folder in folders)]


@functools.cache
def _report_deaths() -> None:
    """When a process dies, Lightning kills the others and says so where nobody looks; here it is an error message."""
    logger = logging.getLogger("lightning_fabric.strategies.launchers.subprocess_script")
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("error: a process of this run died, and with it the run: %(message)s"))
    handler.addFilter(lambda entry: "terminated with code" in entry.getMessage())
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
