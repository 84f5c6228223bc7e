"""Where and with what a figure was measured: the line that every measured page carries."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable
from pathlib import Path

from experiment.provenance import git, hardware

__all__ = ["commits_of", "provenance"]


def provenance() -> str:
    """Commit (and whether the tree had changes), machine, cores, torch, in one line.

    Example:
        >>> "torch" in provenance()
        True
    """
    import torch

    machine = hardware()
    return f"commit {_commit()}, {machine['processor']}, {machine['cores']} cores, torch {torch.__version__}"


def _commit() -> str:
    try:
        head = git("rev-parse", "--short", "HEAD").strip()
        changed = git("status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return head + (" with changes" if changed else "")


def commits_of(sweeps: Iterable[Path]) -> list[str]:
    """The commits that made the points of sweeps: a page may be written later than they."""
    found: dict[str, None] = {}
    for path in (path for sweep in sweeps for path in sorted(sweep.rglob("provenance.json"))):
        known = json.loads(path.read_text())
        changed = " with changes" if (path.parent / "changes.diff").exists() else ""
        found[f"{str(known['commit'])[:7]}{changed}"] = None
    return list(found)
