"""Training of an image network's decoder on the points that its encoder's search finds.

A search leaves other points than the nearest ones: more zeros, and what remains is larger or smaller than the analysis
said. Contexts take the zeros for smaller scales, and the synthesis has never seen such latents. So search and decoder
take turns: the search finds points for some crops with the network as it is, and context models, gains of the decoder
and synthesis learn from these. Neither step raises the cost of the points at hand; the analysis, which only says where
the search begins, stays as it is.

An alternating descent as in entropy-constrained vector quantization (Chou, Lookabaugh & Gray, "Entropy-constrained
vector quantization", IEEE Trans. ASSP 37 (1989)).
"""

from __future__ import annotations

import copy
from collections import deque
from typing import Any, NamedTuple

import torch
from compressai.entropy_models import EntropyBottleneck, GaussianConditional
from torch import Tensor

from ltc.images.networks.multirate import MultirateNetwork
from ltc.images.networks.passes import Estimate, Select, everything
from ltc.images.networks.relaxed import Relaxed
from ltc.images.refinement import Refinement
from ltc.training.multirate_module import MultirateImageModule

__all__ = ["SearchedImageModule"]

# Likelihoods are at least this, as in CompressAI.
_LEAST = 1e-9


class _Found(NamedTuple):
    """Crops, each with its rate, and latents and hyper-latents that the search has found for them."""

    crops: Tensor
    level: Tensor
    prices: Tensor
    y: Tensor
    z: Tensor


class SearchedImageModule(MultirateImageModule):
    """Trains a network of many rates that has been trained before (``init_from``), for the encoder's search.

    Args:
        network: of lattices with a trellis, or trellis codes: with others the search finds nearest points.
        every: steps between two batches of crops that are searched, once half of those that are kept are there.
        kept: how many of these batches are kept; each step takes one of them.
        settings: of ``ImageModule``.

    Raises:
        TypeError, ValueError: as ``MultirateImageModule`` does, or if ``every`` or ``kept`` is less than 1.
    """

    def __init__(self, network: MultirateNetwork, every: int = 4, kept: int = 64, **settings: Any) -> None:
        super().__init__(network, **settings)
        if every < 1 or kept < 1:
            raise ValueError(f"every and kept are at least 1, got {every} and {kept}.")
        self._every, self._kept, self._found = every, kept, deque[_Found](maxlen=kept)
        for part in (network.g_a, network.h_a):
            part.requires_grad_(False)

    def _training_loss(self, batch: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        # Many at the start: a decoder that learns from a few batches learns them by heart.
        if len(self._found) < self._kept // 2 or self.global_step % self._every == 0:
            self._found.append(self._search(batch))
        found = self._found[int(torch.randint(len(self._found), ()))]
        self.network.g_a.level = found.level
        out = self.network.relaxed(_Given(found.y, found.z))
        rates, distortions = self._figures(out, found.crops)
        return rates.mean(), distortions.mean(), self._weighed(rates, distortions, found.prices)

    @torch.no_grad()
    def _search(self, batch: Tensor) -> _Found:
        network, prices = copy.deepcopy(self.network).eval(), self.network.at_random(len(batch)).to(batch)
        network.update(force=True)
        latents, hyper = [], []
        for crop, price in zip(batch.split(1), prices.tolist(), strict=True):
            network.at(price)
            found = Refinement(price, steps=0)(network, crop)
            decoded = network.code(Estimate(found.y, found.z))
            latents.append(decoded.to(crop) / network.inverse(network.g_a.level))
            hyper.append(found.z)
        return _Found(batch, self.network.g_a.level, prices, torch.cat(latents), torch.cat(hyper))  # type: ignore[arg-type]


class _Given(Relaxed):
    """Latents and hyper-latents that were found: there is no noise in the place of rounding.

    Latents stay where they are when means move, which says nothing of what another search would find; so their bits are
    those of a cell of volume 1 around them, whatever the lattice.
    """

    def density(self, name: str, bottleneck: EntropyBottleneck, analysis: Select) -> Tensor:
        decoded, likelihoods = bottleneck(self.z, training=False)
        self._parts.setdefault(name, []).append(likelihoods.flatten(1))
        return decoded

    def gaussians(
        self, conditional: GaussianConditional, scales: Tensor, means: Tensor | None, select: Select = everything
    ) -> Tensor:
        y, scales = select(self.y), torch.maximum(scales, conditional.lower_bound_scale.bound)
        away = (y if means is None else y - means).abs()
        likelihoods = torch.special.ndtr((0.5 - away) / scales) - torch.special.ndtr((-0.5 - away) / scales)
        self._parts.setdefault("y", []).append(likelihoods.clamp(min=_LEAST).flatten(1))
        return y
