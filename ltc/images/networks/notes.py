"""The last string of an image: what its decoder must be told beside the latents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ltc.coding import CorruptStream

__all__ = ["Notes"]


@dataclass(frozen=True)
class Notes:
    """What an encoder did.

    Attributes:
        threads: 1 to 255, with which the synthesis runs in single precision.
        grids: of ``ltc.images.exact.ChosenGrids``, the calls that did not get grid 0.

    Examples:
        >>> Notes.of_bytes(Notes(2, {300: 1}).to_bytes())
        Notes(threads=2, grids={300: 1})
    """

    threads: int
    grids: Mapping[int, int]

    def to_bytes(self) -> bytes:
        """A byte for the threads; for each call its number, four bytes, the lowest first, and a byte for its grid."""
        calls = (call.to_bytes(4, "little") + bytes([grid]) for call, grid in sorted(self.grids.items()))
        return bytes([self.threads]) + b"".join(calls)

    @classmethod
    def of_bytes(cls, string: bytes) -> Notes:
        """The inverse of ``to_bytes``.

        Raises:
            CorruptStream: if the string is none of its.
        """
        if len(string) % 5 != 1 or string[0] == 0:
            raise CorruptStream("the last string of the image is damaged")
        calls = [string[at : at + 5] for at in range(1, len(string), 5)]
        return cls(string[0], {int.from_bytes(call[:4], "little"): call[4] for call in calls})
