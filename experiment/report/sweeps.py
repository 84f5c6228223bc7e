"""Folders of sweeps and runs, read into jobs: figures, overrides, and where the job's files are."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from experiment.curves import CURVE, SETTINGS
from experiment.sweep.results import job_results, read_point

__all__ = ["Job", "read_sweeps", "sweep_name"]

# Groups that matter only where another setting points to them.
_REFERRED = ("lattice", "transform", "entropy_model", "bottleneck", "network")
# libyaml's loader, where PyYAML has it, is ten times faster.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass
class Job:
    """One job of a sweep.

    Attributes:
        sweep: name of the sweep.
        name: name of the job in it: that of its folder.
        row: the figures, as in ``rd_points.csv``; what is no number (nan, infinity) is None.
        folder: the job's folder; None where only ``rd_points.csv`` is left.
        overrides: what the command line or the sweeper set, by key.
    """

    sweep: str
    name: str
    row: dict[str, Any]
    folder: Path | None
    overrides: dict[str, str] = field(default_factory=dict)

    def config(self) -> dict[str, Any]:
        """The composed configuration with dots in its keys; empty where Hydra left none.

        What only points to another setting (``${n}``) is left out, and so is a group that nothing points to: a
        lattice where there is none.
        """
        settings = _flat(_yaml(self.folder, "config.yaml") or {})
        used = set(re.findall(r"\$\{(\w+)[.}]", " ".join(map(str, settings.values()))))
        idle = {group for group in _REFERRED if group not in used}
        return {
            k: v for k, v in settings.items() if not str(v).startswith("${") and not (used and k.split(".")[0] in idle)
        }


def read_sweeps(folders: Sequence[Path]) -> list[Job]:
    """The jobs of sweeps (or of single runs), sweep after sweep.

    Args:
        folders: folders that ``python run.py`` or ``python run.py -m`` left, or with a ``rd_points.csv``.

    Raises:
        ValueError: if a folder holds no sweep, or its files cannot be read, with the folder's name.
    """
    names: dict[str, int] = {}
    jobs = []
    for folder in folders:
        name = sweep_name(folder)
        names[name] = names.get(name, 0) + 1
        if names[name] > 1:
            name = f"{name} ({names[name]})"
        try:
            found = _read(Path(folder), name)
        except (ValueError, TypeError, AttributeError, KeyError, yaml.YAMLError) as error:
            raise ValueError(f"{folder}: its files cannot be read: {error}") from error
        if not found:
            raise ValueError(
                f"{folder}: no sweep and no run is here: "
                "there are no folders of jobs, no rd_points.csv and no rd_point.json"
            )
        jobs += found
    return jobs


def sweep_name(folder: Path) -> str:
    """The last two parts of a sweep's folder, which by default are what and when.

    Examples:
        >>> sweep_name(Path("multirun/banana/2026-01-31_12-00-00"))
        'banana/2026-01-31_12-00-00'
    """
    parts = [part for part in Path(folder).absolute().parts[-2:] if part.strip("/")]
    return "/".join(parts) or "sweep"


def _read(folder: Path, name: str) -> list[Job]:
    if not folder.is_dir():
        return []
    table = folder / "rd_points.csv"
    if (folder / "rd_point.json").is_file():
        row = {**read_point(folder / "rd_point.json"), "error": None}
        return [Job(name, name, _finite(row), folder, _overrides(folder))]
    results = job_results(folder)
    if not results and table.is_file():
        with table.open(newline="") as file:
            rows = [{key: _value(text) for key, text in row.items() if key} for row in csv.DictReader(file)]
        return [Job(name, str(number), _finite(row), None) for number, row in enumerate(rows)]
    jobs = [Job(name, r.name, _finite(r.row), r.folder, _overrides(r.folder)) for r in results]
    for job in jobs:
        if job.row.get("rate") is None:
            job.row = {**job.row, **_settings(job)}
    return jobs


def _settings(job: Job) -> dict[str, Any]:
    """What a job without a point was a job of, as far as Hydra wrote it down."""
    choices = ((_yaml(job.folder, "hydra.yaml") or {}).get("hydra", {}).get("runtime", {}) or {}).get("choices") or {}
    settings = {k: v for k, v in job.config().items() if k in SETTINGS}
    choices = {k: choices.get(k) for k in CURVE}
    return {k: v for k, v in {**choices, **settings}.items() if v is not None}


def _overrides(folder: Path | None) -> dict[str, str]:
    pairs = (str(setting).partition("=") for setting in _yaml(folder, "overrides.yaml") or [])
    return {key.lstrip("+~"): value.strip("'\"") for key, _, value in pairs}


def _yaml(folder: Path | None, name: str) -> Any:
    path = None if folder is None else folder / ".hydra" / name
    if path is None or not path.is_file():
        return None
    return yaml.load(path.read_text(), Loader=_Loader)


def _flat(tree: Any, prefix: str = "") -> dict[str, Any]:
    """``{"a": {"b": 1}}`` as ``{"a.b": 1}``."""
    if not isinstance(tree, dict):
        return {prefix: tree}
    return {
        k: v for key, child in tree.items() for k, v in _flat(child, f"{prefix}.{key}" if prefix else str(key)).items()
    }


def _finite(row: dict[str, Any]) -> dict[str, Any]:
    return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in row.items()}


def _value(text: str | None) -> Any:
    """What a cell of ``rd_points.csv`` means."""
    if text is None or text in ("", "nan", "None"):
        return None
    if text in ("True", "False"):
        return text == "True"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
