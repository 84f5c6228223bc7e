"""Coders: transform, entropy model and its lattice, as one module.

- ``coder`` analysis, bottleneck, synthesis; compress and decompress
- ``block_coder`` a transform for each vector, a lattice for each latent along the block
- ``bottleneck`` what one is; ``lattice_bottleneck`` the nearest point, straight through; ``dithered_bottleneck``;
  ``scalar_bottleneck`` CompressAI's
- ``ecvq`` entropy-constrained vector quantization, the optimum of each dimension
- ``gvq`` a free codebook as bottleneck, what lattices are compared with
- ``distortion`` squared and absolute error
- ``closed_search`` what a search with the decoder in its loop is: ``neighbour_search``, and ``block_search`` for blocks
- ``latent_order`` which latents share a lattice vector
- ``rd_search`` rate-distortion optimal quantization in a coder
"""

from ltc.models.block_coder import BlockCoder
from ltc.models.block_search import BlockSearch
from ltc.models.bottleneck import Bottleneck
from ltc.models.coder import Coder, Coding
from ltc.models.distortion import DISTORTIONS
from ltc.models.dithered_bottleneck import DitheredBottleneck
from ltc.models.ecvq import ECVQ
from ltc.models.gvq import GVQ
from ltc.models.latent_order import LatentOrder
from ltc.models.lattice_bottleneck import LatticeBottleneck
from ltc.models.neighbour_search import NeighbourSearch
from ltc.models.rd_search import RDSearch
from ltc.models.scalar_bottleneck import ScalarBottleneck

__all__ = [
    "DISTORTIONS",
    "ECVQ",
    "GVQ",
    "BlockCoder",
    "BlockSearch",
    "Bottleneck",
    "Coder",
    "Coding",
    "DitheredBottleneck",
    "LatentOrder",
    "LatticeBottleneck",
    "NeighbourSearch",
    "RDSearch",
    "ScalarBottleneck",
]
