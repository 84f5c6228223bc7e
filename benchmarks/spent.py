"""The time that a folder of results has taken, over all commands that added to it."""

from __future__ import annotations

import json
from pathlib import Path

from ltc.files import write_json

__all__ = ["spent"]


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
