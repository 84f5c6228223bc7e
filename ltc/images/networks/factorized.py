"""Factorized prior: latents with a learned density for each channel, no side information."""

from __future__ import annotations

from compressai.models import FactorizedPrior as _FactorizedPrior
from torch import Tensor

from ltc.images.networks.image_network import ImageNetwork
from ltc.images.networks.passes import Pass, everything

__all__ = ["FactorizedPrior"]


class FactorizedPrior(ImageNetwork, _FactorizedPrior):
    """bmshj2018-factorized: Ballé, Minnen, Singh, Hwang & Johnston, ICLR 2018, arXiv:1802.01436; CompressAI's network.

    Args:
        N: channels of the transforms.
        M: channels of the latents.
    """

    factor = 16

    def code(self, coding: Pass) -> Tensor:
        return coding.density("y", self.entropy_bottleneck, everything)
