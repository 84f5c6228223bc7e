"""What a job has come to, for all that show it: tables, pictures, files, loggers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ltc.files import write_json

__all__ = ["Result", "log_point", "write_point"]


@dataclass(frozen=True)
class Result:
    """A job's result.

    Attributes:
        folder: the job's.
        point: the content of ``rd_point.json``.
        module: the LightningModule, after its test.
        data: the data module.
        function: R(D) of the source, None where unknown; a numeric one remembers what it has solved.
        loggers: Lightning's, of this job.
    """

    folder: Path
    point: dict[str, Any]
    module: Any
    data: Any
    function: Any
    loggers: Sequence[Any]

    def log_picture(self, name: str, path: Path) -> None:
        """Hands a picture to the loggers that take pictures."""
        for logger in self.loggers:
            if hasattr(logger, "log_image"):
                logger.log_image(name, [str(path)])


def write_point(result: Result) -> None:
    """``rd_point.json``, whole or not at all."""
    write_json(result.folder / "rd_point.json", result.point)


def log_point(result: Result, names: Sequence[str]) -> None:
    """The figures of these names to all loggers, as ``rd/…``."""
    figures = {f"rd/{name}": result.point[name] for name in names if result.point[name] is not None}
    for logger in result.loggers:
        logger.log_metrics(figures)
