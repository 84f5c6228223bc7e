"""`Patches`: square patches of photographs; a finite data set."""

from __future__ import annotations

from os import PathLike

import torch
from torch import Tensor

from datamodules.errors import DataError
from datamodules.images import ImageFiles, image_folder
from datamodules.source import Source

__all__ = ["Patches"]

# Rec. 601, as JPEG has it.
LUMINANCE = torch.tensor([0.299, 0.587, 0.114])


class Patches(Source):
    """Patches of size x size pixels, in units of pixels / 255: a vector of their luminance, or of red, green and blue.

    Components go row by row, channel after channel. Training draws patches from anywhere in the images of one folder,
    all places alike; the test set are the patches of a grid, side by side, of the images of another, *in a shuffled
    order that is always the same*, so that blocks of the test set are made like those of training. Neighbours depend
    on each other: standard errors of an evaluation are about this test set and no larger population. R(D) is unknown.

    All images are decoded once and stay in memory, a byte for each pixel and channel (BSDS500: 77 MB of luminance).

    Args:
        folder: images to train on, in it and the folders in it.
        test: images to test on, likewise; none of them may be among those.
        size: height and width of a patch.
        channels: 1 for luminance (Rec. 601, rounded to eight bits), 3 for red, green, blue.
        latents: latents per patch; as many as components if not given.

    Raises:
        DataError: a folder holds no images, one cannot be read or is smaller than a patch, or an image is in both.
        ValueError: a number is out of its range, or the measure is not "mse".

    Examples:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from ltc.pixels import write_image
        >>> folder = Path(tempfile.mkdtemp())
        >>> for name in ("train", "test"):
        ...     (folder / name).mkdir()
        ...     pixels = torch.randint(256, (3, 40, 20), dtype=torch.uint8)
        ...     write_image(folder / name / "image.png", pixels)
        >>> source = Patches(folder / "train", folder / "test", size=4)
        >>> source.sample(5, torch.Generator().manual_seed(0)).shape, source.test_set().shape
        (torch.Size([5, 16]), torch.Size([50, 16]))
    """

    name = "patches"

    def __init__(
        self,
        folder: str | PathLike[str],
        test: str | PathLike[str],
        size: int = 8,
        channels: int = 1,
        measure: str = "mse",
        latents: int | None = None,
    ) -> None:
        if size < 1:
            raise ValueError(f"patches: size must be at least 1, got {size}.")
        if channels not in (1, 3):
            raise ValueError(f"patches: channels must be 1 (luminance) or 3 (red, green, blue), got {channels}.")
        super().__init__(dim=channels * size * size, measure=measure, latents=latents)
        self.size, self.channels = size, channels
        from datamodules.image_data import refuse_overlap  # it imports Lightning

        files = image_folder(folder), image_folder(test)
        refuse_overlap(*files)
        train, tested = ([self._read(images, i) for i in range(len(images))] for images in map(_uncached, files))
        # Images stand one after another; of each is known where it begins, its height and width.
        self._pixels = torch.cat([image.flatten() for image in train])
        self._shapes = torch.tensor([image.shape[1:] for image in train])
        self._starts = torch.tensor([0, *(image.numel() for image in train[:-1])]).cumsum(0)
        # Patches are numbered through all images.
        self._ends = (self._shapes - size + 1).prod(1).cumsum(0)
        patches = torch.cat([self._grid(image) for image in tested])
        self._test = patches[torch.randperm(len(patches), generator=torch.Generator().manual_seed(0))].float() / 255

    def _read(self, images: ImageFiles, index: int) -> Tensor:
        """An image, uint8 [channels, height, width]."""
        pixels = images[index]
        height, width = pixels.shape[1:]
        if min(height, width) < self.size:
            raise DataError(f"{images.files[index]} is {width} x {height} pixels, smaller than a patch of {self.size}.")
        if self.channels == 3:
            return pixels
        return torch.einsum("c,chw->hw", LUMINANCE, pixels.float()).round().to(torch.uint8)[None]

    def _grid(self, image: Tensor) -> Tensor:
        """The patches of an image side by side, uint8 [count, dim]."""
        size = self.size
        tiles = image.unfold(1, size, size).unfold(2, size, size)  # [channels, rows, columns, size, size]
        return tiles.permute(1, 2, 0, 3, 4).reshape(-1, self.dim)

    def sample(self, count: int, generator: torch.Generator) -> Tensor:
        device, size = generator.device, self.size
        number = torch.randint(int(self._ends[-1]), (count,), generator=generator, device=device).cpu()
        image = torch.searchsorted(self._ends, number, right=True)
        height, width = self._shapes[image].unbind(1)
        number = number - self._ends[image] + (height - size + 1) * (width - size + 1)
        corner = self._starts[image] + number // (width - size + 1) * width + number % (width - size + 1)
        channel, side = torch.arange(self.channels), torch.arange(size)
        # [count, channels, size, size]: where each pixel of each patch is.
        height, width, corner = (x[:, None, None, None] for x in (height, width, corner))
        place = corner + channel[:, None, None] * height * width + side[:, None] * width + side
        return (self._pixels[place].float() / 255).reshape(count, self.dim).to(device)

    def test_set(self) -> Tensor:
        return self._test


def _uncached(files: list) -> ImageFiles:  # type: ignore[type-arg]
    return ImageFiles(files, cache_mb=0)
