"""`ImageDataModule`: random crops for training and whole images for the test, for Lightning's Trainer."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from datamodules.errors import DataError
from datamodules.images import ImageCrops, ImageFiles
from datamodules.ranks import rank_and_world
from datamodules.streamed import StreamedData
from datamodules.training import EndlessStream

__all__ = ["CropStream", "ImageDataModule", "TestImages"]


class CropStream(EndlessStream):
    """An endless stream of batches of crops, float32 [batch_size, 3, size, size] in [0, 1].

    Args:
        crops: where they come from.
        batch_size: crops per batch and process.
        seed: not negative.
        steps: as for `EndlessStream`.
        position: likewise.
    """

    def __init__(
        self,
        crops: ImageCrops,
        batch_size: int,
        seed: int,
        steps: int | None = None,
        position: Callable[[], int] | None = None,
    ) -> None:
        super().__init__(batch_size, seed, steps, position)
        self.crops = crops

    def batch(self, index: int, world: int) -> Tensor:
        return self.crops.draw(self.batch_size, self.generator(index))


class TestImages:
    """Whole images, each once, shared out to the processes: pairs of a number and uint8 [3, height, width].

    Args:
        images: the images, all of which must be readable.
        count: how many of them, from the first.
    """

    __test__ = False  # it is no test, whatever pytest makes of its name

    def __init__(self, images: ImageFiles, count: int) -> None:
        self.images, self.count = images, count

    def __len__(self) -> int:
        rank, world = rank_and_world()
        return len(range(rank, self.count, world))

    def __iter__(self) -> Iterator[tuple[int, Tensor]]:
        rank, world = rank_and_world()
        for index in range(rank, self.count, world):
            yield index, self.images[index]


class ImageDataModule(StreamedData):
    """Images for a codec: crops of some to train on, others whole to test on.

    Batch t of process r of W depends on (seed, t·W + r) alone, so processes share no crop but by chance, and a resumed
    run goes on with the batch it would have had next.

    Args:
        train: image files to train on.
        test: image files to test on; none of them may be among those.
        crop_size: height and width of a crop in pixels.
        batch_size: crops per batch and process.
        eval_symbols: pixels to test on, at least; rounded up to whole images. None for all of them.
        cache_mb: memory for decoded training images, in MB.
        workers: processes that decode and crop; 0 does it in this one, which is enough where images stay in memory.
        seed: not negative.

    Raises:
        DataError: a test image is also trained on, or cannot be read, or there are no images. (An image to train on
            that cannot be read is skipped.)
        ValueError: a number is out of its range.
    """

    def __init__(
        self,
        train: Sequence[Path],
        test: Sequence[Path],
        crop_size: int = 256,
        batch_size: int = 8,
        eval_symbols: int | None = None,
        cache_mb: float = 1024,
        workers: int = 0,
        seed: int = 0,
    ) -> None:
        train, test = [Path(file) for file in train], [Path(file) for file in test]
        refuse_overlap(train, test)
        if workers < 0 or (eval_symbols is not None and eval_symbols < 1):
            raise ValueError(
                f"workers must not be negative and eval_symbols at least 1, got {workers} and {eval_symbols}."
            )
        super().__init__()
        self.workers, self.test_images = workers, ImageFiles(test, cache_mb=0)
        # All are read now: one that is broken would end the run after all of the training.
        self._count = count_images(self.test_images, eval_symbols)
        self.crops = ImageCrops(ImageFiles(train, cache_mb), crop_size)
        self.batch_size, self.seed = batch_size, seed
        # Made once for its checks: a wrong number should fail here.
        self.train_dataloader()

    def train_dataloader(self) -> Any:
        """The endless stream of crops."""
        stream = CropStream(self.crops, self.batch_size, self.seed, self.steps_per_epoch, self._next_batch)
        if self.workers == 0:
            return stream
        return DataLoader(stream, batch_size=None, num_workers=self.workers, pin_memory=torch.cuda.is_available())

    def test_dataloader(self) -> Any:
        """The test images of this process."""
        return TestImages(self.test_images, self._count)


def count_images(images: ImageFiles, pixels: int | None) -> int:
    """How many images, from the first, have as many pixels; each of them is read.

    Args:
        images: the images.
        pixels: how many are wanted, at least; None for all images.

    Raises:
        DataError: if one of them cannot be read.
    """
    seen = 0
    for index in range(len(images)):
        if pixels is not None and seen >= pixels:
            return index
        seen += images[index][0].numel()
    return len(images)


def refuse_overlap(train: Sequence[Path], test: Sequence[Path]) -> None:
    """Refuses to test on images that are trained on, by path or by content.

    Raises:
        DataError: naming one of them.
    """
    paths = {file.resolve() for file in train}
    for file in test:
        if file.resolve() in paths:
            raise DataError(f"{file} is among the images to train on: a test needs images that training never sees.")
    # Files of one size may be copies; all others are not.
    sizes: dict[int, list[Path]] = defaultdict(list)
    for file in test:
        if file.is_file():
            sizes[file.stat().st_size].append(file)
    for file in train:
        for other in sizes.get(file.stat().st_size if file.is_file() else -1, []):
            if _digest(file) == _digest(other):
                raise DataError(f"{file}, which is trained on, is a copy of {other}, which is tested on.")


def _digest(file: Path) -> bytes:
    return hashlib.sha256(file.read_bytes()).digest()
