"""`ImageFiles`, decoded images of folders, and `ImageCrops`, random crops of them."""

from __future__ import annotations

import logging
import os
import re
from collections import Counter, OrderedDict
from collections.abc import Iterable, Sequence
from os import PathLike
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from datamodules.errors import DataError
from ltc.pixels import SUFFIXES, read_image, to_image

__all__ = ["ImageCrops", "ImageFiles", "image_folder", "names_in_common"]

log = logging.getLogger(__name__)


def image_folder(folder: str | PathLike[str], origin: str = "") -> list[Path]:
    """All image files in a folder and the folders in it, sorted.

    Args:
        folder: where they are.
        origin: where to get them, for the message.

    Raises:
        DataError: there is no such folder, or no image in it.
    """
    folder = Path(folder)
    hint = f"; {origin}" if origin else ""
    if not folder.is_dir():
        raise DataError(f"The folder of images {folder} does not exist (data_dir says where data is){hint}.")
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    if not files:
        raise DataError(f"The folder {folder} holds no image ({', '.join(SUFFIXES)}){hint}.")
    return files


def names_in_common(files: Sequence[Path]) -> tuple[Path, list[str]]:
    """The folder that all files are in, and the path of each below it: names of which no two are equal.

    Examples:
        >>> names_in_common([Path("/set/a/x.png"), Path("/set/b/x.png")])
        (PosixPath('/set'), ['a/x.png', 'b/x.png'])
        >>> names_in_common([Path("/set/x.png")])
        (PosixPath('/set'), ['x.png'])
    """
    folder = Path(os.path.commonpath([os.path.abspath(file.parent) for file in files]))
    return folder, [Path(os.path.abspath(file)).relative_to(folder).as_posix() for file in files]


class ImageFiles(Sequence[Tensor]):
    """Images by number, decoded when they are asked for and kept in memory up to a limit.

    A file that cannot be read is skipped: a warning names it, once, and from then on it is not there. What a file has
    and its pixels do not (transparency, 16 bits, further pictures) is told of the first file with it.

    Args:
        files: their paths.
        cache_mb: memory for decoded images, in MB; those least recently used are dropped.

    Raises:
        DataError: there are no files, or one twice.
    """

    def __init__(self, files: Iterable[str | PathLike[str]], cache_mb: float = 1024) -> None:
        self.files = [Path(file) for file in files]
        if not self.files:
            raise DataError("There are no image files to read.")
        twice = next((file for file, count in Counter(self.files).items() if count > 1), None)
        if twice is not None:
            raise DataError(f"{twice} is given twice among the images.")
        self._limit, self._kept = int(cache_mb * 1e6), 0
        self._cache: OrderedDict[int, Tensor] = OrderedDict()
        self._broken: set[int] = set()
        self._noted: set[str] = set()

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index):  # type: ignore[no-untyped-def]
        """Image number `index`, uint8 [3, height, width]; a `DataError` that says why if it cannot be read."""
        if index in self._cache:
            self._cache.move_to_end(index)
            return self._cache[index]
        try:
            image = read_image(self.files[index], note=lambda lost: self._note(index, lost))
        except FileNotFoundError as error:
            raise DataError(f"{self.files[index]} does not exist.") from error
        except (ValueError, OSError) as error:
            raise DataError(str(error)) from error
        self._keep(index, image)
        return image

    def get(self, index: int) -> Tensor | None:
        """Image number `index`, or None where its file cannot be read."""
        if index in self._broken:
            return None
        try:
            return self[index]
        except DataError as error:
            self._broken.add(index)
            log.warning("Skipped: %s", error)
            if len(self._broken) == len(self.files):
                raise DataError(f"None of the {len(self.files)} images can be read; the last: {error}") from error
            return None

    def _note(self, index: int, lost: str) -> None:
        # Images of a set are alike: one line for each kind.
        kind = re.sub(r"\d+", "", lost)
        if kind not in self._noted:
            self._noted.add(kind)
            log.warning("%s %s; of others like it nothing is said.", self.files[index], lost)

    def _keep(self, index: int, image: Tensor) -> None:
        if image.numel() > self._limit:
            return
        self._cache[index] = image
        self._kept += image.numel()
        while self._kept > self._limit:
            self._kept -= self._cache.popitem(last=False)[1].numel()


class ImageCrops:
    """Random square crops of images, flipped at random: float32 [3, size, size] in [0, 1].

    Each crop is of an image drawn uniformly, at a place drawn uniformly. An image that is smaller than the crop is
    mirrored at its right and lower edges until it is not.

    Args:
        images: where crops are taken.
        size: height and width in pixels, at least 1.

    Raises:
        ValueError: size is below 1.
    """

    def __init__(self, images: ImageFiles, size: int = 256) -> None:
        if size < 1:
            raise ValueError(f"crop_size must be at least 1, got {size}.")
        self.images, self.size = images, size
        self._small_seen = False

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Crops [count, 3, size, size], a function of the generator's state alone."""
        crops = torch.empty(count, 3, self.size, self.size, dtype=torch.uint8)
        for crop in crops:
            crop.copy_(self._crop(generator))
        return to_image(crops)

    def _crop(self, generator: torch.Generator) -> Tensor:
        image, index = None, 0
        while image is None:
            index = int(torch.randint(len(self.images), (), generator=generator))
            image = self.images.get(index)
        image = self._large_enough(image, index)
        y, x = (int(torch.randint(side - self.size + 1, (), generator=generator)) for side in image.shape[1:])
        crop = image[:, y : y + self.size, x : x + self.size]
        return crop.flip(2) if bool(torch.randint(2, (), generator=generator)) else crop

    def _large_enough(self, image: Tensor, index: int) -> Tensor:
        missing = [max(0, self.size - side) for side in image.shape[1:]]
        if not any(missing):
            return image
        if not self._small_seen:
            self._small_seen = True
            height, width = image.shape[1:]
            log.warning(
                "%s is %d x %d pixels, smaller than a crop of %d: it is mirrored at its edges, as others like it are.",
                self.images.files[index],
                width,
                height,
                self.size,
            )
        padded = np.pad(image.numpy(), [(0, 0), (0, missing[0]), (0, missing[1])], mode="symmetric")
        return torch.from_numpy(padded)
