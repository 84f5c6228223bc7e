"""A curve in one job: ``path=[8,4,2,1]`` visits lambdas from high to low, and each starts from its neighbour's coder.

Near its neighbour a coder needs less training, and at low rate it needs the right side to start from: there the best
coder's cost lies a little below that of sending nothing, and straight-through training ends at the latter. Each point
has a folder of its own in the job's, ``lambda_4``, and is a job like any other: kept if it is finished, gone on with if
it was killed. It belongs to its settings, of which the lambdas that were visited before it are one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf, open_dict, read_write

from experiment.settings import job_settings
from experiment.sweep.jobs import SweepEntry

__all__ = ["check_path", "run_path", "visited"]

Run = Callable[[DictConfig, Path, SweepEntry | None], float | None]


def check_path(cfg: DictConfig) -> None:
    """Refuses a path along lambda that cannot be walked.

    Args:
        cfg: a job's configuration.

    Raises:
        ValueError: with what is wrong, and what is allowed.
    """
    path = OmegaConf.select(cfg, "path")
    if path is None:
        return
    numbers = list(path) if OmegaConf.is_list(path) else []
    if not numbers or not all(isinstance(n, int | float) and not isinstance(n, bool) and n > 0 for n in numbers):
        raise ValueError(f"path={path} is not allowed: it is a list of lambdas, positive numbers, as in path=[8,4,2].")
    if len(set(numbers)) < len(numbers):
        raise ValueError(f"path={path} is not allowed: a lambda is in it twice.")
    hydra: Any = HydraConfig.get()
    if hydra.mode.name == "RUN":
        raise ValueError("path=[…] makes several points: start it with -m (python run.py -m path=[8,4,2]).")
    if any(override.partition("=")[0] == "lambda" for override in hydra.overrides.task):
        raise ValueError("path names the lambdas of a curve: leave lambda out, or path.")
    if cfg.get("devices", 1) != 1:
        raise ValueError(f"path needs devices=1, and has devices={cfg.devices}: its points start from each other.")


def visited(path: list[float]) -> list[float]:
    """The lambdas of a path in the order of their visit.

    Examples:
        >>> visited([1, 4, 0.5])
        [4, 1, 0.5]
    """
    return sorted(path, reverse=True)


def run_path(cfg: DictConfig, entry: SweepEntry, run: Run) -> float | None:
    """Runs the points of a curve; returns the last objective, None if no point has one.

    Args:
        cfg: the job's configuration, with ``path``.
        entry: the job's place in its sweep; its points have places ``number * len(path)`` and on.
        run: runs a job: its configuration, its folder, its place in the sweep.
    """
    lambdas, objective, start = visited(list(cfg.path)), None, None
    for index, lmbda in enumerate(lambdas):
        folder = entry.folder / f"lambda_{lmbda:g}"
        with _point_of(cfg, lambdas[: index + 1], folder, start) as point:
            place = SweepEntry(entry.sweep, entry.number * len(lambdas) + index, folder, job_settings(point))
            found = run(point, folder, place)
            if found is not None:
                objective, start = found, {"folder": str(place.result), "lambda": lmbda}
    return objective


@contextmanager
def _point_of(
    cfg: DictConfig, path: list[float], folder: Path, start: dict[str, object] | None
) -> Iterator[DictConfig]:
    """The configuration of a curve's last point so far, and Hydra's own, as if it were a job by itself."""
    whole: Any = HydraConfig.instance().cfg
    hydra = whole.hydra
    before, folder_before = list(hydra.overrides.task), hydra.runtime.output_dir
    others = [override for override in before if override.partition("=")[0].lstrip("+") != "path"]
    point = cfg.copy()
    with open_dict(point):
        point["lambda"], point.path, point.start = path[-1], path, start
        if start is not None:
            point.step_factor = cfg.step_factor * cfg.path_share
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with read_write(hydra), open_dict(hydra):
            hydra.overrides.task = [*others, f"path={path}".replace(" ", ""), f"lambda={path[-1]}"]
            hydra.runtime.output_dir = str(folder)
        yield point
    finally:
        with read_write(hydra), open_dict(hydra):
            hydra.overrides.task, hydra.runtime.output_dir = before, folder_before
