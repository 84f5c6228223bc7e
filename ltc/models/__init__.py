"""Coders: transform, entropy model and its lattice, as one module.

- ``coder`` analysis, bottleneck, synthesis; compress and decompress
- ``block_coder`` a transform for each vector, a lattice for each latent along the block
- ``bottleneck`` straight-through and dithered lattices, CompressAI's scalar bottleneck
- ``ecvq`` entropy-constrained vector quantization, the optimum of each dimension
- ``gvq`` a free codebook as bottleneck, what lattices are compared with
- ``distortion`` squared and absolute error
- ``rd_search`` rate-distortion optimal quantization in a coder
"""

from ltc.models.block_coder import BlockCoder
from ltc.models.bottleneck import Bottleneck, DitheredBottleneck, LatticeBottleneck, ScalarBottleneck
from ltc.models.coder import Coder, Coding
from ltc.models.distortion import DISTORTIONS
from ltc.models.ecvq import ECVQ
from ltc.models.gvq import GVQ
from ltc.models.rd_search import RDSearch

__all__ = [
    "DISTORTIONS",
    "ECVQ",
    "GVQ",
    "BlockCoder",
    "Bottleneck",
    "Coder",
    "Coding",
    "DitheredBottleneck",
    "LatticeBottleneck",
    "RDSearch",
    "ScalarBottleneck",
]
