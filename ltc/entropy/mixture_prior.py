"""A mixture of exact priors: for latents that depend on each other, and for the shape of a point's mass at low rate."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from ltc.entropy.entropy_model import EntropyModel
from ltc.entropy.families import Family
from ltc.lattices import Lattice

__all__ = ["MixturePrior"]


class MixturePrior(EntropyModel):
    """P(point) = sum_m w_m P_m(point), each P_m exact on its own: so the mixture is exact too, and codable.

    A product form has independent coordinates but for the lattice's constraint. A mixture of products can follow any
    dependence, as a mixture of Gaussians with diagonal covariances can follow any density. It takes the place of the
    published coder's normalizing flow, without its Monte-Carlo integral over Voronoi cells.

    Args:
        lattice: the lattice.
        dim: latent dimensions, a multiple of the lattice's.
        components: M.
        prior: makes a component from a lattice and a dimension.

    Raises:
        ValueError: if there is no component, or they are not exact.

    Examples:
        >>> from ltc import lattices
        >>> from ltc.entropy import exact_prior
        >>> prior = MixturePrior(lattices.get("a2"), 4, components=3, prior=exact_prior)
        >>> prior(prior.lattice.quantize(torch.randn(5, 4))).shape
        torch.Size([5])
    """

    def __init__(
        self, lattice: Lattice, dim: int, components: int, prior: Callable[[Lattice, int], EntropyModel]
    ) -> None:
        super().__init__(lattice, dim)
        if components < 1:
            raise ValueError(f"A mixture has at least one component, got {components}.")
        self.components = nn.ModuleList(prior(lattice, dim) for _ in range(components))
        if not all(c.exact for c in self._parts()):
            raise ValueError("A mixture is a code only if each of its components is exact.")
        self.weight = nn.Parameter(torch.zeros(components))
        self.searches = all(c.searches for c in self._parts())
        for m, component in enumerate(self.components):
            _set_apart(component, 1.5 ** (m - (components - 1) / 2))

    def _parts(self) -> list[EntropyModel]:
        return list(self.components)  # type: ignore[arg-type]

    def log_weights(self) -> Tensor:
        """log w_m: [M]."""
        return self.weight.log_softmax(0)

    def support(self) -> Tensor:
        return torch.stack([c.support().amax() for c in self._parts()]).amax(keepdim=True)

    def log_prob(self, points: Tensor, dither: Tensor | None = None) -> Tensor:
        self.check_points(points, dither)
        each = torch.stack([c.log_prob(points, dither) for c in self._parts()], -1)
        return torch.logsumexp(each + self.log_weights().to(each), -1)

    def log_noisy_mass(self, y: Tensor, width: float) -> Tensor:
        each = torch.stack([c.log_noisy_mass(y, width) for c in self._parts()], -1)
        return torch.logsumexp(each + self.log_weights().to(each), -1)

    @torch.no_grad()
    def rd_optimal_point(self, y: Tensor, mu: float, power: int = 2) -> Tensor:
        """The best of the components' rate-distortion optimal points, by the mixture's own rate.

        A mixture's rate is no sum over coordinates, so this is no exact search; but one component usually carries
        nearly all of a point's probability, and then it is.
        """
        best = self.lattice.quantize(y)
        cost = (y - best).abs().pow(power).sum(-1) + mu * self(best)
        for component in self._parts():
            point = component.rd_optimal_point(y, mu, power)
            other = (y - point).abs().pow(power).sum(-1) + mu * self(point)
            best = torch.where((other < cost)[..., None], point, best)
            cost = torch.minimum(cost, other)
        return best


@torch.no_grad()
def _set_apart(component: nn.Module, factor: float) -> None:
    """Makes components differ from the first step on: in scale, and a little in mean."""
    for part in component.modules():
        if isinstance(part, Family):
            part.rescale(factor)
            part.mean.add_(0.1 * part.log_scale.mean().exp() * torch.randn_like(part.mean[:1]))
