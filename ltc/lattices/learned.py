r"""A lattice whose generator matrix is learned together with the network (OLVQ), and the searches that it may have.

X. Zhang and X. Wu, "Learning Optimal Lattice Vector Quantizers for End-to-end Neural Image Compression", NeurIPS 2024.

What a search costs in rate follows from its cell, of which the errors fill a translate at high rate. All cells have the
volume of the lattice, and Babai's two have moments in closed form (b_i the rows of B, a_i its diagonal):

    rounding  z = round(x B^-1)   the parallelepiped of the basis   G = sum |b_i|^2 / (12 n)
    plane     successive rounding   the box of the diagonal          G = sum a_i^2 / (12 n)
    nearest   the nearest point   the Voronoi cell                  G of the lattice

Since prod |b_i| >= prod a_i = 1, the first two are 1/12 at least, whatever the basis: on a source without structure,
Babai's rounding of a learned lattice can at best equal the rounding of integers, and does so where the basis is
orthogonal. Only the nearest point has the gain of a rounder cell. (Babai, "On Lovász' lattice reduction and the nearest
lattice point problem", Combinatorica 6 (1986); Zamir, "Lattice Coding for Signals and Networks", chapter 3.)
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from ltc.lattices.kernels.parallel import run_pieces
from ltc.lattices.kernels.schnorr_euchner import nearest_integers
from ltc.lattices.lattice import Lattice
from ltc.lattices.registry import get
from ltc.lattices.sphere import lll

__all__ = ["SEARCHES", "LearnedLattice"]

# Entries of the generator are multiples of this: a product with integers (below 2^25) then has one value in float64,
# whatever the order of its sums, so that encoder and decoder have the same points.
_GRAIN = 2.0**-24

# Changes of the basis between two reductions of the form that is searched: it turns slowly.
_EVERY = 64

# Points of a rough second moment, from 16 dimensions on; fewer dimensions average less in each.
_ROUGH = 128

# Vectors worth a second thread.
_GRAIN_VECTORS = 1 << 8


class LearnedLattice(Lattice, nn.Module):
    r"""The points z B of an upper triangular generator B with parameters, at unit volume.

    Any lattice can be turned so that its generator is triangular, and a transform before the lattice absorbs the turn;
    with a triangular generator it has an exact prior (``ltc.entropy.TriangularPrior``). Its volume is one:

    $$
    B_{ii} = \exp(d_i - \bar d),
    $$

    so that the scale of the latents stays the transform's. The derivative by B is that of the point z B with z fixed:
    for the nearest point that is the derivative of the error, since a point on the border between cells has the same
    error from both.

    Args:
        dim: n.
        search: a key of ``SEARCHES``: ``nearest``, ``plane`` or ``rounding`` (the paper's).
        orthogonality: weight of the paper's penalty, which keeps Babai's rounding near the nearest point; here in the
            form ``|B B^T - I|^2 / n``.
        balance: weight of the mean of ``(d_i - mean d)^2``, which keeps the cells B_ii of the triangular prior of like
            width. A lattice has many triangular generators; without, descent wanders off to some with widths from 0.2
            to 3 where, in 16 dimensions at 1.5 bits, the prior loses 0.03 bit; with, nothing that could be measured.
        start: name of a lattice with an upper triangular generator to start from; the integers by default.
        spread: standard deviation of what is added to the entries above the diagonal at the start: the integers alone
            are hard to leave.
        pace: how many times the step of an optimizer an entry of B moves, for optimizers with steps of a size (Adam).

    Raises:
        ValueError: for a dimension below 1, an unknown search, or a negative number.

    Examples:
        >>> lattice = LearnedLattice(3)
        >>> point = lattice.quantize(torch.randn(5, 6))  # five points of the product of two copies
        >>> lattice.straight_through(torch.zeros(5, 6), point).sum().backward()
        >>> lattice.above.grad.shape
        torch.Size([3, 3])
    """

    name = "learned"
    learns = True

    def __init__(
        self,
        dim: int,
        search: str = "nearest",
        orthogonality: float = 0.0,
        balance: float = 0.02,
        start: str = "z",
        spread: float = 0.3,
        pace: float = 5.0,
    ) -> None:
        super().__init__()
        if dim < 1 or int(dim) != dim:
            raise ValueError(f"The dimension of a lattice is a positive integer, got dim={dim}.")
        if search not in SEARCHES:
            raise ValueError(f"There is no search {search!r} for a learned lattice; there are {', '.join(SEARCHES)}.")
        if min(orthogonality, balance, spread) < 0 or not pace > 0:
            raise ValueError(
                "A learned lattice has orthogonality, balance and spread >= 0 and pace > 0, "
                f"got {orthogonality}, {balance}, {spread} and {pace}."
            )
        self.dim, self.search, self.pace = int(dim), search, pace
        self.orthogonality, self.balance = orthogonality, balance
        first = get(start, self.dim).generator
        if first is None or not torch.allclose(first, first.triu(), atol=1e-9):
            raise ValueError(f"A learned lattice cannot start from {start}, which has no upper triangular generator.")
        first = (first * first.diagonal().sign()[:, None]).float() / pace
        self.diagonal = nn.Parameter((first.diagonal() * pace).log() / pace)
        self.above = nn.Parameter((first + spread / pace * torch.randn(self.dim, self.dim)).triu(1))
        self._form: _Form | None = None
        self._made: tuple[Tensor, Tensor, Tensor] | None = None
        self._moment: tuple[bytes, float] = b"", 0.0

    def basis(self) -> Tensor:
        """B, with its derivative by the parameters: float64 [n, n], rows are basis vectors."""
        diagonal = self.pace * self.diagonal.double()
        basis = self.pace * self.above.double().triu(1) + torch.diag(torch.exp(diagonal - diagonal.mean()))
        return basis + (torch.round(basis / _GRAIN) * _GRAIN - basis).detach()

    @property
    def generator(self) -> Tensor:  # type: ignore[override]
        """The present B, without derivative: float64 [n, n]."""
        if torch.compiler.is_compiling():  # where nothing may depend on values
            return self.basis().detach()
        # By content: fused optimizers do not count the versions of what they change.
        known, now = self._made, (self.diagonal.detach(), self.above.detach())
        if known is None or not all(
            a.device == b.device and torch.equal(a, b) for a, b in zip(known, now, strict=False)
        ):
            with torch.inference_mode(False), torch.no_grad():
                self._made = known = (now[0].clone(), now[1].clone(), self.basis())
        return known[2]

    @property
    def nsm(self) -> float:  # type: ignore[override]
        """The second moment of the search's cell: Babai's in closed form, the lattice's own to about 1e-4."""
        generator = self.generator
        key = generator.cpu().numpy().tobytes()
        if self._moment[0] != key:
            self._moment = key, self._second_moment(generator, 1 << max(13, 20 - self.dim // 4))
        return self._moment[1]

    def noise_moment(self) -> float:
        """``nsm`` to two or three percent: the basis is another one at each step of training."""
        return self._second_moment(self.generator, max(_ROUGH, _ROUGH * 16 // self.dim))

    def _second_moment(self, generator: Tensor, count: int) -> float:
        """By the search's closed form, where it has one, else by Monte Carlo with ``count`` points, the same ones."""
        if self.search in _MOMENTS:
            return float(_MOMENTS[self.search](generator)) / (12 * self.dim)
        cube = torch.rand(count, self.dim, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
        x = cube.to(generator) @ generator
        return float((x - self.quantize(x)).square().mean())

    def nearest(self, x: Tensor) -> Tensor:
        z = self.integers(x)
        return (z @ self._form_of(z).basis).to(x.dtype)

    def integers(self, x: Tensor) -> Tensor:
        """z of what the search finds for rows of x [batch, n]: float64, same shape."""
        x = x.detach().double()
        return SEARCHES[self.search](x, self._form_of(x)) if len(x) else x.clone()

    def straight_through(self, y: Tensor, point: Tensor) -> Tensor:
        """The point with the derivatives of training: the identity by ``y``, and that of z B by the generator."""
        copies = point.detach().double().unflatten(-1, (point.shape[-1] // self.dim, self.dim))
        basis = self.basis()
        z = torch.round(copies @ self._form_of(copies).inverse())
        return (z @ basis).reshape(point.shape).to(point.dtype) + (y - y.detach())

    def auxiliary_loss(self) -> Tensor | float:
        """The penalties of the basis, zero for the integers; added to the loss of training."""
        diagonal = self.pace * self.diagonal.double()
        loss = self.balance * (diagonal - diagonal.mean()).square().mean()
        if self.orthogonality > 0:
            basis = self.basis()
            identity = torch.eye(self.dim, dtype=basis.dtype, device=basis.device)
            loss = loss + self.orthogonality * (basis @ basis.T - identity).square().sum() / self.dim
        return loss

    def figures(self) -> dict[str, float]:
        """``nsm`` of the search's cell, ``widest`` B_ii, and ``orthogonality_defect``, the product of the |b_i|."""
        generator = self.generator
        defect = float(generator.norm(dim=1).prod())
        return {"nsm": self.nsm, "widest": float(generator.diagonal().amax()), "orthogonality_defect": defect}

    def _form_of(self, like: Tensor) -> _Form:
        """What a search needs of the present basis; made anew where the basis has changed."""
        generator = self.generator
        # By content: fused optimizers do not count the versions of what they change.
        if self._form is None or self._form.basis.device != like.device or not torch.equal(self._form.basis, generator):
            self._form = _Form(generator.to(like.device), self._form)
        return self._form

    def __getstate__(self) -> dict:
        # A copy has parameters of its own.
        return {**self.__dict__, "_form": None, "_made": None}

    def extra_repr(self) -> str:
        return f"dim={self.dim}, search={self.search!r}"


class _Form:
    """A basis and, for the search of nearest points, a reduced one of the same lattice."""

    def __init__(self, basis: Tensor, before: _Form | None) -> None:
        self.basis = basis
        self._unimodular: np.ndarray | None = None if before is None else before._unimodular
        self._age: int = 0 if before is None else before._age + 1
        self._reduced: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None
        self._inverse: Tensor | None = None

    def inverse(self) -> Tensor:
        """The basis' inverse."""
        if self._inverse is None:
            self._inverse = torch.linalg.inv(self.basis)
        return self._inverse

    def reduced(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(U, inverse of U B, U B turned to be lower triangular): U is unimodular, and U B has rather short rows."""
        if self._reduced is None:
            basis = self.basis.cpu().numpy()
            if self._unimodular is None or self._age % _EVERY == 0:
                start = basis if self._unimodular is None else self._unimodular @ basis
                self._unimodular = np.rint(lll(start) @ np.linalg.inv(basis))
            short = self._unimodular @ basis
            _, r = np.linalg.qr(short.T)
            lower = np.ascontiguousarray((r * np.sign(np.diagonal(r))[:, None]).T)
            self._reduced = self._unimodular, np.linalg.inv(short), lower
        return self._reduced


def _rounding(x: Tensor, form: _Form) -> Tensor:
    return torch.round(x @ form.inverse())


def _plane(x: Tensor, form: _Form) -> Tensor:
    rest, z = x.clone(), torch.empty_like(x)
    for i, row in enumerate(form.basis):
        z[:, i] = torch.round(rest[:, i] / row[i])
        rest[:, i:] -= z[:, i, None] * row[i:]
    return z


def _nearest(x: Tensor, form: _Form) -> Tensor:
    unimodular, inverse, lower = form.reduced()
    coordinates = x.cpu().numpy() @ inverse
    found = np.empty_like(coordinates)
    run_pieces(nearest_integers, len(x), _GRAIN_VECTORS, lower, coordinates, found)
    return torch.from_numpy(found @ unimodular).to(x)


SEARCHES: dict[str, Callable[[Tensor, _Form], Tensor]] = {"nearest": _nearest, "plane": _plane, "rounding": _rounding}
"""From vectors x [batch, n] and a basis to integers z [batch, n], float64, such that z B is near x.

- ``nearest`` the nearest point, by the sphere decoder: on the CPU, at a cost that grows exponentially with n
- ``plane`` Babai's nearest plane: coordinate after coordinate
- ``rounding`` Babai's rounding, the paper's
"""

# Twelve times the energy of a uniform point of Babai's cells: the parallelepiped of the basis, the box of its diagonal.
_MOMENTS: dict[str, Callable[[Tensor], Tensor]] = {
    "plane": lambda basis: basis.diagonal().square().sum(),
    "rounding": lambda basis: basis.square().sum(),
}
