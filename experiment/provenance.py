"""Where a job's figures come from: ``provenance.json``, ``changes.diff`` and ``config.yaml`` in its folder."""

from __future__ import annotations

import functools
import importlib.metadata
import json
import os
import platform
import socket
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from pytorch_lightning.utilities import rank_zero_only

from ltc.files import whole_file, write_json

__all__ = ["git", "hardware", "versions", "write_provenance"]

_ROOT = Path(__file__).resolve().parent.parent


@rank_zero_only
def write_provenance(folder: Path | str, config: DictConfig) -> None:
    """Writes what it takes to have the job's figures again: configuration, code, versions, machine.

    A second start of the same job in the same folder keeps the commits of the earlier ones.

    Args:
        folder: the job's.
        config: the job's configuration.
    """
    folder = Path(folder)
    commit, changes, untracked = _code()
    facts = {
        "command": " ".join(sys.argv),
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit,
        "changed": bool(changes),
        "untracked": untracked,
        "earlier_commits": _earlier(folder / "provenance.json", commit),
        "seed": config.get("seed"),
        "threads": config.get("threads"),
        "python": platform.python_version(),
        **hardware(),
        "versions": versions(),
    }
    with whole_file(folder / "config.yaml") as temporary:
        temporary.write_text(OmegaConf.to_yaml(config, resolve=True))
    if changes:
        with whole_file(folder / "changes.diff") as temporary:
            temporary.write_text(changes, errors="surrogateescape")
    else:
        (folder / "changes.diff").unlink(missing_ok=True)
    write_json(folder / "provenance.json", facts)


@functools.cache
def hardware() -> dict[str, Any]:
    """The machine: its name, system, processor, cores, memory and GPUs.

    Examples:
        >>> hardware()["cores"] >= 1
        True
    """
    import torch

    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 0
    return {
        "host": socket.gethostname(),
        "system": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(pages / 2**30, 1),
        "gpus": [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())],
    }


@functools.cache
def versions() -> dict[str, str]:
    """Every installed package and its version.

    Examples:
        >>> "torch" in versions()
        True
    """
    found = {d.name: d.version for d in importlib.metadata.distributions() if d.name}
    return dict(sorted(found.items(), key=lambda pair: pair[0].lower()))


@functools.cache
def _code() -> tuple[str | None, str, list[str]]:
    """The commit, what differs from it, and the files it does not know; asked once a process, as it is loaded once."""
    try:
        commit = git("rev-parse", "HEAD").strip()
        return (
            commit,
            git("diff", "--no-ext-diff", "HEAD"),
            git("ls-files", "--others", "--exclude-standard").split("\n")[:-1],
        )
    except (OSError, subprocess.SubprocessError):
        return None, "", []


def git(*words: str) -> str:
    """What git says in the project's folder, whatever its user has set for people's eyes."""
    # A user's own settings (colours, an external tool) would end up in the diff.
    plain = ["git", "-c", "color.ui=never", "-c", "core.quotepath=false"]
    done = subprocess.run([*plain, *words], cwd=_ROOT, capture_output=True, check=True, timeout=20)
    return done.stdout.decode(errors="surrogateescape")


def _earlier(path: Path, commit: str | None) -> list[str]:
    """The other commits that have worked on this job."""
    try:
        known = json.loads(path.read_text())
        commits = [*known["earlier_commits"], known["commit"]]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return [c for c in dict.fromkeys(commits) if c not in (commit, None)]


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
