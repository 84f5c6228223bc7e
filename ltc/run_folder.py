"""Where a run's coder is, what it holds, and, where there is none, what there is in its place."""

from __future__ import annotations

import io
import json
import warnings
import zipfile
from pathlib import Path
from typing import Any

__all__ = ["coder_place", "read_content", "read_start"]

# What every checkpoint of Lightning holds.
_MARK = b"pytorch-lightning_version"


def coder_place(path: Path | str) -> Path:
    """The file of a coder: ``path`` itself, or the ``coder.pt`` of the run whose folder it is."""
    path = Path(path)
    return path / "coder.pt" if path.is_dir() else path


def _why_no_coder(path: Path) -> str:
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


def read_content(path: Path | str) -> tuple[Path, dict[str, Any]]:
    """What a checkpoint holds, of whatever kind its coder is, and the path of the file.

    Args:
        path: the file, or the folder of the run that wrote it as ``coder.pt``.

    Raises:
        ValueError: if there is no such file, or it is none of this project.
    """
    import torch  # where a coder is, commands without torch ask, too

    path = coder_place(path)
    if not path.exists():
        raise ValueError(_why_no_coder(path))
    data = path.read_bytes()
    try:
        with warnings.catch_warnings():  # what a foreign pickle warns of is said by the refusal
            warnings.simplefilter("ignore", UserWarning)
            content = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except Exception as error:
        raise ValueError(_foreign(path, data)) from error
    if not isinstance(content, dict) or not str(content.get("format")).startswith("ltc-"):
        raise ValueError(_foreign(path, data))
    return path, content


def read_start(path: Path | str) -> dict[str, Any]:
    """What the coder holds that a training is asked to start from with ``init_from``; see ``read_content``."""
    try:
        place, content = read_content(path)
        if not isinstance(content.get("state"), dict):
            raise ValueError(f"{place} is damaged: it has no parameters.")
    except (ValueError, OSError) as error:
        raise ValueError(f"init_from: {error}") from error
    return content


def _foreign(path: Path, data: bytes) -> str:
    if _is_training_checkpoint(data):
        return (
            f"{path} is what a training goes on from, no coder: a run writes its coder as coder.pt when training "
            "has ended."
        )
    return f"{path} is no coder of this project: a run writes one as coder.pt."


def _is_training_checkpoint(data: bytes) -> bool:
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
