"""What three channels of eight bits do not have of an image file is told, once; what they have is not."""

import io
import logging
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from datamodules.images import ImageFiles
from ltc.pixels import read_image


def encoded(image, kind="PNG", **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def deep(channels, rng):
    """A PNG of 16 bits: gray, colours, and either with transparency."""
    color = {1: 0, 3: 2, 2: 4, 4: 6}[channels]
    rows = rng.integers(0, 65536, (3, 4 * channels)).astype(">u2")

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    parts = [(b"IHDR", struct.pack(">IIBBBBB", 4, 3, 16, color, 0, 0, 0))]
    parts += [(b"IDAT", zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def clear(image):
    image = image.convert("RGBA")
    image.putalpha(100)
    return image


def profile(name):
    return ImageCms.ImageCmsProfile(ImageCms.createProfile(name)).tobytes()


@pytest.fixture
def image(rng):
    return Image.fromarray(rng.integers(0, 256, (5, 6, 3), dtype=np.uint8))


@pytest.fixture
def files(image, rng):
    """Each with the word that tells what is lost; None where nothing is."""
    two = {"save_all": True, "append_images": [image.rotate(180)]}
    return {
        **{kind: (encoded(image, kind), None) for kind in ("PNG", "JPEG", "GIF", "TIFF", "WEBP", "BMP", "PPM")},
        "gray": (encoded(image.convert("L")), None),
        "opaque": (encoded(image.convert("RGBA")), None),
        "sRGB": (encoded(image, icc_profile=profile("sRGB")), None),
        "no profile at all": (encoded(image, icc_profile=b"nonsense"), None),
        **{f"two in a {kind}": (encoded(image, kind, **two), "2 pictures") for kind in ("GIF", "TIFF", "WEBP", "PNG")},
        "transparent": (encoded(clear(image)), "transparency"),
        "transparent WebP": (encoded(clear(image), "WEBP"), "transparency"),
        "Lab": (encoded(image, icc_profile=profile("LAB")), "colour profile"),
        **{f"{n} channels of 16 bits": (deep(n, rng), "8 bits") for n in (1, 2, 3, 4)},
        "a deep PPM": (b"P6\n2 2\n65535\n" + rng.bytes(24), "8 bits"),
        "a deep PGM": (b"P5\n2 2\n65535\n" + rng.bytes(8), "8 bits"),
        "a deep TIFF": (encoded(Image.fromarray(rng.integers(0, 65536, (4, 4)).astype("<u2")), "TIFF"), "8 bits"),
        "floats": (encoded(Image.fromarray(rng.random((4, 4), dtype=np.float32)), "TIFF"), "8 bits"),
    }


def test_what_is_lost_is_told(files):
    for name, (data, word) in files.items():
        notes = []
        read_image(io.BytesIO(data), name, notes.append)
        assert (word is None) == (not notes), (name, notes)
        assert word is None or any(word in note for note in notes), (name, notes)
        read_image(io.BytesIO(data), name)  # whoever does not ask is told nothing


def test_a_set_of_images_tells_it_once(image, tmp_path, caplog):
    for i in range(4):
        clear(image).save(tmp_path / f"{i}.png")
        image.save(tmp_path / f"{i}.gif", save_all=True, append_images=[image.rotate(90 * j) for j in range(1, 2 + i)])
    images = ImageFiles(sorted(tmp_path.iterdir()), cache_mb=0)
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            for index in range(len(images)):
                images.get(index)
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 2 and "0.gif holds" in said[0] and "0.png has transparency" in said[1]
