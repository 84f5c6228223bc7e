"""Training: the Lightning modules, what they measure, and the last phase of a coder's training.

- ``rate_distortion_module`` trains and evaluates coders of vectors
- ``image_module`` trains and evaluates image networks; ``multirate_module`` those of many rates,
  ``searched_module`` their decoders on what the encoder's search finds
- ``moments`` rate and distortion with standard errors (torchmetrics)
- ``clock`` how long training took
- ``fitting`` of transforms to the source, before training
- ``start`` from a coder that was trained at another lambda
- ``alternation`` the quantized phase of a one-shot coder, the encoder's search in the loop
- ``calibration`` scale, decoder and prior on truly quantized latents, after training

Each is loaded at its first use: Lightning and torchmetrics take seconds to import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ltc.lazy import lazy_names

if TYPE_CHECKING:
    from ltc.training.alternation import Alternation
    from ltc.training.calibration import Calibration
    from ltc.training.image_module import ImageModule
    from ltc.training.moments import RateDistortionMoments
    from ltc.training.multirate_module import MultirateImageModule
    from ltc.training.rate_distortion_module import RateDistortionModule
    from ltc.training.searched_module import SearchedImageModule

__all__ = [
    "Alternation",
    "Calibration",
    "ImageModule",
    "MultirateImageModule",
    "RateDistortionModule",
    "RateDistortionMoments",
    "SearchedImageModule",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "Alternation": "alternation",
        "Calibration": "calibration",
        "ImageModule": "image_module",
        "MultirateImageModule": "multirate_module",
        "RateDistortionModule": "rate_distortion_module",
        "RateDistortionMoments": "moments",
        "SearchedImageModule": "searched_module",
    },
)
