"""Numbers that encoder and decoder share although no two machines sum alike: float64, rounded with a margin.

The tables of a bitstream depend on what networks make of decoded latents. Sums of floating-point numbers depend on
their order, which threads, batches and processors choose; in double precision they agree to about 1e-15 of what was
summed. So such networks run in double precision here, and what they give is rounded to a *grid*. The encoder makes sure
that no number lies so near to the middle between two points of the grid that it could be rounded otherwise elsewhere;
where one does, it takes another grid, and says so in a few bytes. Whatever is decoded from there on is the same to the
last bit.

Fixed-point arithmetic in the whole network does the same without double precision: Ballé, Johnston & Minnen, "Integer
Networks for Data Compression with Latent-Variable Models", ICLR 2019; this takes any network as it was trained.
"""

from __future__ import annotations

import abc
import contextlib
import contextvars
import itertools
from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn

__all__ = [
    "ChosenGrids",
    "Exact",
    "Grids",
    "KnownGrids",
    "on_grid",
    "threads_of_synthesis",
    "using_threads",
    "with_derivatives",
]

# The finest grid, and how many others there are with its step, each shifted by a part of it.
_STEP, _SHIFTS = 2.0**-10, 16

# Each next step is so many times as large; no network that learned something needs the second.
_COARSER = 4.0

_GRIDS = 256

# Values may differ by this times their size, at least 1, from one machine to the next: half a million times the last
# digit of a double.
_MARGIN = 2.0**-33

_MOST_THREADS = 64


class Exact:
    """A network in double precision, without derivatives (but `with_derivatives`).

    Args:
        module: the network, which is left as it is; its parameters are taken as they are now.

    Examples:
        >>> layer = nn.Conv2d(3, 4, 1)
        >>> Exact(layer)(torch.randn(1, 3, 5, 5)).dtype
        torch.float64
    """

    def __init__(self, module: nn.Module) -> None:
        self._module, self._double = module, dict[str, Tensor]()
        if not _derivatives.get():
            tensors = itertools.chain(module.named_parameters(), module.named_buffers())
            self._double = {name: t.detach().double() if t.is_floating_point() else t for name, t in tensors}

    def __call__(self, x: Tensor) -> Tensor:
        if _derivatives.get():
            return self._module(x)
        with torch.no_grad():
            return torch.func.functional_call(self._module, self._double, (x.double(),))


@contextlib.contextmanager
def with_derivatives() -> Iterator[None]:
    """Inside it networks of `Exact` are computed as they are, with their derivatives: for searches, not for files."""
    token = _derivatives.set(True)
    try:
        yield
    finally:
        _derivatives.reset(token)


_derivatives: contextvars.ContextVar[bool] = contextvars.ContextVar("derivatives", default=False)


class Grids(abc.ABC):
    """The grids of one image's numbers: each call, a tensor of them, has one, and calls are numbered."""

    def __init__(self) -> None:
        self._calls = 0

    def reserve(self, count: int) -> int:
        """Takes numbers for so many calls, in whatever order they will come: the first of the numbers."""
        self._calls += count
        return self._calls - count

    def round(self, values: Tensor) -> Tensor:
        """Values float64 of any shape on their grid, which all of them share."""
        return self.round_calls(values[None], [self.reserve(1)])[0]

    @abc.abstractmethod
    def round_calls(self, values: Tensor, numbers: Sequence[int]) -> Tensor:
        """Calls with these numbers, values float64 [calls, …], each on its grid."""


class ChosenGrids(Grids):
    """The encoder's: for each call the first grid with all values away from the edges of its cells.

    Attributes:
        others: the number of a grid for each call that did not get grid 0, by the number of the call.
    """

    def __init__(self) -> None:
        super().__init__()
        self.others: dict[int, int] = {}

    def round_calls(self, values: Tensor, numbers: Sequence[int]) -> Tensor:
        """See ``Grids.round_calls``.

        Raises:
            ValueError: if there is no such grid.
        """
        found, safe = _safe(values, 0)
        if not bool(safe.all()):
            for row in torch.nonzero(~safe.flatten(1).all(1)).flatten().tolist():
                found[row], self.others[numbers[row]] = _other(values[row])
        return found


def _other(values: Tensor) -> tuple[Tensor, int]:
    """The points and the number of the first grid but grid 0 that holds all values."""
    for grid in range(1, _GRIDS):
        found, safe = _safe(values, grid)
        if bool(safe.all()):
            return found, grid
    raise ValueError(
        "The network gives Gaussians that are no numbers, or so large that another machine could not compute them "
        "again: the image cannot be coded with it."
    )


class KnownGrids(Grids):
    """The decoder's.

    Args:
        others: of the encoder's.
    """

    def __init__(self, others: Mapping[int, int]) -> None:
        super().__init__()
        self._others = others

    def round_calls(self, values: Tensor, numbers: Sequence[int]) -> Tensor:
        found = on_grid(values, 0)
        if self._others:
            for row, number in enumerate(numbers):
                if number in self._others:
                    found[row] = on_grid(values[row], self._others[number])
        return found


def on_grid(values: Tensor, grid: int) -> Tensor:
    """The nearest points of a grid, float64.

    Grid g has the points ``(k + (g mod 16) / 16) * 2^-10 * 4^(g // 16)`` for all integers k.

    Examples:
        >>> on_grid(torch.tensor([0.3], dtype=torch.float64), 8) * 2048
        tensor([615.], dtype=torch.float64)
    """
    step, shift = _step_and_shift(grid)
    return (torch.round(values.double() / step - shift) + shift) * step


def _safe(values: Tensor, grid: int) -> tuple[Tensor, Tensor]:
    """The points of the grid, and which values are far enough from where they would be rounded to another one."""
    step, shift = _step_and_shift(grid)
    at = values.double() / step - shift
    k = torch.round(at)
    gap = (0.5 - (at - k).abs()) * step
    return (k + shift) * step, gap > _MARGIN * values.abs().clamp(min=1.0)


def _step_and_shift(grid: int) -> tuple[float, float]:
    return _STEP * _COARSER ** (grid // _SHIFTS), grid % _SHIFTS / _SHIFTS


def threads_of_synthesis() -> int:
    """Threads with which a decoder's last network, in single precision, runs for this encoder."""
    return min(torch.get_num_threads(), _MOST_THREADS)


@contextlib.contextmanager
def using_threads(count: int) -> Iterator[None]:
    """Runs with this number of torch's threads, at most 64: single precision sums in another order with others."""
    before, count = torch.get_num_threads(), max(1, min(count, _MOST_THREADS))
    if count == before:
        yield
        return
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
