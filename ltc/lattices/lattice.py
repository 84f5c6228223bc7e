"""What a lattice is to the rest of the project: a name, a generator matrix, and a nearest point."""

from __future__ import annotations

import abc
from collections.abc import Callable

import torch
from torch import Tensor

from ltc.lattices.arguments import check_floating, check_vectors

__all__ = ["Lattice"]


class Lattice(abc.ABC):
    """A set of points in R^dim at one point per unit volume, with an exact nearest-point search.

    Attributes:
        name: the name under which ``ltc.lattices.get`` finds it.
        dim: n, the dimension.
        generator: float64 [n, n], rows are basis vectors, ``|det| = 1``; None for a trellis code.
        nsm: the published normalized second moment G (Conway & Sloane, SPLAG, table 2.3), or None.
        learns: whether it has parameters, so that its generator changes in training.
        is_code: whether it is a trellis code: no lattice, for it may end in any state.
    """

    name: str
    dim: int
    generator: Tensor | None
    nsm: float | None = None
    learns: bool = False
    is_code: bool = False
    # The same search compiled for the CPU (ltc.lattices.kernels), for float32 and float64 [batch, dim]; or None.
    _kernel: Callable[[Tensor], Tensor] | None = None

    @abc.abstractmethod
    def nearest(self, x: Tensor) -> Tensor:
        """The nearest point of each row of ``x`` [batch, dim], in the same dtype and on the same device.

        In torch, on any device: the reference of the compiled kernels that ``quantize`` prefers on a CPU.
        """

    def quantize(self, x: Tensor) -> Tensor:
        """The nearest point of ``x`` in the product of m copies of the lattice.

        Args:
            x: [..., m * dim], floating point, any leading shape.

        Returns:
            The point, same shape, dtype and device. No gradient flows through it.

        Raises:
            TypeError: if ``x`` is no tensor.
            ValueError: if the last axis is no multiple of ``dim`` or ``x`` is not floating point.

        Examples:
            >>> import torch, ltc.lattices
            >>> ltc.lattices.get("dn", 4).quantize(torch.tensor([0.9, 0.8, 0.1, 0.0])) * 2**0.25
            tensor([1., 1., 0., 0.])
        """
        check_vectors(x, self.dim, self, "quantize", copies=True)
        check_floating(x, self, "quantize")
        compiled = x.device.type == "cpu" and x.dtype in (torch.float32, torch.float64)
        search = self._kernel if self._kernel is not None and compiled else self.nearest
        with torch.no_grad():
            return search(x.reshape(-1, self.dim)).reshape(x.shape)

    def straight_through(self, y: Tensor, point: Tensor) -> Tensor:
        """``point`` [..., m * dim] with the derivative of ``y``: what training takes quantization's to be."""
        return y + (point - y).detach()

    def basis(self) -> Tensor:
        """The generator, with its derivative by the parameters of a lattice that learns: float64 [n, n].

        Raises:
            ValueError: if there is none.
        """
        if self.generator is None:
            raise ValueError(f"{self.name} has no generator matrix.")
        return self.generator

    def noise_moment(self) -> float | None:
        """``nsm`` as training with noise needs it, at each step: quick, and rough for a lattice that learns."""
        return self.nsm

    def auxiliary_loss(self) -> Tensor | float:
        """A loss of the lattice alone, if it learns; else 0."""
        return 0.0

    def figures(self) -> dict[str, float]:
        """What an evaluation reports of the lattice, by name: of a learned one."""
        return {}

    def to_integers(self, points: Tensor) -> Tensor:
        """The integer coordinates of points [..., m * dim]: int64, same shape.

        With a trellis these are its k; without one, coordinates in the basis of the generator's rows.

        Raises:
            TypeError: if ``points`` is no tensor.
            ValueError: if the last axis is no multiple of ``dim``, or the lattice has no coordinates.
        """
        check_vectors(points, self.dim, self, "to_integers", copies=True)
        copies = points.double().unflatten(-1, (points.shape[-1] // self.dim, self.dim))
        return torch.round(copies @ torch.linalg.inv(self._basis_like(copies))).long().reshape(points.shape)

    def to_points(self, k: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
        """The points [..., m * dim] with integer coordinates ``k``: the inverse of ``to_integers``.

        Raises:
            TypeError: if ``k`` is no tensor.
            ValueError: if the last axis is no multiple of ``dim``, or the lattice has no coordinates.
        """
        check_vectors(k, self.dim, self, "to_points", copies=True)
        copies = k.double().unflatten(-1, (k.shape[-1] // self.dim, self.dim))
        return (copies @ self._basis_like(copies)).reshape(k.shape).to(dtype)

    def _basis_like(self, x: Tensor) -> Tensor:
        if self.generator is None:
            raise ValueError(f"{self.name} has no integer coordinates: it has neither trellis nor generator.")
        return self.generator.to(x)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self.name!r}, dim={self.dim})"
