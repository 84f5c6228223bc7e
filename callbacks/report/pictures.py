"""Pictures of a report, as data URIs: cells of quantizers, and parts of decoded images beside their originals."""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from callbacks.report.sweeps import Job

__all__ = ["cells", "decoded"]

# What a browser shows with ease, and a mail takes: pixels and count of pictures.
_CELLS, _CELL_PIXELS = 60, 640
_DECODED, _IMAGES, _PART = 36, 3, 256


def cells(jobs: Sequence[Job]) -> list[dict[str, Any]]:
    """The pictures of cells that jobs have left: of each its job's number."""
    from PIL import Image

    paths = [(n, job.folder / "cells.png") for n, job in enumerate(jobs) if job.folder is not None]
    found = []
    for number, path in [(number, path) for number, path in paths if path.is_file()][:_CELLS]:
        with Image.open(path) as picture:
            small = picture.convert("RGB")
        small.thumbnail((_CELL_PIXELS, _CELL_PIXELS), Image.Resampling.LANCZOS)
        found.append({"point": number, "source": _png(small.quantize(64, Image.Quantize.FASTOCTREE))})
    return found


def decoded(jobs: Sequence[Job]) -> list[dict[str, Any]]:
    """Decoded images that all jobs with such images have: of each its name, its original, and a picture of each job.

    Pictures are the middle of an image, pixel for pixel: made smaller, they would not show what coding does.
    """
    folders = {n: job.folder / "reconstructions" for n, job in enumerate(jobs) if job.folder is not None}
    folders = dict([(n, folder) for n, folder in folders.items() if folder.is_dir()][:_DECODED])
    names = [{path.name for path in folder.glob("*.png")} for folder in folders.values()]
    if not names:
        return []
    shared = set.intersection(*names)
    images = sorted(name for name in shared if f"{Path(name).stem}_original.png" in shared)
    rows = {number: _rows(folder.parent) for number, folder in folders.items()}
    found = []
    for name in images[: max(1, min(_IMAGES, _DECODED // len(folders)))]:
        stem = Path(name).stem
        some = next(iter(folders.values()))
        pictures = [
            {"point": number, "source": _middle(folder / name), **rows[number].get(stem, {})}
            for number, folder in folders.items()
        ]
        found.append({"name": stem, "original": _middle(some / f"{stem}_original.png"), "pictures": pictures})
    return found


def _rows(folder: Path) -> dict[str, dict[str, float]]:
    """Bits per pixel and PSNR of a job's images, by their names without suffix."""
    path, found = folder / "images.csv", {}
    if path.is_file():
        with path.open(newline="", errors="replace") as file:
            for row in csv.DictReader(file):
                try:
                    found[Path(row["image"]).stem] = {key: float(row[key]) for key in ("bpp", "psnr")}
                except (KeyError, TypeError, ValueError):
                    continue
    return {name: row for name, row in found.items() if all(abs(v) < 1e9 for v in row.values())}


def _middle(path: Path) -> str:
    from PIL import Image

    with Image.open(path) as picture:
        whole = picture.convert("RGB")
    size = min(_PART, whole.width), min(_PART, whole.height)
    left, top = (whole.width - size[0]) // 2, (whole.height - size[1]) // 2
    return _png(whole.crop((left, top, left + size[0], top + size[1])))


def _png(picture: Any) -> str:
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
