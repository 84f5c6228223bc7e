"""Whoever reads the output may leave (``python run.py | head -1``): what is computed is kept all the same."""

from __future__ import annotations

import os
import sys
from typing import Any, TextIO

__all__ = ["PatientStream", "outlive_readers"]


class PatientStream:
    """A text stream whose reader may leave: what is written afterwards goes nowhere, instead of ending the program.

    Args:
        stream: a text stream of a file descriptor.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except BrokenPipeError:
            self._leave()
            return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except BrokenPipeError:
            self._leave()

    def _leave(self) -> None:
        """From now on the descriptor is that of the null device: also for what is still in the buffer."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def outlive_readers() -> None:
    """Lets the program go on when nobody reads its output any more."""
    sys.stdout, sys.stderr = PatientStream(sys.stdout), PatientStream(sys.stderr)  # type: ignore[assignment]
