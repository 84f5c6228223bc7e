"""What our jobs want of the launchers that are installed: joblib's, submitit's for this machine and for Slurm.

A launcher's plugin brings its own configuration, and Hydra takes no second file of that name: its defaults are changed
where it has put them. (Ray's launcher is our own, and so is its file in ``conf/hydra/launcher``.)
"""

from __future__ import annotations

from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins
from omegaconf import DictConfig, OmegaConf

__all__ = ["tune_launchers"]

_SUBMITIT: dict[str, Any] = {"name": "ltc", "timeout_min": 1440, "cpus_per_task": "${threads}"}

_WANTED: dict[str, dict[str, Any]] = {
    # As many jobs as there are cores for their threads, one at a time to each worker: jobs are long.
    "joblib": {"n_jobs": "${threads:${threads}}", "batch_size": "1", "pre_dispatch": "all"},
    # All jobs at once: hydra.sweeper.max_batch_size=2 for two at a time.
    "submitit_local": _SUBMITIT,
    # A task for each process of trainer=ddp. A job that is preempted, or out of time, is submitted again and goes on.
    "submitit_slurm": {
        **_SUBMITIT,
        "tasks_per_node": "${devices}",
        "nodes": "${num_nodes}",
        "max_num_timeout": 10,
    },
}

# What extras bring, by group and name: what is missing without them, and the extra.
_EXTRAS: dict[tuple[str, str], list[str]] = {
    ("launcher", "joblib"): ["hydra-joblib-launcher", "cluster"],
    ("launcher", "submitit_local"): ["hydra-submitit-launcher", "cluster"],
    ("launcher", "submitit_slurm"): ["hydra-submitit-launcher", "cluster"],
    ("sweeper", "optuna"): ["hydra-optuna-sweeper", "optuna"],
    ("sweeper/sampler", "tpe"): ["hydra-optuna-sweeper", "optuna"],
}


def tune_launchers() -> None:
    """Changes the defaults of installed launchers, and says how to install the others; safe to call again."""
    Plugins.instance()  # imports them: they store their configurations
    store = ConfigStore.instance()
    present = store.repo.get("hydra", {}).get("launcher", {})
    for name, wanted in _WANTED.items():
        if f"{name}.yaml" in present:
            node = OmegaConf.structured(present[f"{name}.yaml"].node)
            OmegaConf.set_struct(node, False)
            store.store(group="hydra/launcher", name=name, node=OmegaConf.merge(node, wanted), provider="ltc")
    for (group, name), needs in _EXTRAS.items():
        if not _offered(store.repo, f"hydra/{group}/{name}.yaml"):
            store.store(group=f"hydra/{group}", name=name, node=_missing(group, name, needs), provider="ltc")


def _offered(repo: dict[str, Any], path: str) -> bool:
    node: Any = repo
    for part in path.split("/"):
        node = node.get(part) if isinstance(node, dict) else None
    return node is not None


def _missing(group: str, name: str, needs: list[str]) -> DictConfig:
    """The configuration of a plugin that is not there; it takes any option."""
    if "/" in group:
        return OmegaConf.create({})
    target = f"hydra_plugins.ltc_missing.Missing{group.capitalize()}"
    node = OmegaConf.create({"_target_": target, "missing": f"hydra/{group}={name}", "needs": needs})
    if (f"{group}/sampler", "tpe") in _EXTRAS:
        node.defaults = [{"sampler": "tpe"}]
    OmegaConf.set_struct(node, False)
    return node
