"""The metrics of a training before it was killed, put before those that are to come."""

from __future__ import annotations

import csv
import warnings
from collections.abc import Iterable
from pathlib import Path

from pytorch_lightning.loggers import CSVLogger, Logger
from pytorch_lightning.utilities import rank_zero_only

__all__ = ["keep_metrics"]


@rank_zero_only
def keep_metrics(loggers: Iterable[Logger], step: int) -> None:
    """Lets CSV loggers go on with their file, which they would begin anew.

    Args:
        loggers: of a training that goes on and has logged nothing yet.
        step: the step from which it goes on; what was logged from there on will be logged again.
    """
    for logger in loggers:
        if not isinstance(logger, CSVLogger):
            continue
        rows = _rows(Path(logger.log_dir) / "metrics.csv", step)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*exists and is not empty")
            logger.experiment.metrics.extend(rows)  # type: ignore[arg-type]
        logger.save()


def _rows(path: Path, step: int) -> list[dict[str, str]]:
    """The rows before a step, as they are written. The last one may be half written."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        rows = [{key: text for key, text in row.items() if key and text} for row in csv.DictReader(file)]
    return [row for row in rows if row.get("step", "").isdigit() and int(row["step"]) < step]
