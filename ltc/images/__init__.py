"""Lattices inside CompressAI's image models: bottlenecks with the calls of its own.

- ``gaussian_conditional`` latents with a scale and a mean each: the hyperprior's
- ``entropy_bottleneck`` latents with a learned density a channel: the factorized prior's;
  ``triangular_bottleneck`` the same for lattices that have no trellis, as learned ones
- ``swap`` one for the other in a whole model
- ``layout`` which latents make up a vector, and what is left over
- ``position_coder`` position by position, for context models; ``latent_coder`` all at once
- ``latent_search`` the cheapest points in the place of the nearest ones
- ``exact`` numbers that encoder and decoder share on any two machines; ``channel_masses`` of learned densities
- ``lattice_use`` which lattices latents really use; ``start`` a network from one that has been trained
- ``networks`` CompressAI's networks, and some of our own; ``padding`` images to the sides that they take;
  ``tiles`` big pictures, part by part and without seams
- ``refinement`` an encoder's search with the decoder in the loop; ``rate_search`` the part of it that a trellis does
- ``estimates`` what a network makes of a whole image, ``quality`` bits, PSNR and MS-SSIM
"""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    # CompressAI imports torch_geometric, which still calls torch.jit.script: nothing that a user could do about it.
    warnings.filterwarnings("ignore", message=".*torch.jit.script.* is deprecated", category=FutureWarning)
    import compressai.models  # noqa: F401

from ltc.images.entropy_bottleneck import LatticeEntropyBottleneck
from ltc.images.gaussian_conditional import LatticeGaussianConditional
from ltc.images.layout import Layout
from ltc.images.position_coder import SerialDecoder, SerialEncoder
from ltc.images.refinement import Refined, Refinement
from ltc.images.swap import use_lattice
from ltc.images.triangular_bottleneck import TriangularEntropyBottleneck

__all__ = [
    "LatticeEntropyBottleneck",
    "LatticeGaussianConditional",
    "Layout",
    "Refined",
    "Refinement",
    "SerialDecoder",
    "SerialEncoder",
    "TriangularEntropyBottleneck",
    "use_lattice",
]
