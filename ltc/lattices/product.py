"""The product of different lattices; with factors that learn, their parameters are the product's."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from ltc.lattices.lattice import Lattice
from ltc.lattices.trellis import Trellis
from ltc.lattices.trellis_lattice import TrellisLattice

__all__ = ["ProductLattice"]


class ProductLattice(Lattice, nn.Module):
    """The product of different lattices, one after another: for a remainder of dimensions, say E8 x D4.

    (A product of equal copies needs no class: every ``quantize`` takes any multiple of its dimension.)

    Args:
        factors: the lattices; those that learn (``ltc.lattices.LearnedLattice``) are trained and saved with the
            product.
        dim: the sum of their dimensions, if it shall be checked.

    Raises:
        ValueError: if there is no factor, or ``dim`` is not their sum.

    Examples:
        >>> from ltc import lattices
        >>> product = ProductLattice([lattices.LearnedLattice(3), lattices.get("z")])
        >>> product.name, product.dim, len(list(product.parameters()))
        ('learned*z', 4, 2)
    """

    def __new__(cls, factors: Sequence[Lattice] = (), dim: int | None = None) -> ProductLattice:
        # Of lattices with trellises the product has one: their trellises one after another.
        trellises = factors and all(isinstance(f, TrellisLattice) and not f.is_code for f in factors)
        return super().__new__(_TrellisProduct if trellises and cls is ProductLattice else cls)

    def __init__(self, factors: Sequence[Lattice], dim: int | None = None) -> None:
        super().__init__()
        total = sum(f.dim for f in factors)
        if not factors or dim not in (None, total):
            raise ValueError(
                f"A product of lattices has factors whose dimensions sum to dim={dim}; these sum to {total}."
            )
        self.factors = list(factors)
        for number, factor in enumerate(self.factors):
            if isinstance(factor, nn.Module):
                self.add_module(str(number), factor)
        self.name = "*".join(f.name for f in self.factors)
        self.dim, self.learns = total, any(f.learns for f in self.factors)

    @property
    def generator(self) -> Tensor | None:  # type: ignore[override]
        """The present one, without derivative: a block for each factor; None where one has none."""
        blocks = [f.generator for f in self.factors]
        return None if any(b is None for b in blocks) else torch.block_diag(*blocks)

    @property
    def nsm(self) -> float | None:  # type: ignore[override]
        """At unit volume for each factor the mean squared errors add; None where one is unknown."""
        return self._mean([f.nsm for f in self.factors])

    def noise_moment(self) -> float | None:
        return self._mean([f.noise_moment() for f in self.factors])

    def _mean(self, moments: list[float | None]) -> float | None:
        known = [f.dim * g for f, g in zip(self.factors, moments, strict=True) if g is not None]
        return sum(known) / self.dim if len(known) == len(moments) else None

    def basis(self) -> Tensor:
        return torch.block_diag(*(f.basis() for f in self.factors))

    def nearest(self, x: Tensor) -> Tensor:
        return torch.cat(self._by_factor(lambda factor, part: factor.quantize(part), x), dim=-1)

    def straight_through(self, y: Tensor, point: Tensor) -> Tensor:
        """Each factor's own: with the derivative by the generator where it learns."""
        return torch.cat(self._by_factor(_straight_through, y, point), dim=-1).reshape(y.shape)

    def _by_factor(self, function: Callable[..., Tensor], *vectors: Tensor) -> list[Tensor]:
        """What a function of a factor makes of its coordinates of vectors [..., m * dim]: [..., m, factor.dim]."""
        sizes = [f.dim for f in self.factors]
        apart = [x.unflatten(-1, (x.shape[-1] // self.dim, self.dim)).split(sizes, dim=-1) for x in vectors]
        return [function(f, *parts) for f, *parts in zip(self.factors, *apart, strict=True)]

    def auxiliary_loss(self) -> Tensor | float:
        return sum(f.auxiliary_loss() for f in self.factors)

    def figures(self) -> dict[str, float]:
        """``nsm`` of the product and the figures of each factor that learns, numbered: ``widest_0``."""
        each = {f"{key}_{i}": value for i, f in enumerate(self.factors) for key, value in f.figures().items()}
        return {"nsm": self.nsm, **each} if each and self.nsm is not None else each


class _TrellisProduct(ProductLattice, TrellisLattice):
    """A product whose factors all have trellises that end in one state."""

    def __init__(self, factors: Sequence[TrellisLattice], dim: int | None = None) -> None:
        super().__init__(factors, dim)
        self.trellis = Trellis.concatenate([f.trellis for f in factors])
        self.steps = torch.cat([f.steps for f in factors])


def _straight_through(factor: Lattice, y: Tensor, point: Tensor) -> Tensor:
    # The point to its last bit, as a learned factor's is.
    return factor.straight_through(y, point) if factor.learns else point + (y - y.detach())
