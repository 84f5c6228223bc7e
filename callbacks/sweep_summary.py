"""After a multirun: all jobs in ``rd_points.csv``, ``rd_curves.png``, ``report.html`` and a printed table."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from experiment.file_note import file_notes
from experiment.sweep.jobs import begin_entries, entries
from experiment.sweep.results import gather

__all__ = ["SweepSummary"]


class SweepSummary(Callback):
    """Hydra's callback that gathers the jobs of a sweep. A failed job is a row with its error.

    The sweep's exit code is 1 if a job failed, or none has a result, after everything is written.
    """

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        begin_entries(Path(config.hydra.sweep.dir).absolute())

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        try:
            self._write(config)
        except Exception as error:  # of which Hydra would make a warning, and exit code 0
            if not isinstance(error, OSError | ValueError):
                traceback.print_exc()
            print(f"error: the sweep's summary: {error}", file=sys.stderr)
            sys.exit(1)

    def _write(self, config: DictConfig) -> None:
        import pandas as pd
        from hydra.utils import instantiate
        from rich.console import Console

        from experiment.pictures.rd_curves import draw_curves
        from experiment.report import write_report
        from experiment.sweep.idle_workers import end_idle_workers
        from experiment.tables import sweep_table
        from ltc.files import whole_file

        end_idle_workers()
        folder = Path(config.hydra.sweep.dir).absolute()
        rows = gather(folder)
        if not rows:
            print(f"error: no job of this sweep has left anything in {folder}.", file=sys.stderr)
            sys.exit(1)
        points = pd.DataFrame(rows)
        with whole_file(folder / "rd_points.csv") as temporary:
            points.to_csv(temporary, index=False)
        picture = folder / "rd_curves.png"
        if points["rate"].notna().any():
            with whole_file(picture) as temporary:
                draw_curves(points[points["rate"].notna()], folder).savefig(temporary, dpi=150)
        console = Console()
        console.print(sweep_table(rows, title=f"{len(rows)} points; rates, R(D) and gaps in bits per symbol"))
        for line in _notes(rows):
            console.print(line, soft_wrap=True)
        write_report([folder], folder / "report.html")
        console.print(f"Results: {folder}", soft_wrap=True)
        if config.sweep_logger is not None and picture.exists():
            instantiate(config.sweep_logger)(points, picture, folder)
        self._exit(rows, entries(folder))

    def _exit(self, rows: Sequence[dict[str, Any]], jobs: Sequence[dict[str, Any]]) -> None:
        """Ends the process where something is missing."""
        failed, total = sum(bool(row["error"]) for row in rows), len(jobs) or len(rows)
        if failed:
            left = sum(job["state"] == "skipped" for job in jobs)
            more = f" {left} were not begun (fail_fast=true)." if left else ""
            print(f"{failed} of {total} jobs failed; their errors are in rd_points.csv.{more}", file=sys.stderr)
            sys.exit(1)


def _notes(rows: Sequence[dict[str, Any]]) -> list[str]:
    """What the table does not say: why jobs failed, which points took a second attempt, why files are not as long."""
    lines = [f"failed: {_name(row)}: {row['error']}" for row in rows if row["error"]]
    again = [row for row in rows if not row["error"] and (row.get("attempt") or 1) > 1]
    lines += [f"second attempt: {_name(row)}: the first one ended so: {row['first_attempt']}" for row in again]
    return lines + file_notes([row for row in rows if not row["error"]])


def _name(row: dict[str, Any]) -> str:
    return " ".join(f"{key}={row[key]}" for key in ("lattice", "lambda") if row.get(key) is not None) or "a job"
