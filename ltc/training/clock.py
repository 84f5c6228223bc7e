"""How long a training took, and how much of it was calibration."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

__all__ = ["TrainingClock"]


class TrainingClock:
    """Counts the seconds of a training, over all its starts.

    Attributes:
        seconds: of training, calibration included; a training that goes on adds what it took before.
        calibration: seconds of it that were calibration.
    """

    def __init__(self) -> None:
        self.seconds = self.calibration = 0.0
        self._begun = 0.0

    def start(self) -> None:
        self._begun = time.perf_counter()

    def stop(self) -> None:
        self.seconds += time.perf_counter() - self._begun

    @contextlib.contextmanager
    def calibrating(self) -> Iterator[None]:
        """The time of the block is calibration."""
        begun = time.perf_counter()
        yield
        self.calibration += time.perf_counter() - begun
