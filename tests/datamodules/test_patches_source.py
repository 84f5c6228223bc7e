"""Patches of images: cut where they are, of the right pixels, and none of the test's images in training."""

import pytest
import torch

from datamodules import DataError, Patches
from ltc.pixels import write_image


@pytest.fixture
def images(tmp_path):
    """``images("train", (3, 20, 30))``: a folder of an image of noise for each shape; its path and the images."""

    def make(name, *shapes):
        folder = tmp_path / name
        folder.mkdir()
        made = [torch.randint(256, shape, dtype=torch.uint8) for shape in shapes]
        for i, pixels in enumerate(made):
            write_image(folder / f"{i}.png", pixels)
        return folder, made

    return make


@pytest.mark.parametrize("channels", [1, 3])
def test_patches_are_parts_of_images(images, channels):
    folder, train = images("train", (3, 9, 14), (3, 12, 8))
    other, test = images("test", (3, 11, 15))
    source = Patches(folder, other, size=4, channels=channels)

    def places(image, step):
        gray = (0.299 * image[0].float() + 0.587 * image[1].float() + 0.114 * image[2].float()).round()[None]
        image = image.float() if channels == 3 else gray
        height, width = image.shape[1:]
        corners = [(y, x) for y in range(0, height - 3, step) for x in range(0, width - 3, step)]
        return [tuple(image[:, y : y + 4, x : x + 4].flatten().long().tolist()) for y, x in corners]

    def found(x):
        return [tuple(row) for row in (x * 255).round().long().tolist()]

    assert source.dim == source.test_set().shape[1] == 16 * channels
    assert sorted(found(source.test_set())) == sorted(places(test[0], 4))
    every = {patch for image in train for patch in places(image, 1)}
    drawn = found(source.sample(5000, torch.Generator().manual_seed(0)))
    assert set(drawn) == every  # 66 + 45 places, each of them drawn
    assert source.test_set().dtype == torch.float32 and 0 <= source.test_set().min() <= source.test_set().max() <= 1


def test_mistakes_are_sentences(images, tmp_path):
    folder, _ = images("train", (3, 9, 14))
    other, _ = images("test", (3, 5, 15))
    with pytest.raises(DataError, match=r"0\.png is 15 x 5 pixels, smaller than a patch of 6"):
        Patches(folder, other, size=6)
    with pytest.raises(DataError, match="is among the images to train on"):
        Patches(folder, folder, size=4)
    with pytest.raises(DataError, match="nowhere does not exist"):
        Patches(tmp_path / "nowhere", other)
    with pytest.raises(ValueError, match=r"patches: channels must be 1"):
        Patches(folder, other, channels=2)
    with pytest.raises(ValueError, match="size"):
        Patches(folder, other, size=0)
