"""What the parts of a benchmark have found, in files: one that was interrupted goes on."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["Parts"]

_ROOT = Path(__file__).resolve().parent.parent


class Parts:
    """The parts of one benchmark, in ``multirun/NAME``.

    Args:
        name: of the benchmark.
        key: what the parts belong to: commit and options.
        again: whether what was measured is measured anew.
    """

    def __init__(self, name: str, key: str, again: bool) -> None:
        self._folder = _ROOT / "multirun" / name / hashlib.sha256(key.encode()).hexdigest()[:12]
        self._folder.mkdir(parents=True, exist_ok=True)
        self._again = again

    def of(self, name: str, measure: Callable[[], Any]) -> Any:
        """What a part has found, now or before: anything that is JSON."""
        path = self._folder / f"{name}.json"
        if self._again or not path.exists():
            start = time.perf_counter()
            found = json.dumps(measure())
            path.with_suffix(".new").write_text(found)
            path.with_suffix(".new").replace(path)
            print(f"{name}: {time.perf_counter() - start:.0f} s", flush=True)
        return json.loads(path.read_text())
