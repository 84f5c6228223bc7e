"""The trellis search for one image's latents: squared error by what the decoder makes of them, plus bits.

Where a synthesis transform is nearly linear and orthogonal, as one is that starts at a block transform, a latent's
error costs its square times the energy of what the decoder makes of a unit of it. That energy is measured at the image
itself, one for each channel, by a random projection of the decoder's derivative. But no analysis transform gives the
latents of least squared error: it is not the inverse of the synthesis, and what other latents lost in rounding is not
zero. So where the least error lies is found in the decoded image: from a latent's present value half the derivative of
the squared error over the curvature, Newton's step with a diagonal matrix. One trellis search for each group of latents
takes the points of least cost around it, and the groups after it see what was taken.

All latents of a group move at once, so that the energy is not curvature enough: where many latents make nearly the same
of an image (channels which training gave up look like others that it kept), each would undo the whole error, and
together they make it many times as large. Steps with a diagonal matrix descend where each of its elements is at least
the sum of magnitudes in a row of the second derivative (Gershgorin; Hunter & Lange, "A tutorial on MM algorithms", The
American Statistician 58 (2004)). Here it is the row's norm, as signs are as good as random, and that is measured with
random signs, too.

For rounding this is rate-distortion optimized quantization (Sullivan & Wiegand, IEEE Signal Processing Magazine 15
(1998)); for trellis codes the search of dependent quantization (Schwarz, Nguyen, Marpe & Wiegand, "Hybrid video coding
with trellis-coded quantization", DCC 2019).
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import torch
from compressai.entropy_models import EntropyBottleneck, GaussianConditional
from torch import Tensor

from ltc.images.exact import with_derivatives
from ltc.images.gaussian_conditional import LatticeGaussianConditional
from ltc.images.networks.passes import Estimate, Latents, Select, everything, no_search
from ltc.images.networks.raster_scan import RasterContext
from ltc.images.networks.relaxed import Relaxed

if TYPE_CHECKING:
    from ltc.images.networks.image_network import ImageNetwork

__all__ = ["RateSearch", "decoded_latents", "least_error"]

# How often the decoded image is looked at while the groups of latents are searched, at most.
_LOOKS = 4

# How far from a latent's present value the least error is taken to lie, in units of lattices of unit volume.
_FARTHEST = 8.0


@torch.no_grad()
def decoded_latents(network: ImageNetwork, y: Latents, z: Tensor | None = None) -> tuple[list[Tensor], Tensor | None]:
    """What the nearest points of one image's latents decode to.

    Args:
        network: in evaluation mode, with its tables.
        y: latents of one image, or their parts in coding order.
        z: its hyper-latents; by default those that the hyper-analysis makes of y.

    Returns:
        Each group of latents that Gaussians code, in coding order, float64; and z. Latents with a learned density are
        left out: of a network that has no others there are none.

    Raises:
        ValueError: for a network that codes position after position.
    """
    walk = _Nearest(y, z)
    network.code(walk)
    return walk.parts, walk.hyper


def least_error(decoded: Tensor, slope: Tensor, curvature: Tensor) -> Tensor:
    """Where a decoded image's squared error is least, by one step of Newton's with a diagonal matrix.

    Args:
        decoded: latents, in units of a lattice of unit volume.
        slope: the derivative of the image's squared error by each of them, of the same shape.
        curvature: half its second derivative, or more where others move too: positive, of a shape that expands to it.

    Examples:
        >>> least_error(torch.tensor([3.0]), torch.tensor([2.0]), torch.tensor([0.5]))
        tensor([1.])
    """
    # Where the decoder hardly looks at a latent the model of it has no sense, and its least error no bounds.
    return decoded - (slope / (2 * curvature)).nan_to_num(0.0).clamp(-_FARTHEST, _FARTHEST)


class RateSearch:
    """The search for one image.

    Args:
        network: in evaluation mode, with its tables; it is copied.
        x: the image [1, 3, height, width] in [0, 1], padded as the network wants it.
        size: height and width of the part that counts; all of it by default.

    Examples:
        >>> from ltc import lattices
        >>> from ltc.images.networks import MultirateNetwork
        >>> from ltc.images.swap import use_lattice
        >>> network = use_lattice(MultirateNetwork(16, 24, [0.01, 0.1]), lattices.get("tcq8"), along="image").eval()
        >>> network.update(force=True)
        True
        >>> x = torch.rand(1, 3, 64, 64)
        >>> search = RateSearch(network, x)
        >>> parts, z = decoded_latents(network, network.g_a(x).detach())
        >>> chosen = search(parts, z, search.curvatures(parts, z), price=400.0)
        >>> [a.shape == b.shape for a, b in zip(chosen, parts)] == [True] * 12
        True
    """

    def __init__(self, network: ImageNetwork, x: Tensor, size: tuple[int, int] | None = None) -> None:
        self._network, self._x, self._size = network, x, size or tuple(x.shape[2:])
        # What derivatives are taken of: some layers write into their weights when they are called.
        with torch.inference_mode(False):
            self._smooth = copy.deepcopy(network).requires_grad_(False)

    def energies(self, parts: Sequence[Tensor], z: Tensor | None, seed: int = 0) -> list[Tensor]:
        """What a unit of each latent is worth in the decoded image.

        Args:
            parts: of ``decoded_latents``.
            z: likewise.
            seed: of the projection.

        Returns:
            For each part the mean over its positions of the squared norm of the decoder's derivative, pixels in [0, 1],
            float64 [1, channels, 1, 1].
        """

        def projected(image: Tensor) -> Tensor:
            # The mean of the square of a random projection is the squared norm (Hutchinson 1990).
            return (image * _signs(image, torch.Generator().manual_seed(seed))).sum()

        return [_mean_square(slope) for slope in self._slopes(parts, z, projected)]

    def curvatures(self, parts: Sequence[Tensor], z: Tensor | None, seed: int = 0) -> list[Tensor]:
        """How steeply the squared error rises with each latent while all others move as well.

        Args:
            parts: of ``decoded_latents``.
            z: likewise.
            seed: of the random signs.

        Returns:
            For each part the norm of a row of half the squared error's second derivative, as a mean over positions,
            and at least its energy: float64 [1, channels, 1, 1].
        """
        if not parts:
            return []
        random = torch.Generator().manual_seed(seed + 1)
        with torch.inference_mode(False), torch.enable_grad(), with_derivatives():
            image, leaves = self._decoded(parts, z)
            # The derivative's product with a vector is the derivative of its transpose's.
            weights = torch.zeros_like(image, requires_grad=True)
            transposed = torch.autograd.grad(image, leaves, weights, create_graph=True)
            along = torch.stack([(a * _signs(a, random)).sum() for a in transposed]).sum()
            (moved,) = torch.autograd.grad(along, weights, retain_graph=True)
            rows = torch.autograd.grad(image, leaves, moved, retain_graph=True)
            # As ``energies``, whose image is there already.
            units = torch.autograd.grad(image, leaves, _signs(image, torch.Generator().manual_seed(seed)))
        pairs = zip(rows, units, strict=True)
        return [torch.maximum(_mean_square(row).sqrt(), _mean_square(unit)) for row, unit in pairs]

    @torch.no_grad()
    def __call__(
        self, parts: Sequence[Tensor], z: Tensor | None, curvatures: Sequence[Tensor], price: float
    ) -> list[Tensor]:
        """The latents of least ``bits + price * squared error of the image``, by the trellis.

        Args:
            parts: where the search starts, of ``decoded_latents``.
            z: hyper-latents, which are left as they are.
            curvatures: of ``curvatures``.
            price: bits for a unit of squared error, summed over the values of pixels in [0, 1].

        Returns:
            Parts as they will be decoded, for ``ImageNetwork.measure`` and ``ImageNetwork.encode``. Latents that this
            project's lattices do not code stay as they are.
        """
        height, width = self._size

        def error(image: Tensor) -> Tensor:
            return (image - self._x)[..., :height, :width].square().sum()

        walk = _Cheapest(parts, z, curvatures, price, lambda now: self._slopes(now, z, error))
        self._network.code(walk)
        return walk.parts

    def _slopes(self, parts: Sequence[Tensor], z: Tensor | None, of: Callable[[Tensor], Tensor]) -> list[Tensor]:
        """The derivative of a number that the decoded image has, by each part."""
        if not parts:
            return []
        with torch.inference_mode(False), torch.enable_grad(), with_derivatives():
            image, leaves = self._decoded(parts, z)
            return list(torch.autograd.grad(of(image), leaves))

    def _decoded(self, parts: Sequence[Tensor], z: Tensor | None) -> tuple[Tensor, list[Tensor]]:
        """The decoded image, and the latents as variables of it."""
        walk = _Leaves(parts, z)
        return self._smooth.synthesize(self._smooth.code(walk)), walk.leaves


class _Leaves(Relaxed):
    """Decoded latents as variables of their own: what context models make of them is not looked at."""

    def __init__(self, parts: Sequence[Tensor], z: Tensor | None) -> None:
        super().__init__(parts[0], None if z is None else z.clone())
        self.leaves = [part.float().clone().requires_grad_() for part in parts]
        self._next = iter(self.leaves)

    def density(self, name: str, bottleneck: EntropyBottleneck, analysis: Select) -> Tensor:
        with torch.no_grad():
            return bottleneck(self.z, training=False)[0]

    def gaussians(
        self, conditional: GaussianConditional, scales: Tensor, means: Tensor | None, select: Select = everything
    ) -> Tensor:
        return next(self._next)


class _Nearest(Estimate):
    """Keeps what Gaussians decode."""

    def __init__(self, y: Latents, z: Tensor | None) -> None:
        super().__init__(y, z)
        self.parts: list[Tensor] = []

    @property
    def hyper(self) -> Tensor | None:
        """The hyper-latents of the walk."""
        return self._z

    def positions(self, conditional: GaussianConditional, context: RasterContext) -> Tensor:
        raise no_search()

    def density(self, name: str, bottleneck: EntropyBottleneck, analysis: Select) -> Tensor:
        if name == "z" and self._z is None:
            self._z = analysis(self._y.whole)
        return super().density(name, bottleneck, analysis)

    def _estimate(self, conditional: Any, y: Tensor, scales: Tensor, means: Tensor) -> Tensor:
        self.parts.append(conditional(y.double(), scales, means=means, training=False)[0])
        return self.parts[-1]


class _Cheapest(Estimate):
    """Takes the cheapest points in the place of those that there are."""

    def __init__(
        self,
        parts: Sequence[Tensor],
        z: Tensor | None,
        curvatures: Sequence[Tensor],
        price: float,
        slopes: Callable[[Sequence[Tensor]], list[Tensor]],
    ) -> None:
        super().__init__(parts, z)
        self.parts = list(parts)
        self._curvatures, self._price, self._slopes = curvatures, price, slopes
        self._at, self._every = 0, math.ceil(len(parts) / _LOOKS)
        self._now: list[Tensor] = []

    def _estimate(self, conditional: GaussianConditional, y: Tensor, scales: Tensor, means: Tensor) -> Tensor:
        at, curvature = self._at, self._curvatures[self._at]
        if at % self._every == 0:
            self._now = self._slopes(self.parts)
        if isinstance(conditional, LatticeGaussianConditional):
            target = least_error(self.parts[at], self._now[at].double(), curvature)
            found = conditional.cheapest(target, scales, means, (self._price * curvature).expand_as(target))
        else:
            found = conditional(y.double(), scales, means=means, training=False)[0]
        self.parts[at], self._at = found, at + 1
        return found


def _signs(like: Tensor, generator: torch.Generator) -> Tensor:
    """Random signs in the shape of a tensor."""
    return torch.randint(0, 2, like.shape, generator=generator).to(like) * 2 - 1


def _mean_square(slopes: Tensor) -> Tensor:
    """Of each channel's positions, float64 [1, channels, 1, 1], positive."""
    return slopes.double().square().mean((0, 2, 3), keepdim=True).clamp(min=1e-12)
