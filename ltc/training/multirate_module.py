"""Training of an image network for all its rates at once: each crop has a lambda of its own.

Noise in the place of rounding is as large for latents that are next to nothing as for others, where rounding has no
error at all: gains that were trained with it round too finely. So at the end each lambda's gains are scaled by what
costs least when latents are truly quantized, on crops of the training set.
"""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from ltc.images.networks.multirate import MultirateNetwork
from ltc.training.image_module import ImageModule

__all__ = ["MultirateImageModule"]

# Logarithms of the factors that are tried, and on how many crops.
_FACTORS, _CROPS = (-0.6, -0.5, -0.4, -0.3, -0.2, -0.1, 0.0, 0.1, 0.2), 8


class MultirateImageModule(ImageModule):
    """Trains a ``ltc.images.networks.MultirateNetwork``; evaluates it at one lambda.

    What is minimized is the mean of ``(rate + lambda * distortion) / sqrt(lambda)`` over crops and lambdas: high rates
    have large costs, and would otherwise be all that counts.

    Args:
        network: the network; its lambdas are drawn evenly in their logarithms.
        settings: of ``ImageModule``; its lambda is that of validation and test.

    Raises:
        TypeError: for another network.
        ValueError: as ``ImageModule`` does, or if the network has no rate for lambda.
    """

    network: MultirateNetwork

    def __init__(self, network: MultirateNetwork, **settings: Any) -> None:
        if not isinstance(network, MultirateNetwork):
            raise TypeError(f"A network of many rates is needed (network=multirate), got a {type(network).__name__}.")
        super().__init__(network, **settings)
        self._seen: deque[Tensor] = deque(maxlen=_CROPS)

    def _training_loss(self, batch: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        self._seen.extend(batch.split(1))
        prices = self.network.at_random(len(batch)).to(batch)
        rates, distortions = self._rates_and_distortions(batch)
        return rates.mean(), distortions.mean(), self._weighed(rates, distortions, prices)

    def _weighed(self, rates: Tensor, distortions: Tensor, prices: Tensor) -> Tensor:
        """The loss of crops with lambdas of their own."""
        return ((rates + prices * distortions) * (self.lmbda / prices).sqrt()).mean()

    def on_validation_epoch_start(self) -> None:
        self.network.at(self.lmbda)

    def on_train_end(self) -> None:
        self._scale_gains()
        super().on_train_end()
        self.network.at(self.lmbda)

    @torch.no_grad()
    def _scale_gains(self) -> None:
        """Each level's gains times the factor of least rate + lambda * distortion with latents that are quantized."""
        if not self._seen:
            return
        network, training, crops = self.network, self.network.training, torch.cat(list(self._seen))
        into, out_of = network.g_a.gain.logs, network.inverse.logs
        before = into.clone(), out_of.clone()
        network.update(force=True)
        network.eval()

        def cost(level: int, factor: float) -> float:
            network.at(network.prices[level])
            into[level], out_of[level] = before[0][level] + factor, before[1][level] - factor
            rates, distortions = self._rates_and_distortions(crops)
            mine = (rates + network.prices[level] * distortions).mean()
            return float(self.all_gather(mine).mean())  # type: ignore[union-attr]

        for level in range(len(network.prices)):
            best = _descent(functools.partial(cost, level), _FACTORS)
            into[level], out_of[level] = before[0][level] + best, before[1][level] - best
        self._seen.clear()
        network.train(training)


def _descent(cost: Callable[[float], float], values: Sequence[float]) -> float:
    """The value of least cost, found from the middle one by going down: the same steps in each process of a job."""
    known = functools.cache(cost)
    at = len(values) // 2
    while True:
        near = values[max(at - 1, 0) : at + 2]
        best = values.index(min(near, key=known))
        if best == at:
            return values[at]
        at = best
