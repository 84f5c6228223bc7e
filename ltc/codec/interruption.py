"""Signals that ask the command to end: it ends, with their exit code and one line, and leaves nothing half written."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

__all__ = ["Interrupted", "Interruptions", "ignore_signals"]

_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


class Interrupted(BaseException):
    """A signal has asked the command to end."""


class Interruptions:
    """Heeds SIGINT, SIGTERM and SIGHUP while it is entered, but for those that were ignored before (``nohup``).

    Where nothing is to be undone, the process ends at once: libraries that are being loaded turn exceptions into all
    kinds of errors. In a block ``undone`` the signal is raised there as ``Interrupted``; should something
    swallow it, or make another error of it, it is still known at the end of the block.

    Attributes:
        line: what is told at the end.
        number: of the signal that has come; None for none.
    """

    def __init__(self, line: str) -> None:
        self.line = line
        self.number: int | None = None
        self._undoing = self._whole = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Interruptions:
        # Only the main thread may; a program that calls the command from another one has signals of its own.
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                if signal.getsignal(number) not in (signal.SIG_IGN, None):
                    self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @contextlib.contextmanager
    def undone(self, line: str) -> Iterator[None]:
        """Within the block something is written that must not be left half done; after it all is done.

        Args:
            line: what is told if it is interrupted.
        """
        self.line, self._undoing = line, True
        try:
            yield
            self.whole()
        finally:
            self._undoing = False

    def whole(self) -> None:
        """All is written, and takes its name now: from here on the command ends as if no signal had come.

        Raises:
            Interrupted: if one has come before.
        """
        self._whole = True
        if self.number is not None:
            raise Interrupted

    @property
    def code(self) -> int:
        """The exit code that a shell gives to a command ended by the signal."""
        assert self.number is not None
        return 128 + self.number

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._whole or self.number is not None:
            # A second one shall not disturb the undoing of the first.
            return
        self.number = number
        if self._undoing:
            raise Interrupted
        os.write(sys.stderr.fileno(), f"{self.line}\n".encode())
        os._exit(128 + number)


def ignore_signals() -> None:
    """A process whose work is done ends with its own exit code."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
