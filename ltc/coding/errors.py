"""What goes wrong with a bitstream, said in one sentence."""

from __future__ import annotations

__all__ = ["CorruptStream", "NoBitstream"]


class CorruptStream(ValueError):
    """A bitstream or file that no encoder of this project wrote, or that lost or changed bytes since."""


class NoBitstream(ValueError):
    """A model of which no code can be made: its rate is an estimate, or its lattice has none."""
