"""Coders (transform + lattice + entropy model) and the one LightningModule that trains them.

- ``coder`` analysis, bottleneck, synthesis; compress and decompress
- ``block_coder`` a transform for each vector, a lattice for each latent along the block
- ``bottleneck`` straight-through and dithered lattices, CompressAI's scalar bottleneck
- ``ecvq`` entropy-constrained vector quantization, the optimum of each dimension
- ``gvq`` a free codebook as bottleneck, what lattices are compared with
- ``distortion`` squared and absolute error
- ``moments`` rate and distortion with standard errors (torchmetrics)
- ``rd_search`` rate-distortion optimal quantization in a coder
- ``calibration`` scale, decoder and prior on truly quantized latents, after training
- ``rate_distortion_module`` training and evaluation (Lightning)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ltc.models.block_coder import BlockCoder
from ltc.models.bottleneck import Bottleneck, DitheredBottleneck, LatticeBottleneck, ScalarBottleneck
from ltc.models.calibration import Calibration
from ltc.models.coder import Coder, Coding
from ltc.models.distortion import DISTORTIONS
from ltc.models.ecvq import ECVQ
from ltc.models.gvq import GVQ
from ltc.models.rd_search import RDSearch

if TYPE_CHECKING:
    from ltc.models.moments import RateDistortionMoments
    from ltc.models.rate_distortion_module import RateDistortionModule

__all__ = [
    "DISTORTIONS",
    "ECVQ",
    "GVQ",
    "BlockCoder",
    "Bottleneck",
    "Calibration",
    "Coder",
    "Coding",
    "DitheredBottleneck",
    "LatticeBottleneck",
    "RDSearch",
    "RateDistortionModule",
    "RateDistortionMoments",
    "ScalarBottleneck",
]

# Lightning and torchmetrics take seconds to import, and a codec needs neither.
_LAZY = {"RateDistortionMoments": "moments", "RateDistortionModule": "rate_distortion_module"}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(importlib.import_module(f"{__name__}.{_LAZY[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
