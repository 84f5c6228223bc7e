"""Laws of image data: any file becomes pixels, crops follow from the seed, nothing is tested on that was trained on."""

import logging
import shutil

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from datamodules.errors import DataError
from datamodules.image_data import ImageDataModule
from datamodules.images import ImageCrops, ImageFiles, image_folder
from datamodules.vimeo import vimeo90k
from ltc.images.padding import pad_to_multiple, padded_size
from ltc.pixels import read_image, to_image, to_pixels, write_image


@pytest.fixture
def photograph(rng, tmp_path):
    """``photograph(name, width, height)``: the path of an image of noise."""

    def make(name="a.png", width=40, height=30, mode="RGB"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        channels = {"RGB": 3, "RGBA": 4, "LA": 2, "CMYK": 4}.get(mode, 1)
        values = rng.integers(0, 256, (height, width, channels), dtype=np.uint8)
        Image.fromarray(values.squeeze(-1) if channels == 1 else values, mode if mode != "P" else "L").save(path)
        return path

    return make


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp"])
def test_pixels_of_a_file(photograph, suffix):
    path = photograph(f"a{suffix}", 17, 9)
    found = read_image(path)
    assert found.shape == (3, 9, 17) and found.dtype == torch.uint8
    np.testing.assert_array_equal(found.permute(1, 2, 0).numpy(), np.asarray(Image.open(path)))


def test_pixels_come_back(photograph, tmp_path):
    pixels = read_image(photograph())
    write_image(tmp_path / "b.png", pixels)
    assert torch.equal(read_image(tmp_path / "b.png"), pixels)
    assert torch.equal(to_pixels(to_image(pixels)), pixels)


def test_grayscale_is_gray(photograph):
    found = read_image(photograph(mode="L"))
    assert torch.equal(found[0], found[1]) and torch.equal(found[0], found[2])


def test_sixteen_bits_are_rounded(rng, tmp_path):
    values = rng.integers(0, 65536, (8, 9)).astype(np.uint16)
    values[0, 0] = 65535
    Image.fromarray(values).save(tmp_path / "deep.png")
    found = read_image(tmp_path / "deep.png")
    np.testing.assert_array_equal(found[1].numpy(), (values / 257).round())


def test_transparency_is_laid_over_white(rng, tmp_path):
    values = rng.integers(0, 256, (8, 9, 4), dtype=np.uint8)
    values[..., 3] = rng.choice([0, 255], (8, 9))
    Image.fromarray(values).save(tmp_path / "clear.png")
    found = read_image(tmp_path / "clear.png").permute(1, 2, 0).numpy()
    np.testing.assert_array_equal(found, np.where(values[..., 3:] == 0, 255, values[..., :3]))


def test_palettes_are_looked_up(photograph, tmp_path):
    image = Image.open(photograph()).quantize(16)
    image.save(tmp_path / "few.png")
    np.testing.assert_array_equal(
        read_image(tmp_path / "few.png").permute(1, 2, 0).numpy(), np.asarray(image.convert("RGB"))
    )
    image.save(tmp_path / "clear.gif", transparency=0)
    assert read_image(tmp_path / "clear.gif").shape == (3, 30, 40)


def test_a_photograph_is_turned_as_its_camera_says(photograph, tmp_path):
    image = Image.open(photograph())
    exif = Image.Exif()
    exif[0x0112] = 6  # the right side is up
    image.save(tmp_path / "turned.jpg", exif=exif)
    assert read_image(tmp_path / "turned.jpg").shape == (3, 40, 30)


@pytest.mark.parametrize("damage", ["empty", "cut", "text"])
def test_what_is_no_image_is_refused_by_name(photograph, damage):
    path = photograph()
    data = path.read_bytes()
    path.write_bytes({"empty": b"", "cut": data[: len(data) // 2], "text": b"no image at all"}[damage])
    with pytest.raises(ValueError, match=r"a\.png is no image") as caught:
        read_image(path)
    assert "\n" not in str(caught.value)


def test_a_broken_file_is_skipped_once_by_name(photograph, caplog, generator):
    good = photograph("good.png", 20, 20)
    bad = good.with_name("bad.png")
    bad.write_bytes(b"nothing")
    with caplog.at_level(logging.WARNING):
        crops = ImageCrops(ImageFiles([bad, good, bad.with_name("missing.png")]), 8).draw(60, generator)
    assert crops.shape == (60, 3, 8, 8)
    assert sum("bad.png" in r.getMessage() for r in caplog.records) == 1
    assert sum("missing.png" in r.getMessage() for r in caplog.records) == 1
    with pytest.raises(DataError, match=r"None of the 1 images"):
        ImageCrops(ImageFiles([bad]), 8).draw(1, generator)


def test_crops_are_pieces_of_the_image(photograph, generator):
    path = photograph(width=12, height=11)
    image = to_image(read_image(path))
    windows = image.unfold(1, 8, 1).unfold(2, 8, 1).permute(1, 2, 0, 3, 4).reshape(-1, 3, 8, 8)
    windows = torch.cat([windows, windows.flip(-1)])
    crops = ImageCrops(ImageFiles([path]), 8).draw(400, generator)
    places = [int((windows == crop).flatten(1).all(1).nonzero()[0]) for crop in crops]
    # Every one of the 2 x 5 x 4 places is as likely as any other.
    assert len(set(places)) > 30


@given(height=st.integers(1, 20), width=st.integers(1, 20), size=st.integers(1, 20))
@settings(max_examples=30)
def test_small_images_are_mirrored(tmp_path_factory, height, width, size):
    path = tmp_path_factory.mktemp("small") / "a.png"
    values = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    Image.fromarray(values).save(path)
    crop = ImageCrops(ImageFiles([path]), size).draw(1, torch.Generator().manual_seed(0))[0]
    assert set(to_pixels(crop).flatten().tolist()) <= set(values.flatten().tolist())
    assert bool((crop >= 0).all()) and bool((crop <= 1).all())


def test_memory_for_decoded_images_has_a_limit(photograph):
    files = [photograph(f"{i}.png", 100, 100) for i in range(5)]
    images = ImageFiles(files, cache_mb=0.07)  # two of them
    for i in (0, 1, 2, 0, 3, 4, 4):
        assert torch.equal(images[i], read_image(files[i]))
        assert images._kept == sum(image.numel() for image in images._cache.values()) <= 70_000
    assert len(images._cache) == 2


@pytest.fixture
def data(photograph, tmp_path):
    """``data(**options)``: a data module on five images of noise, tested on two others."""
    for i in range(5):
        photograph(f"train/{i}.png", 30 + i, 25)
    for i in range(2):
        photograph(f"test/sub/{i}.jpg", 33, 21)

    def make(**options):
        train, test = image_folder(tmp_path / "train"), image_folder(tmp_path / "test")
        return ImageDataModule(**{"train": train, "test": test, "crop_size": 16, "batch_size": 4, **options})

    return make


def first(data, count=3):
    stream = iter(data.train_dataloader())
    return torch.stack([next(stream) for _ in range(count)])


def test_batches_follow_from_the_seed(data):
    batches = first(data(seed=3))
    assert batches.shape == (3, 4, 3, 16, 16)
    assert torch.equal(batches, first(data(seed=3))) and not torch.equal(batches, first(data(seed=4)))
    assert torch.equal(batches, first(data(seed=3, workers=2)))
    assert torch.equal(batches, first(data(seed=3, cache_mb=0)))


def test_each_process_draws_its_own(data, monkeypatch):
    whole = first(data(), 6)
    monkeypatch.setenv("WORLD_SIZE", "2")
    for rank in range(2):
        monkeypatch.setenv("RANK", str(rank))
        assert torch.equal(first(data()), whole[rank::2])
        images = [index for index, _ in data().test_dataloader()]
        assert images == [rank] and len(data().test_dataloader()) == 1


def test_a_resumed_run_goes_on_with_the_next_batch(data):
    resumed = data()
    resumed.load_state_dict({"step": 2, "batch": 2})
    assert torch.equal(first(resumed, 2), first(data(), 4)[2:])


def test_test_images_are_whole(data, tmp_path):
    module = data()
    for index, pixels in module.test_dataloader():
        assert torch.equal(pixels, read_image(tmp_path / "test" / "sub" / f"{index}.jpg"))
    assert len(list(module.test_dataloader())) == 2
    assert len(list(data(eval_symbols=33 * 21).test_dataloader())) == 1
    assert len(list(data(eval_symbols=33 * 21 + 1).test_dataloader())) == 2


def test_what_is_trained_on_is_not_tested_on(data, tmp_path):
    train = image_folder(tmp_path / "train")
    with pytest.raises(DataError, match="among the images to train on"):
        data(test=[tmp_path / "test" / ".." / "train" / "1.png"])
    shutil.copy(train[2], tmp_path / "test" / "copy.png")
    with pytest.raises(DataError, match=r"copy of .*copy\.png"):
        data(test=image_folder(tmp_path / "test"))


def test_folders_that_are_not_there_are_named(tmp_path):
    with pytest.raises(DataError, match="nowhere"):
        image_folder(tmp_path / "nowhere")
    (tmp_path / "notes.txt").write_text("no image")
    with pytest.raises(DataError, match="holds no image"):
        image_folder(tmp_path)


def test_the_layout_of_vimeo(photograph, tmp_path):
    for sequence in ("00001/0001", "00001/0002", "00002/0007"):
        for frame in (1, 2, 3):
            photograph(f"vimeo/sequences/{sequence}/im{frame}.png", 20, 20)
    with pytest.raises(DataError, match="tri_trainlist"):
        vimeo90k(tmp_path / "vimeo")
    (tmp_path / "vimeo" / "tri_trainlist.txt").write_text("00001/0001\n00002/0007\n\n")
    found = vimeo90k(tmp_path / "vimeo")
    assert len(found) == 6 and all(path.is_file() for path in found)
    assert {path.parts[-3] + "/" + path.parts[-2] for path in found} == {"00001/0001", "00002/0007"}
    assert len(vimeo90k(tmp_path / "vimeo", frames=1)) == 2
    with pytest.raises(ValueError, match="from 1 to 3"):
        vimeo90k(tmp_path / "vimeo", frames=4)


@given(height=st.integers(1, 200), width=st.integers(1, 200), factor=st.sampled_from([1, 16, 64]))
@settings(max_examples=20)
def test_padding_is_the_least_and_keeps_the_image(height, width, factor):
    x = torch.rand(1, 3, height, width)
    padded = pad_to_multiple(x, factor)
    tall, wide = padded_size(height, width, factor)
    assert padded.shape == (1, 3, tall, wide) and tall % factor == wide % factor == 0
    assert 0 <= tall - height < factor and 0 <= wide - width < factor
    assert torch.equal(padded[:, :, :height, :width], x)


def test_real_images(data_dir):
    found = image_folder(data_dir / "kodak")
    assert len(found) == 24 and {tuple(sorted(read_image(f).shape[1:])) for f in found[:3]} == {(512, 768)}
