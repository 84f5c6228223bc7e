"""Scale hyperprior, and mean and scale hyperprior: latents whose Gaussians are sent as side information."""

from __future__ import annotations

from compressai.models import MeanScaleHyperprior as _MeanScaleHyperprior
from compressai.models import ScaleHyperprior as _ScaleHyperprior

from ltc.images.networks.image_network import ImageNetwork

__all__ = ["MeanScaleHyperprior", "ScaleHyperprior"]


class ScaleHyperprior(_ScaleHyperprior, ImageNetwork):
    """bmshj2018-hyperprior: Ballé, Minnen, Singh, Hwang & Johnston, ICLR 2018, arXiv:1802.01436; CompressAI's network.

    Args:
        N: channels of the transforms and of the hyper-latents.
        M: channels of the latents.
    """


class MeanScaleHyperprior(_MeanScaleHyperprior, ImageNetwork):
    """mbt2018-mean: Minnen, Ballé & Toderici, NeurIPS 2018, arXiv:1809.02736; CompressAI's network.

    Args:
        N: channels of the transforms and of the hyper-latents.
        M: channels of the latents.
    """
