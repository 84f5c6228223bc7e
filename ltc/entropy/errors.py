"""What goes wrong with an entropy model, said in one sentence."""

from __future__ import annotations

__all__ = ["LatentsTooFar"]


class LatentsTooFar(ValueError):
    """The model's mass spreads over more lattice points than any table holds: in a training, a divergence."""
