"""Networks whose latents are coded one position after the other: mbt2018 and cheng2020-attn."""

from __future__ import annotations

from compressai.models import Cheng2020Attention as _Cheng2020Attention
from compressai.models import JointAutoregressiveHierarchicalPriors as _JointAutoregressive
from torch import Tensor

from ltc.images.exact import Exact
from ltc.images.networks.image_network import ImageNetwork
from ltc.images.networks.passes import Pass
from ltc.images.networks.raster_scan import RasterContext

__all__ = ["Cheng2020Attention", "JointAutoregressive"]


class _Autoregressive(ImageNetwork, _JointAutoregressive):
    """A position sees those before it, in evaluation as in files; training sees all at once."""

    def code(self, coding: Pass) -> Tensor:
        side = Exact(self.h_s)(coding.density("z", self.entropy_bottleneck, self.h_a))
        networks = self.context_prediction, self.entropy_parameters
        return coding.positions(self.gaussian_conditional, RasterContext(side, *networks))


class JointAutoregressive(_Autoregressive):
    """mbt2018: Minnen, Ballé & Toderici, NeurIPS 2018, arXiv:1809.02736; CompressAI's network.

    Args:
        N: channels of the transforms and of the hyper-latents.
        M: channels of the latents.
    """


class Cheng2020Attention(_Autoregressive, _Cheng2020Attention):
    """cheng2020-attn: Cheng, Sun, Takeuchi & Katto, CVPR 2020, arXiv:2001.01568; CompressAI's network, which has one
    Gaussian for each latent where the paper has three.

    Args:
        N: channels of everything.
    """
