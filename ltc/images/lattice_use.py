"""Which lattices a network's latents really use: one may be too long for its runs, and others step in."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

from torch import Tensor, nn

from ltc.images.entropy_bottleneck import LatticeEntropyBottleneck
from ltc.images.gaussian_conditional import LatticeGaussianConditional

__all__ = ["LatticeUse"]


class LatticeUse:
    """Counts the latents that each lattice has quantized, in all lattice bottlenecks of a network.

    Args:
        network: with any bottlenecks; scalar ones are not counted.

    Examples:
        >>> import torch
        >>> from ltc import lattices
        >>> conditional = LatticeGaussianConditional(lattices.get("e8"))
        >>> use = LatticeUse(conditional)
        >>> _ = conditional(torch.zeros(1, 20, 2, 2), torch.ones(1, 20, 2, 2))
        >>> use.shares()
        {'e8': 0.8, 'dn': 0.2}
    """

    def __init__(self, network: nn.Module) -> None:
        self._name = type(network).__name__
        self._counts: Counter[str] = Counter()
        self._wanted = 0
        self._runs: set[int] = set()
        self._lattice: Any = None
        for module in network.modules():
            if isinstance(module, LatticeGaussianConditional | LatticeEntropyBottleneck):
                module.register_forward_hook(self._count)

    def _count(self, module: Any, inputs: tuple[Tensor, ...], output: Any) -> None:
        shape = inputs[0].shape
        sides = {"channels": shape[1:2], "positions": shape[2:], "image": shape[1:]}
        length = math.prod(sides[module.along])
        if length == 0:
            return
        self._lattice = module.lattice
        self._runs.add(length)
        for segment in module._segments(length):
            latents = math.prod(shape) // length * (segment.stop - segment.start)
            self._counts[segment.lattice.name] += latents
            if segment.lattice is module.lattice or module.lattice.is_code:
                self._wanted += latents

    def reset(self) -> None:
        """Forgets all counts."""
        self._counts.clear()
        self._runs.clear()
        self._wanted = 0

    def shares(self) -> dict[str, float]:
        """The share of each lattice in all latents since the last reset, by name; empty if there were none."""
        total = sum(self._counts.values())
        return {name: count / total for name, count in self._counts.most_common()}

    def check(self) -> None:
        """Refuses a network none of whose latents use the lattice that it was made for.

        Raises:
            ValueError: if so.
        """
        if not self._counts or self._wanted:
            return
        lattice, runs = self._lattice, sorted(self._runs)
        lengths = f"{runs[0]}" if len(runs) == 1 else f"{runs[0]} to {runs[-1]}"
        others = ", ".join(self._counts)
        raise ValueError(
            f"The lattice {lattice.name} has dimension {lattice.dim} and would not be used at all: the latents of "
            f"{self._name} come in runs of {lengths}, which {others} would take. Choose one of at most {runs[-1]} "
            "dimensions, or longer runs: bottleneck.along=image makes one of all latents."
        )
