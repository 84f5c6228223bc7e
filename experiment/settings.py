"""What a job was asked to be, for people: overrides, choices, Hydra's ``.hydra``, and in what two jobs differ."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from experiment.curves import SETTINGS
from experiment.identity import differences, identity
from experiment.immaterial import tells
from ltc.files import whole_file

__all__ = ["difference", "job_settings", "write_hydra_files"]


def job_settings(config: DictConfig) -> dict[str, Any]:
    """A job's ``overrides``, its ``choices`` of groups, and ``settings``: source, lattice, lambda, … as far as known.

    Args:
        config: the job's configuration, which need not be resolvable.
    """
    hydra = HydraConfig.get()
    choices = {key: choice for key, choice in hydra.runtime.choices.items() if not str(key).startswith("hydra")}
    settings = {}
    for key in SETTINGS:
        with contextlib.suppress(Exception):
            settings[key] = OmegaConf.select(config, f"callbacks.rd_point.description.{key}", default=choices.get(key))
    return {"overrides": list(hydra.overrides.task), "choices": choices, "settings": settings}


def difference(folder: Path, record: dict[str, Any], config: DictConfig) -> str:
    """The settings in which a job differs from the one whose files are in a folder.

    Args:
        folder: the job's.
        record: ``job.json`` there.
        config: the job's configuration.
    """
    try:
        there: Any = OmegaConf.load(folder / "config.yaml")
    except (OSError, ValueError):
        return "its settings are unknown"
    about = job_settings(config)
    keys = [text.partition("=")[0].lstrip("+~") for text in (*about["overrides"], *record.get("overrides", []))]
    keys = [key.partition("@")[0] for key in [*keys, *about["choices"]]]
    names = dict.fromkeys(key for key in keys if tells(key))
    before, now = (
        {key: _value(c, chosen, key) for key in names}
        for c, chosen in ((there, record.get("choices", {})), (config, about["choices"]))
    )
    return differences(before, now) or differences(identity(there, folder), identity(config, folder))


def write_hydra_files(folder: Path, config: DictConfig) -> None:
    """Writes what Hydra would have written before anybody knew whether the folder is free.

    Args:
        folder: the job's.
        config: the job's configuration.
    """
    hydra: Any = HydraConfig.instance().cfg
    for name, content in (
        ("config.yaml", config),
        ("hydra.yaml", hydra),
        ("overrides.yaml", hydra.hydra.overrides.task),
    ):
        with whole_file(folder / ".hydra" / name) as temporary:
            OmegaConf.save(content, temporary)


def _value(config: Any, choices: dict[str, Any], key: str) -> Any:
    """A group's choice, or the value of a setting."""
    if key in choices:
        return choices[key]
    value = OmegaConf.select(config, key)
    return OmegaConf.to_container(value) if OmegaConf.is_config(value) else value
