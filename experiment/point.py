"""The RD point: where a trained coder stands against R(D), the content of ``rd_point.json``."""

from __future__ import annotations

import math
from typing import Any

import torch

from experiment.file_note import file_note
from ltc.theory import space_filling_gap

__all__ = ["rd_point", "theory_gap"]


def rd_point(module: Any, data: Any, steps: int, function: Any) -> dict[str, Any]:
    """The figures of a trained and evaluated coder. All processes of a job take part.

    Args:
        module: a `ltc.training.RateDistortionModule` after its test.
        data: the data module that it was tested on.
        steps: of its training.
        function: R(D) of the source; None where it is unknown.
    """
    figures = {k: float(v) for k, v in module.evaluated.compute().items()}
    rate, distortion, coded = figures["rate"], figures["distortion"], module.coded_rate
    bound = None if function is None else float(function.rate(distortion))
    bottleneck = module.coder.bottleneck
    return {
        "steps": steps,
        "train_seconds": round(module.clock.seconds, 3),
        "calibration_seconds": round(module.clock.calibration, 3),
        "eval_symbols": int(figures["blocks"]) * module.n,
        "rate": rate,
        "distortion": distortion,
        "bound_rate": bound,
        "gap": None if bound is None else rate - bound,
        "coded_rate": coded,
        # What the coded rate compares with: the rate of these very symbols, whose energy is not quite the source's.
        "sample_rate": figures["sample_rate"],
        "rate_error": figures["rate_error"],
        "distortion_error": figures["distortion_error"],
        "gap_error": None if function is None else _gap_error(figures, function.rate),
        "theory_gap": theory_gap(module, data),
        "exact": bottleneck.exact and not _overstated(figures["sample_rate"], coded),
        **bottleneck.figures(),
    }


# To tell by which latents vary.
_BLOCKS = 64


def theory_gap(module: Any, data: Any) -> float | None:
    """The high-rate gap of the lattice in bits per symbol, where theory has one: squared error, all dimensions.

    It is paid by the latents that carry something: of a vector's, those that vary by more than the lattice's error.
    """
    lattice = getattr(module.coder.bottleneck, "lattice", None)
    if lattice is None or lattice.nsm is None or data.source.measure != "mse":
        return None
    if data.source.latents != data.source.dim:
        return None
    carrying: float = data.source.latents
    if carrying > 1:
        # A batch of long blocks may be a single one, which does not vary.
        first = data.calibration_batch(0)
        more = [data.calibration_batch(index) for index in range(1, math.ceil(_BLOCKS / len(first)))]
        varying = module.coder.latents(torch.cat([first, *more]).to(module.device)).detach().var(0) > lattice.nsm
        carrying = float(varying.sum()) / module.n if bool(varying.any()) else carrying
    return carrying * space_filling_gap(lattice.nsm)


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
