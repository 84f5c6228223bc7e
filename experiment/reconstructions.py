"""Decoded test images as PNG, beside the originals, in the job's ``reconstructions/``."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from ltc.files import whole_file
from ltc.pixels import write_image

__all__ = ["reconstruction_names", "write_reconstruction"]


def write_reconstruction(folder: Path, names: tuple[str, str], decoded: Tensor, original: Tensor) -> None:
    """Writes both images of a pair, each whole or not at all.

    Args:
        folder: the job's.
        names: of the two, as `reconstruction_names` has them.
        decoded: uint8 [3, height, width].
        original: likewise.
    """
    for name, image in zip(names, (decoded, original), strict=True):
        with whole_file(folder / "reconstructions" / name) as temporary:
            write_image(temporary, image)


def reconstruction_names(names: list[str]) -> list[tuple[str, str]]:
    """The names of the decoded image and of the original of each test image, all different.

    Args:
        names: of the test images, all different, with suffixes.

    Examples:
        >>> reconstruction_names(["kodim01.png"])
        [('kodim01.png', 'kodim01_original.png')]
        >>> reconstruction_names(["x.png", "x.jpg"])
        [('x.png.png', 'x.png_original.png'), ('x.jpg.png', 'x.jpg_original.png')]
    """
    found = [(f"{stem}.png", f"{stem}_original.png") for stem in (name.rpartition(".")[0] for name in names)]
    if len({picture for pair in found for picture in pair}) == 2 * len(names):
        return found
    # With their suffixes no two can meet: none of the names ends in "_original".
    return [(f"{name}.png", f"{name}_original.png") for name in names]
