"""What goes wrong with a bitstream, said in one sentence."""

from __future__ import annotations

__all__ = ["CorruptStream"]


class CorruptStream(ValueError):
    """A bitstream or file that no encoder of this project wrote, or that lost or changed bytes since."""
