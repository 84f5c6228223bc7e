"""Training: the Lightning modules, what they measure, and the last phase of a coder's training.

- ``rate_distortion_module`` trains and evaluates coders of vectors
- ``image_module`` trains and evaluates image networks
- ``moments`` rate and distortion with standard errors (torchmetrics)
- ``clock`` how long training took
- ``calibration`` scale, decoder and prior on truly quantized latents, after training

Each is loaded at its first use: Lightning and torchmetrics take seconds to import.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ltc.training.calibration import Calibration
    from ltc.training.image_module import ImageModule
    from ltc.training.moments import RateDistortionMoments
    from ltc.training.rate_distortion_module import RateDistortionModule

__all__ = ["Calibration", "ImageModule", "RateDistortionModule", "RateDistortionMoments"]

_FILES = {
    "Calibration": "calibration",
    "ImageModule": "image_module",
    "RateDistortionModule": "rate_distortion_module",
    "RateDistortionMoments": "moments",
}


def __getattr__(name: str) -> Any:
    if name in _FILES:
        return getattr(importlib.import_module(f"{__name__}.{_FILES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
