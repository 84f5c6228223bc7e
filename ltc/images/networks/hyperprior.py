"""Scale hyperprior, and mean and scale hyperprior: latents whose Gaussians are sent as side information."""

from __future__ import annotations

from compressai.models import MeanScaleHyperprior as _MeanScaleHyperprior
from compressai.models import ScaleHyperprior as _ScaleHyperprior
from torch import Tensor

from ltc.images.exact import Exact
from ltc.images.networks.image_network import ImageNetwork
from ltc.images.networks.passes import Pass

__all__ = ["MeanScaleHyperprior", "ScaleHyperprior"]


class ScaleHyperprior(ImageNetwork, _ScaleHyperprior):
    """bmshj2018-hyperprior: Ballé, Minnen, Singh, Hwang & Johnston, ICLR 2018, arXiv:1802.01436; CompressAI's network.

    Args:
        N: channels of the transforms and of the hyper-latents.
        M: channels of the latents.
    """

    def code(self, coding: Pass) -> Tensor:
        z_hat = coding.density("z", self.entropy_bottleneck, lambda y: self.h_a(y.abs()))
        return coding.gaussians(self.gaussian_conditional, Exact(self.h_s)(z_hat), None)


class MeanScaleHyperprior(ImageNetwork, _MeanScaleHyperprior):
    """mbt2018-mean: Minnen, Ballé & Toderici, NeurIPS 2018, arXiv:1809.02736; CompressAI's network.

    Args:
        N: channels of the transforms and of the hyper-latents.
        M: channels of the latents.
    """

    def code(self, coding: Pass) -> Tensor:
        z_hat = coding.density("z", self.entropy_bottleneck, self.h_a)
        scales, means = Exact(self.h_s)(z_hat).chunk(2, 1)
        return coding.gaussians(self.gaussian_conditional, scales, means)
