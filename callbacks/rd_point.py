"""The RD point: where a trained coder stands against R(D), written to ``rd_point.json``."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any, TypeVar

import pytorch_lightning as pl

from callbacks.calibration import CalibrationPhase
from callbacks.coder_file import CoderFile
from callbacks.file_note import file_note
from ltc.files import write_json
from ltc.theory import space_filling_gap

__all__ = ["RDPointWriter"]

_Kind = TypeVar("_Kind", bound=pl.Callback)


class RDPointWriter(pl.Callback):
    """Times the training, and after the test writes ``rd_point.json`` and logs its figures.

    Args:
        folder: where to write.
        description: what the point is a point of: source, transform, lattice, entropy_model, lambda, n, seed.

    Attributes:
        point: the content of ``rd_point.json``, after the test.
        function: the source's R(D), None where unknown; a numeric one remembers what it has solved.
    """

    def __init__(self, folder: str, description: dict[str, Any]) -> None:
        self.folder, self.description = Path(folder), dict(description)
        self.train_seconds = self.calibration_seconds = 0.0
        self.point: dict[str, Any] = {}
        self.function: Any = None

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._start = time.perf_counter()

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.train_seconds += time.perf_counter() - self._start
        # Calibration runs just before this callback, inside the time of training.
        self.calibration_seconds = sum(phase.seconds for phase in _of(trainer, CalibrationPhase))

    def on_test_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        source = trainer.datamodule.source  # type: ignore[attr-defined]
        figures = {k: float(v) for k, v in pl_module.evaluated.compute().items()}
        rate, distortion = figures["rate"], figures["distortion"]
        self.function = function = source.rate_distortion()
        bound = None if function is None else float(function.rate(distortion))
        gap = None if bound is None else rate - bound
        coded = next((c.coded_rate for c in _of(trainer, CoderFile)), None)
        self.point = {
            **self.description,
            "steps": trainer.global_step,
            "train_seconds": round(self.train_seconds, 3),
            "calibration_seconds": round(self.calibration_seconds, 3),
            "eval_symbols": int(figures["blocks"]) * pl_module.n,
            "rate": rate,
            "distortion": distortion,
            "bound_rate": bound,
            "gap": gap,
            "coded_rate": coded,
            # What the coded rate compares with: the rate of these very symbols, whose energy is not quite the source's.
            "sample_rate": figures["sample_rate"],
            "rate_error": figures["rate_error"],
            "distortion_error": figures["distortion_error"],
            "gap_error": None if function is None else _gap_error(figures, function.rate),
            "theory_gap": self._theory_gap(trainer, pl_module),
            "exact": pl_module.coder.bottleneck.exact and not _overstated(figures["sample_rate"], coded),
            **pl_module.coder.bottleneck.figures(),
        }
        if trainer.is_global_zero:
            write_json(self.folder / "rd_point.json", self.point)
        numbers = {k: self.point[k] for k in ("rate", "distortion", "bound_rate", "gap") if self.point[k] is not None}
        for logger in trainer.loggers:
            logger.log_metrics({f"rd/{k}": v for k, v in numbers.items()})

    def _theory_gap(self, trainer: pl.Trainer, pl_module: Any) -> float | None:
        """The high-rate gap of the lattice in bits per symbol, where theory has one: squared error, all dimensions.

        It is paid by the latents that carry something: of a vector's, those that vary by more than the lattice's error.
        """
        data: Any = trainer.datamodule  # type: ignore[attr-defined]
        lattice = getattr(pl_module.coder.bottleneck, "lattice", None)
        if lattice is None or lattice.nsm is None or data.source.measure != "mse":
            return None
        if data.source.latents != data.source.dim:
            return None
        carrying: float = data.source.latents
        if carrying > 1:
            latents = pl_module.coder.latents(data.calibration_batch(0).to(pl_module.device))
            varying = latents.detach().var(0) > lattice.nsm
            carrying = float(varying.sum()) / pl_module.n if bool(varying.any()) else carrying
        return carrying * space_filling_gap(lattice.nsm)


def _of(trainer: pl.Trainer, kind: type[_Kind]) -> list[_Kind]:
    """The trainer's callbacks of a kind."""
    return [c for c in trainer.callbacks if isinstance(c, kind)]  # type: ignore[attr-defined]


def _overstated(rate: float, coded: float | None) -> bool:
    """Whether a file is shorter than the rate: the prior has not learned the latents, and its rate is no figure."""
    return coded is not None and coded < rate and file_note(rate, coded) is not None


def _gap_error(figures: dict[str, float], rate_of: Any) -> float:
    """Standard error of rate - R(distortion): both come from the same blocks, so their covariance counts."""
    step = 1e-3 * figures["distortion"]
    slope = (rate_of(figures["distortion"] + step) - rate_of(figures["distortion"] - step)) / (2 * step)
    variance = (
        figures["rate_error"] ** 2 + (slope * figures["distortion_error"]) ** 2 - 2 * slope * figures["covariance"]
    )
    return math.sqrt(max(variance, 0.0))
