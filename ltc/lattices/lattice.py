"""What a lattice is to the rest of the project: a name, a generator matrix, and a nearest point."""

from __future__ import annotations

import abc
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from ltc.lattices.trellis import Trellis

__all__ = ["Lattice"]


class Lattice(abc.ABC):
    """A set of points in R^dim at one point per unit volume, with an exact nearest-point search.

    Attributes:
        name: the name under which :func:`ltc.lattices.get` finds it.
        dim: n, the dimension.
        generator: float64 [n, n], rows are basis vectors, ``|det| = 1``; None for a trellis code.
        nsm: the published normalized second moment G (Conway & Sloane, SPLAG, table 2.3), or None.
        trellis: the finite-state check of the integer coordinates, or None.
        steps: float64 [n]; with a trellis, coordinate i of a point is ``steps[i] * k_i``, k integer; else None.
    """

    name: str
    dim: int
    generator: Tensor | None
    nsm: float | None = None
    trellis: Trellis | None = None
    steps: Tensor | None = None
    # The same search compiled for the CPU (ltc.lattices.kernels), for float32 and float64 [batch, dim]; or None.
    _kernel: Callable[[Tensor], Tensor] | None = None
    # And that of `cheapest`.
    _cheapest_kernel: Callable[[Tensor], Tensor] | None = None

    @abc.abstractmethod
    def nearest(self, x: Tensor) -> Tensor:
        """The nearest point of each row of ``x`` [batch, dim], in the same dtype and on the same device.

        In torch, on any device: the reference of the compiled kernels that :meth:`quantize` prefers on a CPU.
        """

    def quantize(self, x: Tensor) -> Tensor:
        """The nearest point of ``x`` in the product of m copies of the lattice.

        Args:
            x: [..., m * dim], floating point, any leading shape.

        Returns:
            The point, same shape, dtype and device. No gradient flows through it.

        Raises:
            ValueError: if the last axis is no multiple of ``dim`` or ``x`` is not floating point.

        Example:
            >>> import torch, ltc.lattices
            >>> ltc.lattices.get("dn", 4).quantize(torch.tensor([0.9, 0.8, 0.1, 0.0])) * 2**0.25
            tensor([1., 1., 0., 0.])
        """
        if not x.is_floating_point():
            raise ValueError(f"{self.name}.quantize takes floating-point input, got {x.dtype}.")
        if x.ndim == 0 or x.shape[-1] % self.dim:
            raise ValueError(
                f"{self.name}.quantize takes a last axis that is a multiple of {self.dim}, got shape {tuple(x.shape)}."
            )
        compiled = x.device.type == "cpu" and x.dtype in (torch.float32, torch.float64)
        search = self._kernel if self._kernel is not None and compiled else self.nearest
        with torch.no_grad():
            return search(x.reshape(-1, self.dim)).reshape(x.shape)

    def nearest_on_trellis(self, x: Tensor) -> Tensor:
        """:meth:`nearest` by the trellis search: the nearest k of each residue class, then the cheapest path."""
        assert self.trellis is not None and self.steps is not None
        q, steps = self.trellis.modulus, self.steps.to(x)[:, None]
        residue = torch.arange(q, device=x.device, dtype=x.dtype)
        k = residue + q * torch.round((x[..., None] / steps - residue) / q)
        points = steps * k
        choice = self.cheapest_in_torch((x[..., None] - points).square())
        return points.gather(-1, choice[..., None])[..., 0]

    def cheapest(self, costs: Tensor) -> Tensor:
        """The residues k mod q of the point with the least sum of any additive costs: the trellis search.

        Args:
            costs: [batch, dim, q], the cost of the best k of each residue class at each coordinate.

        Returns:
            int64 [batch, dim].

        Raises:
            ValueError: if the lattice has no trellis.
        """
        compiled = costs.device.type == "cpu" and costs.dtype in (torch.float32, torch.float64)
        search = self._cheapest_kernel if self._cheapest_kernel is not None and compiled else self.cheapest_in_torch
        return search(costs)

    def cheapest_in_torch(self, costs: Tensor) -> Tensor:
        """:meth:`cheapest` on any device: the reference of the compiled kernels."""
        if self.trellis is None:
            raise ValueError(f"{self.name} has no trellis to search.")
        return self.trellis.viterbi(costs)

    def straight_through(self, y: Tensor, point: Tensor) -> Tensor:
        """``point`` [..., m * dim] with the derivative of ``y``: what training takes quantization's to be."""
        return y + (point - y).detach()

    def auxiliary_loss(self) -> Tensor | float:
        """A loss of the lattice alone, if it learns; else 0."""
        return 0.0

    def figures(self) -> dict[str, float]:
        """What an evaluation reports of the lattice, by name: of a learned one."""
        return {}

    def to_integers(self, points: Tensor) -> Tensor:
        """The integer coordinates of points [..., m * dim]: int64, same shape.

        With a trellis these are its k; without one, coordinates in the basis of the generator's rows.
        """
        if self.steps is not None:
            return torch.round(points / self._steps_like(points)).long()
        copies = points.double().unflatten(-1, (points.shape[-1] // self.dim, self.dim))
        return torch.round(copies @ torch.linalg.inv(self._basis_like(copies))).long().reshape(points.shape)

    def to_points(self, k: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
        """The points [..., m * dim] with integer coordinates ``k``: the inverse of :meth:`to_integers`."""
        if self.steps is not None:
            k = k.to(dtype)
            return k * self._steps_like(k)
        copies = k.double().unflatten(-1, (k.shape[-1] // self.dim, self.dim))
        # A basis of few digits makes sums of products exact, in whatever order they are added up.
        basis = torch.round(self._basis_like(copies) * 2.0**24) / 2.0**24
        return (copies @ basis).reshape(k.shape).to(dtype)

    def _steps_like(self, x: Tensor) -> Tensor:
        assert self.steps is not None
        return self.steps.to(x).repeat(x.shape[-1] // self.dim)

    def _basis_like(self, x: Tensor) -> Tensor:
        if self.generator is None:
            raise ValueError(f"{self.name} has no integer coordinates: it has neither trellis nor generator.")
        return self.generator.to(x)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self.name!r}, dim={self.dim})"


class ProductLattice(Lattice):
    """The product of different lattices, one after another: for a remainder of dimensions, say E8 x D4.

    (A product of equal copies needs no class: every ``quantize`` takes any multiple of its dimension.)

    Args:
        factors: the lattices.
        dim: the sum of their dimensions, if it shall be checked.

    Raises:
        ValueError: if there is no factor, or ``dim`` is not their sum.
    """

    def __init__(self, factors: Sequence[Lattice], dim: int | None = None) -> None:
        total = sum(f.dim for f in factors)
        if not factors or dim not in (None, total):
            raise ValueError(
                f"A product of lattices has factors whose dimensions sum to dim={dim}; these sum to {total}."
            )
        self.factors = list(factors)
        self.name = "*".join(f.name for f in self.factors)
        self.dim = total
        generators = [f.generator for f in self.factors]
        self.generator = None if any(g is None for g in generators) else torch.block_diag(*generators)
        known = [f.nsm for f in self.factors]
        # At unit volume for each factor the mean squared errors add.
        self.nsm = (
            None
            if any(g is None for g in known)
            else sum(f.dim * g for f, g in zip(self.factors, known, strict=True) if g is not None) / self.dim
        )
        trellises = [f.trellis for f in self.factors]
        if all(t is not None and t.state_counts[-1] == 1 for t in trellises):
            self.trellis = Trellis.concatenate([t for t in trellises if t is not None])
            self.steps = torch.cat([f.steps for f in self.factors if f.steps is not None])

    def nearest(self, x: Tensor) -> Tensor:
        parts = x.split([f.dim for f in self.factors], dim=-1)
        return torch.cat([f.quantize(p) for f, p in zip(self.factors, parts, strict=True)], dim=-1)
