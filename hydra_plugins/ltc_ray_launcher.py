"""Hydra's jobs as Ray's tasks: ``hydra/launcher=ray``.

Ray's own plugin for Hydra cannot be installed beside current joblib (it asks for cloudpickle < 3, joblib for 3). Hydra
finds this one by its folder. Ray is imported when jobs are launched, never before.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn, configure_log, filter_overrides, run_job, setup_globals
from hydra.errors import CompactHydraException
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf, open_dict

__all__ = ["RayLauncher"]

log = logging.getLogger(__name__)


class RayLauncher(Launcher):
    """Runs every job of a sweep as a Ray task, as many at once as the cluster has room for.

    Args:
        init: arguments of ``ray.init``.
        remote: what a task asks for, arguments of ``ray.remote``.
    """

    def __init__(self, init: DictConfig, remote: DictConfig) -> None:
        self.init, self.remote = init, remote

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        self.hydra_context, self.task_function, self.config = hydra_context, task_function, config

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Runs a batch of jobs.

        Args:
            job_overrides: the overrides of each job.
            initial_job_idx: the number of the first one.
        """
        try:
            import ray
        except ModuleNotFoundError as error:
            raise CompactHydraException(
                "hydra/launcher=ray needs Ray, which pip install '.[cluster]' brings."
            ) from error

        setup_globals()
        configure_log(self.config.hydra.hydra_logging, self.config.hydra.verbose)
        folder = Path(self.config.hydra.sweep.dir)
        folder.mkdir(parents=True, exist_ok=True)
        if not ray.is_initialized():
            ray.init(logging_level=logging.WARNING, **_plain(self.init))
        task = ray.remote(**_plain(self.remote))(_run)
        log.info("Ray runs %d jobs; sweep output dir: %s", len(job_overrides), folder)
        jobs = []
        for number, overrides in enumerate(job_overrides, initial_job_idx):
            log.info("\t#%d : %s", number, " ".join(filter_overrides(overrides)))
            config = self.hydra_context.config_loader.load_sweep_config(self.config, list(overrides))
            with open_dict(config):
                config.hydra.job.id = f"{config.hydra.job.name}_{number}"
                config.hydra.job.num = number
            jobs.append(task.remote(self.hydra_context, config, self.task_function, Singleton.get_state()))
        return ray.get(jobs)


def _plain(config: DictConfig) -> dict[str, Any]:
    return {str(k): v for k, v in OmegaConf.to_container(config, resolve=True).items()}  # type: ignore[union-attr]


def _run(context: HydraContext, config: DictConfig, task_function: TaskFunction, state: Any) -> JobReturn:
    from hydra.core.hydra_config import HydraConfig

    import conf  # noqa: F401  (a worker knows neither our resolvers nor our numbers as lambda)

    setup_globals()
    Singleton.set_state(state)
    HydraConfig.instance().set_config(config)
    return run_job(
        hydra_context=context,
        task_function=task_function,
        config=config,
        job_dir_key="hydra.sweep.dir",
        job_subdir_key="hydra.sweep.subdir",
    )
