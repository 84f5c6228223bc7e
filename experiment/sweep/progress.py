"""How far a sweep is: points done, points running, the time left, and the RD table as it grows.

Everything is read from the sweep's folder, so it does not matter who runs the jobs. Light to import: the process that
starts a sweep need not know torch.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from experiment.sweep.jobs import entries

__all__ = ["SweepState", "job_count", "show_lines", "show_live", "swept_keys", "time_left"]


class SweepState:
    """What the folder of a sweep says of the jobs of its latest start.

    Args:
        folder: the sweep's.
        total: how many jobs there will be; None if nobody knows.
        keys: the overrides in which jobs differ; they name a job.

    Attributes:
        points: the figures of the jobs that have ended, or their errors, by number.
        kept: of these, what was done before this start.
        running: the names of those at work.
        skipped: how many were left out.
    """

    def __init__(self, folder: Path, total: int | None, keys: set[str]) -> None:
        self.folder, self.total, self.keys = folder, total, keys
        self.begin = time.time()
        self.kept: set[int] = set()
        self.points: dict[int, dict[str, Any]] = {}
        self.running: dict[int, str] = {}
        self.skipped = 0
        self._names: dict[int, str] = {}

    def look(self) -> list[int]:
        """Reads the folder; returns the jobs that have ended since the last look."""
        ended, self.running, self.skipped = [], {}, 0
        for job in entries(self.folder):
            number, state = int(job["number"]), job["state"]
            self.skipped += state == "skipped"
            if number in self.points:
                continue
            self._names[number] = self._called(job)
            if state == "running":
                self.running[number] = self.name(number)
            elif state in ("finished", "kept", "failed"):
                self.points[number] = {"error": job["error"]} if state == "failed" else job["point"]
                self.kept |= {number} if state == "kept" else set()
                ended.append(number)
        return ended

    def name(self, number: int) -> str:
        """A job's own overrides, ``lattice=e8 lambda=2``."""
        return self._names.get(number, f"#{number}")

    def _called(self, job: dict[str, Any]) -> str:
        own = [_short(o) for o in job.get("overrides", []) if o.partition("=")[0].lstrip("+") in self.keys]
        return " ".join(own) or f"#{job['number']}"

    def summary(self) -> str:
        """One line: points done, failed, and the time left."""
        failed = sum("error" in point for point in self.points.values())
        parts = [f"{len(self.points)}/{self.total if self.total is not None else '?'} done"]
        parts += [f"{failed} failed"] if failed else []
        parts += [f"{self.skipped} left out"] if self.skipped else []
        left = time_left(time.time() - self.begin, len(self.points) - len(self.kept), self._missing())
        return ", ".join([*parts, f"{left} left"] if left else parts)

    def _missing(self) -> int | None:
        return None if self.total is None else self.total - len(self.points) - self.skipped


def time_left(elapsed: float, done: int, missing: int | None) -> str:
    """The time that the missing points will take if they are like those done; empty where nothing can be said.

    Args:
        elapsed: seconds since the sweep began.
        done: points that were run in this time.
        missing: points to come.

    Examples:
        >>> time_left(60, 2, 4), time_left(10, 1, 2), time_left(7200, 4, 12), time_left(5, 0, 3)
        ('2.0 min', '20 s', '6.0 h', '')
    """
    if not done or not missing:
        return ""
    seconds = elapsed / done * missing
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.{0 if seconds >= 600 else 1}f} min"
    return f"{seconds / 3600:.1f} h"


def job_count(config: DictConfig) -> int | None:
    """How many jobs a sweep has, if its sweeper tells: the product of its choices, or its number of trials."""
    if config.hydra.sweeper.get("n_trials") is not None:
        return int(config.hydra.sweeper.n_trials)
    # A path along lambda is one job with a point for each of its lambdas.
    count = max(1, len(config.get("path") or []))
    for override in _overrides(config):
        if override.is_sweep_override():
            if not override.is_discrete_sweep():
                return None
            count *= sum(1 for _ in override.sweep_string_iterator())
    return count


def swept_keys(config: DictConfig) -> set[str]:
    """The overrides in which the jobs of a sweep differ."""
    searched = set(config.hydra.sweeper.get("params") or {})
    searched |= {"lambda"} if config.get("path") else set()
    return searched | {o.key_or_group for o in _overrides(config) if o.is_sweep_override()}


def _overrides(config: DictConfig) -> list[Any]:
    """The command line's overrides and the sweeper's; the former win."""
    from hydra.core.override_parser.overrides_parser import OverridesParser

    parse = OverridesParser.create().parse_overrides
    params = config.hydra.sweeper.get("params") or {}
    found = {o.key_or_group: o for o in parse([f"{key}={value}" for key, value in params.items()])}
    found |= {o.key_or_group: o for o in parse(list(config.hydra.overrides.task))}
    return list(found.values())


def show_lines(state: SweepState, stop: threading.Event, seconds: float) -> None:
    """A line for every point that ends."""
    stopped = False
    while not stopped:
        stopped = stop.wait(seconds)
        for number in state.look():
            before = " (done before)" if number in state.kept else ""
            print(f"[{state.summary()}] {state.name(number)}: {_figures(state.points[number])}{before}", flush=True)


def _short(override: str) -> str:
    """An override with no more digits of a number than a reader wants."""
    key, _, value = override.partition("=")
    try:
        return f"{key}={float(value):.4g}" if len(value) > 6 else override
    except ValueError:
        return override


def _figures(point: dict[str, Any]) -> str:
    if "error" in point:
        return f"failed: {point['error']}"
    gap = "" if point.get("gap") is None else f", gap {point['gap']:.4f}"
    return f"rate {point['rate']:.4f}, D {point['distortion']:.4g}{gap}"


def show_live(state: SweepState, stop: threading.Event, seconds: float) -> None:
    """A table that grows, with the state of the sweep below it."""
    from rich.live import Live

    with Live(_view(state), auto_refresh=False, transient=True) as live:
        # Each redrawing takes some milliseconds from a job in this process.
        while not stop.wait(2 * seconds):
            state.look()
            live.update(_view(state), refresh=True)


def _view(state: SweepState) -> Any:
    import shutil

    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    table.add_column("point", overflow="fold")
    for column in ("rate", "distortion", "gap"):
        table.add_column(column, justify="right", no_wrap=True)
    numbers = sorted(state.points)
    # What does not fit is in the table at the end.
    room = max(3, shutil.get_terminal_size().lines - 6 - len(state.running))
    for number in numbers[-room:]:
        point = state.points[number]
        cells = ["failed", "", ""] if "error" in point else [_cell(point.get(k)) for k in ("rate", "distortion", "gap")]
        table.add_row(state.name(number), *cells)
    lines = [Text(f"running: {name}", overflow="ellipsis", no_wrap=True) for name in state.running.values()]
    return Group(*([table] if numbers else []), *lines, Text(state.summary(), style="bold"))


def _cell(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"
