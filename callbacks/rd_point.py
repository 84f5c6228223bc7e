"""After the test: the job's RD point, made once and handed to all that show it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytorch_lightning as pl

from experiment.result import Result

__all__ = ["RDPoint"]


class RDPoint(pl.Callback):
    """Makes the RD point when the test is over, and shows it.

    Args:
        folder: the job's.
        description: what the point is a point of: source, transform, lattice, entropy_model, lambda, n, seed.
        figures: the function that makes the rest of it of the module, the data, the steps and R(D)
            (`experiment.point.rd_point`); None where a process has nothing to say.
        views: by name, what is done with the `experiment.result.Result`, in this order, in the first process.
    """

    def __init__(
        self,
        folder: str,
        description: dict[str, Any],
        figures: Callable[..., dict[str, Any] | None],
        views: Mapping[str, Callable[[Result], Any]],
    ) -> None:
        self.folder, self.description = Path(folder), dict(description)
        self.figures, self.views = figures, views

    def on_test_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        data: Any = trainer.datamodule  # type: ignore[attr-defined]
        function = data.rate_distortion()
        figures = self.figures(pl_module, data, trainer.global_step, function)
        if not trainer.is_global_zero or figures is None:
            return
        result = Result(self.folder, self.description | figures, pl_module, data, function, trainer.loggers)
        for view in self.views.values():
            view(result)
