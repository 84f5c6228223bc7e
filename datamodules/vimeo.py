"""`vimeo90k`: the frames of Vimeo-90k, which the field trains image codecs on."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from datamodules.errors import DataError

__all__ = ["vimeo90k"]

ORIGIN = "http://toflow.csail.mit.edu"
# The list files of the two forms of the data set, and how many frames a sequence of each has.
LISTS = {"sep_trainlist.txt": 7, "tri_trainlist.txt": 3}


def vimeo90k(folder: str | PathLike[str], frames: int | None = None) -> list[Path]:
    """The training frames of Vimeo-90k: `sequences/00001/0001/im1.png` and so on.

    Septuplets have the list file `sep_trainlist.txt` and triplets `tri_trainlist.txt`; each line of it names a
    sequence, as in `00001/0001`. A frame that is missing is skipped when it is asked for, as any broken file is.

    Reference: Xue, Chen, Wu, Wei & Freeman, "Video Enhancement with Task-Oriented Flow", IJCV 127, 2019,
    arXiv:1711.09078.

    Args:
        folder: the unpacked archive.
        frames: of each sequence, from the first; all 7 (or 3) if not given.

    Raises:
        DataError: there is no list file, or it names no sequence.
        ValueError: frames is below 1 or above the number there is.
    """
    folder = Path(folder)
    name = next((name for name in LISTS if (folder / name).is_file()), None)
    if name is None:
        raise DataError(f"{folder} is no Vimeo-90k: it has no {' or '.join(LISTS)}; the data is at {ORIGIN}.")
    frames = LISTS[name] if frames is None else frames
    if not 1 <= frames <= LISTS[name]:
        raise ValueError(f"frames must be from 1 to {LISTS[name]}, got {frames}.")
    sequences = [line.strip() for line in (folder / name).read_text().splitlines() if line.strip()]
    if not sequences:
        raise DataError(f"{folder / name} names no sequence; it should have lines like 00001/0001.")
    return [folder / "sequences" / sequence / f"im{i + 1}.png" for sequence in sequences for i in range(frames)]
