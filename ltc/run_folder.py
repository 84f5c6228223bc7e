"""Where a run's coder is, what training starts from there, and, where there is none, what there is in its place."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

__all__ = ["coder_place", "is_training_checkpoint", "read_start", "why_no_coder"]

# What every checkpoint of Lightning holds.
_MARK = b"pytorch-lightning_version"


def coder_place(path: Path | str) -> Path:
    """The file of a coder: ``path`` itself, or the ``coder.pt`` of the run whose folder it is."""
    path = Path(path)
    return path / "coder.pt" if path.is_dir() else path


def why_no_coder(path: Path) -> str:
    """Why there is no file of a coder at a place: one sentence.

    Args:
        path: the place, from ``coder_place``.
    """
    folder = path.parent
    if path.name != "coder.pt" or not folder.is_dir():
        return f"There is no checkpoint {path}."
    if (folder / "error.json").exists():
        return f"There is no coder.pt in {folder}: the run there has failed{_reason(folder / 'error.json')}."
    if (folder / "rd_point.json").exists():
        return f"There is no coder.pt in {folder}: the run there has ended, but its coder has no bitstream."
    if any(folder.rglob("*.ckpt")) or (folder / "job.json").exists():
        return f"There is no coder.pt in {folder}: the run there has not ended yet; the command that began it goes on."
    jobs = sorted(file.parent for file in folder.glob("*/coder.pt"))
    if jobs:
        return f"There is no coder.pt in {folder}, but in {len(jobs)} folders in it: name one of them, {jobs[0]} say."
    return f"There is no coder.pt in {folder}, which is no folder of a run."


def read_start(path: Path | str) -> dict[str, Any]:
    """What the coder holds that a training is asked to start from with ``init_from``: its ``state`` among others.

    Args:
        path: the file, or the folder of the run that wrote it as ``coder.pt``.

    Raises:
        ValueError: if there is no such file, or it is none of this project.
    """
    import torch  # where a coder is, commands without torch ask, too

    place = coder_place(path)
    if not place.is_file():
        raise ValueError(f"init_from={path}: {why_no_coder(place)}")
    try:
        content = torch.load(place, map_location="cpu", weights_only=True)
        content["state"].keys()
    except Exception as error:
        raise ValueError(f"init_from={path} is no coder of this project; a finished run writes one.") from error
    return dict(content)


def is_training_checkpoint(data: bytes) -> bool:
    """Whether a file holds what a training goes on from: a checkpoint of Lightning."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            pickles = [name for name in archive.namelist() if name.endswith("data.pkl")]
            return any(_MARK in archive.read(name) for name in pickles)
    except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError, ValueError, EOFError):
        return False


def _reason(path: Path) -> str:
    try:
        return " (" + str(json.loads(path.read_text())["error"]).rstrip(".") + ")"
    except (OSError, ValueError, KeyError, TypeError):
        return ""
