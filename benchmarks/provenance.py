"""Where and with what a figure was measured: the line that every measured page carries."""

from __future__ import annotations

import subprocess
from pathlib import Path

from callbacks.provenance import hardware

__all__ = ["provenance"]

_ROOT = Path(__file__).resolve().parent.parent


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
        head = _git("rev-parse", "--short", "HEAD")
        changed = _git("status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return head + (" with changes" if changed else "")


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=_ROOT, capture_output=True, text=True, check=True).stdout.strip()
