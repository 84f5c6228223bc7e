"""The secant in the logarithm of a step."""

from __future__ import annotations

import math

__all__ = ["Secant"]


class Secant:
    """Goes along the line through the last two looks, and once the goal lies between two steps, never outside of them.

    Attributes:
        at: where to look.
        slope: by how much the gap rises for each octave more.
    """

    def __init__(self, at: float, slope: float = 1.0) -> None:
        self.at, self.slope = at, slope
        self._last: tuple[float, float] | None = None
        self._low, self._high = -math.inf, math.inf
        self._same = 0

    def next(self, gap: float) -> float:
        """Goes on from a gap at ``at``, positive where the step is too large; returns by how many octaves."""
        if self._last is not None and self.at != self._last[0]:
            self.slope = min(max((gap - self._last[1]) / (self.at - self._last[0]), 0.2), 50.0)
        self._same = self._same + 1 if self._last is not None and (gap > 0) == (self._last[1] > 0) else 0
        self._last = (self.at, gap)
        if gap > 0:
            self._high = min(self._high, self.at)
        else:
            self._low = max(self._low, self.at)
        found = self.at + min(max(-gap / self.slope, -2.0), 2.0)
        between = math.isfinite(self._low) and math.isfinite(self._high)
        if between and (self._same > 1 or not self._low < found < self._high):
            found = (self._low + self._high) / 2
        move, self.at = found - self.at, found
        return move
