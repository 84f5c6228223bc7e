"""A search that closes the loop: one image's latents descend the cost of what the decoder makes of them.

An analysis transform was trained for all images; the latents of one image can do better, at no cost to its decoder.
Errors of latents do not add up in a decoder, so that a search must look at the decoded image: here latents and
hyper-latents descend ``bits/pixel + lambda * squared error`` of the quantized image, by gradients through synthesis,
prior and (straight through) the nearest lattice point. Around what they come to, the trellis finds the cheapest points
(``ltc.images.rate_search``). The best of all points looked at is kept, the nearest points of the analysis among them.

Yang, Bamler & Mandt, "Improving inference for neural image compression", NeurIPS 2020, arXiv:2006.04240, section 3, do
this for rounding, with Gumbel noise in its place; Campos, Meierhans, Djelouah & Schroers, "Content adaptive
optimization for neural image compression", CVPR workshops 2019, straight through.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import torch
from compressai.entropy_models import EntropyBottleneck, GaussianConditional
from torch import Tensor

from ltc import lattices
from ltc.images.exact import with_derivatives
from ltc.images.networks.passes import Latents
from ltc.images.networks.relaxed import Relaxed
from ltc.images.padding import pad_to_multiple
from ltc.images.quality import bits
from ltc.images.rate_search import RateSearch, decoded_latents
from ltc.images.swap import use_lattice
from ltc.pixels import to_image

if TYPE_CHECKING:
    from ltc.images.networks.image_network import ImageNetwork

__all__ = ["Refined", "Refinement"]

# Of the bits' weight in the trellis searches, one after the other: with all of it latents that others would have needed
# become zero, with a part of it some of them come back.
_SHARES = (1.0, 0.8)


class Refined(NamedTuple):
    """What a search has found.

    Attributes:
        y: latents of one image, for ``ImageNetwork.encode``; their nearest points are what is sent.
        z: hyper-latents; None where there are none.
        before: cost of the analysis transform's own latents.
        after: cost of these.
    """

    y: Latents
    z: Tensor | None
    before: float
    after: float

    @property
    def latents(self) -> tuple[Latents, Tensor | None]:
        """y and z."""
        return self.y, self.z


@dataclass
class Refinement:
    """The search for one image.

    Args:
        lmbda: lambda, as in training: the cost is bits per pixel + lambda * mean squared error of values from 0 to 255.
        steps: of the descent; 0 for the trellis search alone.
        lr: learning rate at its start, in units of the lattice's step; it falls to 0.
        every: steps between two looks at the true cost.

    Raises:
        ValueError: if there are no steps, or lambda or the rate is not positive.

    Examples:
        >>> from ltc.images.networks import MeanScaleHyperprior
        >>> network = MeanScaleHyperprior(8, 16).eval()
        >>> network.update()
        True
        >>> refined = Refinement(lmbda=0.01, steps=4, every=2)(network, torch.rand(1, 3, 64, 64))
        >>> refined.after <= refined.before
        True
    """

    lmbda: float
    steps: int = 200
    lr: float = 0.1
    every: int = 10

    def __post_init__(self) -> None:
        if not self.lmbda > 0 or self.steps < 0 or self.every < 1 or not self.lr > 0:
            raise ValueError(
                "A refinement has lambda > 0, steps >= 0, every >= 1 and lr > 0, got "
                f"{self.lmbda:g}, {self.steps}, {self.every} and {self.lr:g}."
            )

    def __call__(
        self,
        network: ImageNetwork,
        x: Tensor,
        size: tuple[int, int] | None = None,
        progress: Callable[[int], None] = lambda steps: None,
    ) -> Refined:
        """Refines the latents of one image.

        Args:
            network: in evaluation mode, with its tables.
            x: the image [1, 3, height, width] in [0, 1], padded to a multiple of the network's factor.
            size: height and width of the part that counts; all of it by default.
            progress: is told the steps that were taken.

        Raises:
            ValueError: for a network that codes position after position: its walk has no derivative.
        """
        height, width = size or x.shape[2:]
        # Whoever evaluates may be in inference mode, whose tensors have no derivatives, ever.
        with torch.inference_mode(False), torch.enable_grad():
            return self._search(network, x.clone(), height, width, progress)

    def of_pixels(
        self, network: ImageNetwork, pixels: Tensor, progress: Callable[[int], None] = lambda steps: None
    ) -> Refined:
        """Refines the latents of an image of any size.

        Args:
            network: as above.
            pixels: uint8 [3, height, width].
            progress: as above.
        """
        height, width = pixels.shape[1:]
        return self(network, pad_to_multiple(to_image(pixels)[None], network.factor), (height, width), progress)

    def _search(
        self, network: ImageNetwork, x: Tensor, height: int, width: int, progress: Callable[[int], None]
    ) -> Refined:
        relaxed = _relaxed(network)
        with torch.no_grad(), with_derivatives():
            latents = Relaxed(network.g_a(x))
            relaxed.code(latents)  # finds the hyper-latents
        best = self._true(network, latents.y, latents.z, x, height, width)
        before = best.after
        for found in self._descend(network, relaxed, best, x, height, width, progress):
            best = min(best, found, key=lambda found: found.after)
        around, z = decoded_latents(network, *best.latents)
        search = RateSearch(network, x, (height, width))
        curvatures = search.curvatures(around, z)
        for share in _SHARES if around else ():
            # The cost in bits: lambda is a price for the mean over three colours.
            price = self.lmbda * 255**2 / 3 / share
            around = search(around, z, curvatures, price)
            best = min(best, self._true(network, around, z, x, height, width), key=lambda found: found.after)
        return best._replace(before=before)

    def _descend(
        self,
        network: ImageNetwork,
        relaxed: ImageNetwork,
        start: Refined,
        x: Tensor,
        height: int,
        width: int,
        progress: Callable[[int], None],
    ) -> Iterator[Refined]:
        """The latents at every look."""
        latents = [t.clone().requires_grad_() for t in start.latents if isinstance(t, Tensor)]
        with torch.enable_grad():
            optimizer = torch.optim.Adam(latents, lr=self.lr)
            schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, max(1, self.steps))
            for step in range(1, self.steps + 1):
                optimizer.zero_grad()
                self._cost(relaxed, Relaxed(*latents), x, height, width).backward()
                optimizer.step()
                schedule.step()
                progress(1)
                if step % self.every == 0 or step == self.steps:
                    y, z = (*(t.detach().clone() for t in latents), None)[:2]
                    assert y is not None
                    yield self._true(network, y, z, x, height, width)

    def _cost(self, network: ImageNetwork, coding: Relaxed, x: Tensor, height: int, width: int) -> Tensor:
        with with_derivatives():
            reconstruction = network.g_s(network.code(coding))
        return self._price(bits(coding.likelihoods).sum(), reconstruction, x, height, width)

    @torch.no_grad()
    def _true(self, network: ImageNetwork, y: Latents, z: Tensor | None, x: Tensor, height: int, width: int) -> Refined:
        """The cost as the evaluation has it."""
        reconstruction, likelihoods = network.measure(y, z)
        cost = float(self._price(bits(likelihoods).sum(), reconstruction.clamp(0, 1), x, height, width))
        return Refined(y, z, cost, cost)

    def _price(self, count: Tensor, reconstruction: Tensor, x: Tensor, height: int, width: int) -> Tensor:
        error = (reconstruction - x)[..., :height, :width].square().mean()
        return count / (height * width) + self.lmbda * 255**2 * error


def _relaxed(network: ImageNetwork) -> ImageNetwork:
    """The network with derivatives of its latents alone; what it rounds is the lattice Z, which has them."""
    found = copy.deepcopy(network).requires_grad_(False)
    if any(type(module) in (EntropyBottleneck, GaussianConditional) for module in found.modules()):
        use_lattice(found, lattices.get("z"), hyper=True)
    return found.eval()
