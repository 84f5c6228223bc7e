"""Image codecs' networks, one a file; any of them takes any lattice (``ltc.images.swap.use_lattice``).

- ``image_network`` what they all are, and how a configuration becomes one
- ``factorized`` bmshj2018-factorized; ``hyperprior`` bmshj2018-hyperprior, mbt2018-mean; ``autoregressive`` mbt2018,
  cheng2020-attn: CompressAI's networks
- ``context`` networks with a choice of transforms and context models; ``block_context`` those that start at a lapped
  transform
- ``swint_charm``, ``lic_tcm`` SwinT-ChARM and LIC-TCM, written from their papers
- ``passes`` an image through a walk: measured, written or read; ``latent_parts`` its latents, ``notes`` on it
- ``codecs``, ``slices`` latent codecs: CompressAI's, and channel-wise autoregression with residual prediction
- ``multirate`` one network for all rates: ``block_transform``, ``gains``, ``squares``; ``relaxed`` its walk in
  training
- ``raster_scan`` what positions know of those before them; ``serial`` coders of one position after the other
- ``windows`` window attention
"""

from ltc.images.networks.autoregressive import Cheng2020Attention, JointAutoregressive
from ltc.images.networks.block_context import BlockContextNetwork
from ltc.images.networks.context import (
    ContextNetwork,
    channel_context,
    checkerboard_context,
    factorized_context,
    hyperprior_context,
    raster_context,
)
from ltc.images.networks.factorized import FactorizedPrior
from ltc.images.networks.hyperprior import MeanScaleHyperprior, ScaleHyperprior
from ltc.images.networks.image_network import ImageNetwork, assemble, scalar
from ltc.images.networks.lic_tcm import LICTCM, tcm_transforms
from ltc.images.networks.multirate import MultirateNetwork
from ltc.images.networks.swint_charm import SwinTChARM, swint_transforms

__all__ = [
    "LICTCM",
    "BlockContextNetwork",
    "Cheng2020Attention",
    "ContextNetwork",
    "FactorizedPrior",
    "ImageNetwork",
    "JointAutoregressive",
    "MeanScaleHyperprior",
    "MultirateNetwork",
    "ScaleHyperprior",
    "SwinTChARM",
    "assemble",
    "channel_context",
    "checkerboard_context",
    "factorized_context",
    "hyperprior_context",
    "raster_context",
    "scalar",
    "swint_transforms",
    "tcm_transforms",
]
