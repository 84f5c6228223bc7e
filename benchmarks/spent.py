"""The time that a folder of results has taken, over all commands that added to it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ltc.files import write_json

__all__ = ["counted", "spent"]


def spent(folder: Path, seconds: float = 0.0, least: float = 0.0) -> float:
    """The seconds that a folder's results have taken, over all runs; adds some, if they are more than ``least``.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> spent(folder, 90.0), spent(folder, 3.0, least=5.0), spent(folder)
        (90.0, 90.0, 90.0)
    """
    path = folder / "seconds.json"
    total = float(json.loads(path.read_text())["seconds"]) if path.exists() else 0.0
    if seconds > least:
        total += seconds
        write_json(path, {"seconds": total})
    return total


@contextmanager
def counted(folder: Path, least: float = 60.0) -> Iterator[None]:
    """What is done meanwhile counts in the folder's time, also what fails; below ``least`` seconds nothing was missing.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> with counted(folder, least=0.0):
        ...     _ = sum(range(1000))
        >>> spent(folder) > 0
        True
    """
    begun = time.perf_counter()
    try:
        yield
    finally:
        spent(folder, time.perf_counter() - begun, least)
