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

from ltc.images.networks.gains import price_of
from ltc.images.networks.multirate import MultirateNetwork
from ltc.training.image_module import ImageModule

__all__ = ["MultirateImageModule"]

# Logarithms of the factors that are tried, and on how many crops.
_FACTORS, _CROPS = (-0.6, -0.5, -0.4, -0.3, -0.2, -0.1, 0.0, 0.1, 0.2), 8


# Steps between two looks at what the decoder makes of latents, and the share of the new one in the running mean.
_EVERY, _LERP = 10, 0.1


class MultirateImageModule(ImageModule):
    """Trains a ``ltc.images.networks.MultirateNetwork``; evaluates it at one lambda.

    What is minimized is the mean of ``(rate + lambda * distortion) / sqrt(lambda)`` over crops and lambdas: high rates
    have large costs, and would otherwise be all that counts.

    Args:
        network: the network; its lambdas are drawn evenly in their logarithms.
        searched: whether latents are those that the encoder's search finds, in a later training of a network.
        settings: of ``ImageModule``; its lambda is that of validation and test.

    Raises:
        TypeError: for another network.
        ValueError: as ``ImageModule`` does, or if the network has no rate for lambda.
    """

    network: MultirateNetwork

    def __init__(self, network: MultirateNetwork, searched: bool = False, **settings: Any) -> None:
        if not isinstance(network, MultirateNetwork):
            raise TypeError(f"A network of many rates is needed (network=multirate), got a {type(network).__name__}.")
        super().__init__(network, **settings)
        self._seen: deque[Tensor] = deque(maxlen=_CROPS)
        self._searched = searched
        self._energies: Tensor | None = None

    def on_train_start(self) -> None:
        super().on_train_start()
        if self._searched:
            self.network.prices_of = self._prices_of

    def _prices_of(self, x: Tensor) -> Tensor:
        """Bits for a unit of squared error of a latent, in steps of the lattice, as the encoder's search has them."""
        network, level = self.network, self.network.g_a.level
        if self._energies is None or self.global_step % _EVERY == 0:
            now = _energies(network, x)
            self._energies = now if self._energies is None else self._energies.lerp(now, _LERP)
        with torch.no_grad():
            # A price for the mean over three colours of values from 0 to 255.
            prices = price_of(level, network.prices).to(x)[:, None, None, None] * (255**2 / 3)
            return (prices * network.inverse(level).square() * self._energies).clamp(min=1e-12)

    def _training_loss(self, batch: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        self._seen.extend(batch.split(1))
        prices = self.network.at_random(len(batch)).to(batch)
        rates, distortions = self._rates_and_distortions(batch)
        loss = ((rates + prices * distortions) * (self.lmbda / prices).sqrt()).mean()
        return rates.mean(), distortions.mean(), loss

    def on_validation_epoch_start(self) -> None:
        self.network.at(self.lmbda)

    def on_train_end(self) -> None:
        self.network.prices_of = None
        if not self._searched:
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


def _energies(network: MultirateNetwork, x: Tensor) -> Tensor:
    """Mean squared norm of the synthesis transform's derivative by each channel of its input [1, channels, 1, 1]."""
    with torch.no_grad():
        latents = network.g_a.analysis(x)
    with torch.enable_grad():
        image = network.g_s(latents.requires_grad_())
        signs = torch.randint_like(image, 2) * 2 - 1
        (slopes,) = torch.autograd.grad(image, latents, signs)
    return slopes.square().mean((0, 2, 3), keepdim=True)


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
