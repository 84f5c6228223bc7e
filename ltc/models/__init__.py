"""Coders (transform + lattice + entropy model) and the one LightningModule that trains them.

- ``coder`` analysis, bottleneck, synthesis
- ``bottleneck`` straight-through and dithered lattices, CompressAI's scalar bottleneck
- ``distortion`` squared and absolute error
- ``moments`` rate and distortion with standard errors (torchmetrics)
- ``rd_search`` rate-distortion optimal quantization in a coder
- ``calibration`` scale, decoder and prior on truly quantized latents, after training
- ``rate_distortion_module`` training and evaluation (Lightning)
"""

from ltc.models.bottleneck import Bottleneck, DitheredBottleneck, LatticeBottleneck, ScalarBottleneck
from ltc.models.calibration import Calibration
from ltc.models.coder import Coder, Coding
from ltc.models.distortion import DISTORTIONS
from ltc.models.moments import RateDistortionMoments
from ltc.models.rate_distortion_module import RateDistortionModule
from ltc.models.rd_search import RDSearch

__all__ = [
    "DISTORTIONS",
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
