"""What a job is: the settings that its figures depend on, wherever its files go and however they are shown.

Settings that nobody reads (``data_dir`` of a source that makes its own symbols)
are no part of a job, for only those nodes count that a job is made of.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from experiment.immaterial import matters

__all__ = ["differences", "fingerprint", "identity"]

# What a job is made of: all else in a configuration is interpolated into these, or changes no figure. Of these nodes
# what is immaterial (see there) is no part of a job either.
_NODES = ("seed", "lambda", "path", "data", "module", "trainer", "callbacks")

# Settings with these names are paths, also when they have no slash.
_PATHS = {"folder", "data_dir", "path", "test", "init_from"}


def identity(config: DictConfig, folder: Path | str) -> dict[str, Any]:
    """All settings that a job's figures depend on, resolved, by their dotted names.

    Args:
        config: the job's configuration, without Hydra's own.
        folder: the job's output folder; paths in it count from there. Other paths are compared as the places that they
            lead to.

    Examples:
        >>> config = OmegaConf.create({"threads": 2, "seed": 0, "trainer": {"max_steps": 5, "dir": "o/x"}})
        >>> identity(config, "o")
        {'seed': 0, 'trainer.max_steps': 5, 'trainer.dir': '<folder>/x'}
    """
    content: Any = OmegaConf.to_container(config, resolve=True)
    tree = {key: content[key] for key in _NODES if key in content}
    return dict(_flat(tree, "", os.path.realpath(folder)))


def fingerprint(settings: dict[str, Any]) -> str:
    """16 hexadecimal digits for an identity.

    Examples:
        >>> fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1}) != fingerprint({"a": 1, "b": 3})
        True
    """
    text = json.dumps(settings, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def differences(before: dict[str, Any], now: dict[str, Any], names: Iterable[str] = (), most: int = 4) -> str:
    """The settings in which two jobs differ, for people: ``lattice=z there, lattice=e8 here``.

    Args:
        before: settings by name, an earlier job's.
        now: those of this job.
        names: the settings that people have set; if these differ, all others follow from them.
        most: how many are listed.
    """
    differ = [key for key in {**before, **now} if before.get(key) != now.get(key)]
    own = [key for key in differ if key in set(names)]
    shown = own or differ
    listed = [f"{key}={_text(before.get(key))} there, {_text(now.get(key))} here" for key in shown[:most]]
    return "; ".join(listed + ([f"and {len(shown) - most} more"] if len(shown) > most else []))


def _flat(value: Any, name: str, folder: str) -> Iterable[tuple[str, Any]]:
    """Pairs of a dotted name and a value, without what is immaterial."""
    if name and not matters(name):
        return
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _flat(item, f"{name}.{key}" if name else str(key), folder)
    elif isinstance(value, list) and value:
        for number, item in enumerate(value):
            yield from _flat(item, f"{name}[{number}]", folder)
    else:
        yield name, _place(value, name, folder) if isinstance(value, str) else value


def _place(text: str, name: str, folder: str) -> str:
    """Where a path leads to; any other text as it is."""
    if "/" not in text and name.rpartition(".")[2].partition("[")[0] not in _PATHS:
        return text
    path = os.path.realpath(text)
    inside = path == folder or path.startswith(folder + os.sep)
    return "<folder>" + path[len(folder) :] if inside else path


def _text(value: Any) -> str:
    return "none" if value is None else str(value)
