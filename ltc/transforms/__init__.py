"""Analysis and synthesis transforms: networks between a block of source symbols and its latents.

A transform is any class with ``(inputs: int, outputs: int)`` first; configuration gives the rest.

- ``gain`` one learned factor, no transform at all (ECLQ)
- ``linear`` a matrix, or a product of matrices
- ``compander`` maps of a latent's values along a block: linear, perceptron
- ``mlp`` a multilayer perceptron
- ``fitted`` what is told covariance and mean of the source before training:
- ``klt`` the Karhunen-Loève transform and its inverse, fitted to data before training
- ``standardized`` a network of symbols that are standardized first
- ``log_spectrum`` no network: the spectra that are the symbols of recorded speech
"""

from ltc.transforms.compander import LinearCompander, MLPCompander
from ltc.transforms.fitted import Fitted
from ltc.transforms.gain import Gain
from ltc.transforms.klt import KLT, InverseKLT
from ltc.transforms.linear import Linear
from ltc.transforms.mlp import MLP
from ltc.transforms.standardized import Standardized, StandardizedAnalysis, StandardizedSynthesis

__all__ = [
    "KLT",
    "MLP",
    "Fitted",
    "Gain",
    "InverseKLT",
    "Linear",
    "LinearCompander",
    "MLPCompander",
    "Standardized",
    "StandardizedAnalysis",
    "StandardizedSynthesis",
]
