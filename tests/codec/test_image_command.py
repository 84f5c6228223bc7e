"""Laws of the command on images: photographs to files and back, one sentence for whatever is wrong."""

import dataclasses
import io
import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from ltc.codec.image_checkpoint import ImageCheckpoint, load_network
from ltc.codec.image_container import ImageHeader, read_image_file, write_image_file
from ltc.codec.images import compress_image, decompress_image
from ltc.coding import CorruptStream
from ltc.pixels import read_image


@pytest.mark.parametrize(
    ("network", "lattice"),
    [("mean", "scalar"), ("serial", "e8"), ("mean", "tcq8"), ("factorized", "e8"), ("mean", "learned")],
)
def test_images_come_back_as_the_network_makes_them(trained, photograph, succeeds, tmp_path, network, lattice):
    photo, path = photograph(), trained(network, lattice)
    assert succeeds("compress", path, photo, tmp_path / "photo.ltc") == ""
    assert succeeds("decompress", path.parent, tmp_path / "photo.ltc", tmp_path / "back.png") == ""
    checkpoint = load_network(path)
    expected = compress_image(checkpoint, read_image(photo), io.BytesIO())
    assert torch.equal(read_image(tmp_path / "back.png"), expected)


@pytest.mark.parametrize(("width", "height"), [(1, 1), (64, 64), (65, 3), (1, 200)])
def test_images_of_any_size(trained, photograph, succeeds, tmp_path, width, height):
    photo = photograph(width, height, "photo.jpg")
    succeeds("compress", trained(), photo, tmp_path / "photo.ltc")
    succeeds("decompress", trained(), tmp_path / "photo.ltc", tmp_path / "back.png")
    assert Image.open(tmp_path / "back.png").size == (width, height)


def test_info_says_what_a_file_is(trained, photograph, succeeds, tmp_path):
    succeeds("compress", trained(), photograph(70, 40), tmp_path / "photo.ltc")
    text = succeeds("info", tmp_path / "photo.ltc")
    assert "70 x 40 pixels" in text and load_network(trained()).fingerprint.hex() in text and "bits a pixel" in text


def test_another_process_decodes_the_same(trained, photograph, succeeds, tmp_path):
    """Through pipes."""
    photo, command = photograph(), [sys.executable, "-m", "ltc.codec"]
    succeeds("compress", trained(), photo, tmp_path / "photo.ltc")
    succeeds("decompress", trained(), tmp_path / "photo.ltc", tmp_path / "back.png")
    found = subprocess.run(
        [*command, "decompress", str(trained()), "-", "-"],
        input=(tmp_path / "photo.ltc").read_bytes(),
        capture_output=True,
        check=True,
    )
    assert found.stderr == b""
    assert torch.equal(read_image(io.BytesIO(found.stdout), "it"), read_image(tmp_path / "back.png"))


def test_the_wrong_network_is_refused(trained, photograph, succeeds, fails, tmp_path):
    succeeds("compress", trained(), photograph(), tmp_path / "photo.ltc")
    words = fails("decompress", trained("serial"), tmp_path / "photo.ltc", tmp_path / "back.png")
    assert "was written by the coder" in words and "photo.ltc" in words


def test_coders_of_arrays_and_of_images_refuse_each_others_files(trained, saved, photograph, array, succeeds, fails):
    photo, numbers = photograph(), array((16,))
    succeeds("compress", trained(), photo, photo.with_suffix(".ltc"))
    succeeds("compress", saved("e8"), numbers, numbers.with_suffix(".ltc"))
    back = photo.with_name("back")
    assert "an image" in fails("decompress", saved("e8"), photo.with_suffix(".ltc"), back)
    assert "of an image" in fails("decompress", trained(), numbers.with_suffix(".ltc"), back)
    assert "in.npy is no image" in fails("compress", trained(), numbers, back)
    assert "photo.png is no .npy file" in fails("compress", saved("e8"), photo, back)


def test_another_version_is_refused_by_its_number(trained, photograph, tmp_path):
    file = io.BytesIO()
    compress_image(load_network(trained()), read_image(photograph()), file)
    data = file.getvalue()
    with pytest.raises(CorruptStream, match=r"version 7 .* reads versions 2 and 3"):
        read_image_file(io.BytesIO(data[:4] + b"\x07" + data[5:]))


def test_what_is_no_image_is_refused(trained, fails, tmp_path):
    (tmp_path / "text.png").write_text("no image")
    assert "text.png is no image" in fails("compress", trained(), tmp_path / "text.png", tmp_path / "out.ltc")
    assert "No such file" in fails("compress", trained(), tmp_path / "none.png", tmp_path / "out.ltc")


def test_damaged_files_are_refused_and_never_decoded_otherwise(trained, photograph, tmp_path, rng):
    checkpoint = load_network(trained())
    file = io.BytesIO()
    compress_image(checkpoint, read_image(photograph()), file)
    data = file.getvalue()
    for _ in range(60):
        damaged = bytearray(data)
        damaged[int(rng.integers(len(data)))] ^= 1 << int(rng.integers(8))
        with pytest.raises(CorruptStream):
            decompress_image(checkpoint, io.BytesIO(damaged))
    for cut in {0, 1, 5, 12, len(data) - 1, int(rng.integers(len(data)))}:
        with pytest.raises(CorruptStream):
            decompress_image(checkpoint, io.BytesIO(data[:cut]))
    with pytest.raises(CorruptStream, match="goes on"):
        decompress_image(checkpoint, io.BytesIO(data + b"\0"))


@given(
    height=st.integers(1, 1 << 15),
    width=st.integers(1, 1 << 15),
    strings=st.lists(st.binary(max_size=300), min_size=1, max_size=20),
    checksums=st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1)),
)
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_headers_come_back(height, width, strings, checksums):
    header, file = ImageHeader(b"12345678", height, width, *checksums), io.BytesIO()
    write_image_file(file, header, strings)
    # 4 + 1 + 8 + 4 * 4 bytes, a varint for each number: little beside an image.
    assert file.tell() <= 29 + 3 + 3 + 1 + 2 * len(strings) + sum(map(len, strings))
    file.seek(0)
    assert read_image_file(file) == (header, strings)


def test_headers_of_many_tiles_come_back(rng):
    """However long they are."""
    header, file = ImageHeader(b"12345678", 9000, 9000, 1, 2, 64, 64), io.BytesIO()
    strings = [rng.bytes(int(length)) for length in rng.integers(0, 300, 40_000)]
    write_image_file(file, header, strings)
    file.seek(0)
    assert read_image_file(file) == (header, strings)


def test_pixels_that_are_not_the_encoders_are_warned_of(trained, photograph, run, succeeds, tmp_path):
    """As on a machine whose convolutions end in other digits."""
    succeeds("compress", trained(), photograph(), tmp_path / "photo.ltc")
    header, strings = read_image_file(io.BytesIO((tmp_path / "photo.ltc").read_bytes()))
    with (tmp_path / "photo.ltc").open("wb") as file:
        write_image_file(file, dataclasses.replace(header, checksum=7), strings)
    code, _, err = run("decompress", trained(), tmp_path / "photo.ltc", tmp_path / "back.png")
    assert code == 0 and err.startswith("warning: ") and err.count("\n") == 1 and (tmp_path / "back.png").exists()


def test_latents_that_are_not_the_encoders_are_no_picture(trained, photograph, fails, succeeds, tmp_path):
    succeeds("compress", trained(), photograph(), tmp_path / "photo.ltc")
    header, strings = read_image_file(io.BytesIO((tmp_path / "photo.ltc").read_bytes()))
    with (tmp_path / "photo.ltc").open("wb") as file:
        write_image_file(file, dataclasses.replace(header, latents=header.latents ^ 1), strings)
    words = fails("decompress", trained(), tmp_path / "photo.ltc", tmp_path / "back.png")
    assert "other latents" in words and not (tmp_path / "back.png").exists()


def test_files_name_the_threads_that_they_are_decoded_with(trained, photograph, run, succeeds, tmp_path):
    photo = photograph(300, 200)
    for threads in (1, 2, 3):
        succeeds("compress", "--threads", threads, trained(), photo, tmp_path / "photo.ltc")
        for others in (1, 2, 3):
            arguments = "--threads", others, trained(), tmp_path / "photo.ltc", tmp_path / f"{others}.png"
            code, _, err = run("decompress", *arguments)
            assert (code, err) == (0, "")
        pictures = [read_image(tmp_path / f"{others}.png") for others in (1, 2, 3)]
        assert torch.equal(pictures[0], pictures[1]) and torch.equal(pictures[0], pictures[2])


@pytest.fixture
def changed(trained, tmp_path):
    """``changed(change)``: the path of a checkpoint after ``change(content)``."""

    def make(change):
        content = torch.load(trained(), weights_only=True)
        change(content)
        torch.save(content, tmp_path / "changed.pt")
        return tmp_path / "changed.pt"

    return make


def _retarget(content):
    config = json.loads(content["config"])
    config["network"]["_target_"] = "os.system"
    content["config"] = json.dumps(config)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda content: content.update(version=99), "version 99"),
        (lambda content: content.pop("state"), "is damaged"),
        (lambda content: content["state"]["g_a.0.bias"].add_(1), "is damaged"),
        (lambda content: content.update(format="ltc-else"), "no coder"),
        (_retarget, "asks for 'os.system'"),
    ],
    ids=["version", "missing", "changed", "foreign", "code"],
)
def test_checkpoints_that_are_not_as_they_were_are_refused(changed, photograph, fails, tmp_path, change, words):
    path, photo = changed(change), photograph()
    assert words in fails("compress", path, photo, tmp_path / "out.ltc")


def test_networks_are_read_as_they_were_written(trained):
    checkpoint = load_network(trained("serial", "tcq8"))
    assert isinstance(checkpoint, ImageCheckpoint) and not checkpoint.network.training
    assert checkpoint.about["lattice"] == "tcq8" and len(checkpoint.fingerprint) == 8


def test_what_an_image_file_loses_is_a_warning(trained, tmp_path, run, rng):
    """And one line each; the pixels are coded as ever."""
    values = rng.integers(0, 256, (20, 30, 4), dtype=np.uint8)
    frames = {"save_all": True, "append_images": [Image.fromarray(values[::-1])]}
    Image.fromarray(values).save(tmp_path / "photo.png", **frames)
    code, out, err = run("compress", trained(), tmp_path / "photo.png", tmp_path / "photo.ltc")
    assert (code, out) == (0, "") and (tmp_path / "photo.ltc").exists()
    lines = err.splitlines()
    assert all(line.startswith("warning: ") and "photo.png h" in line for line in lines) and len(lines) == 2
    assert "transparency" in err and "2 pictures" in err


def test_a_decoded_image_has_a_pngs_name(trained, photograph, succeeds, fails, tmp_path):
    succeeds("compress", trained(), photograph(), tmp_path / "photo.ltc")
    assert "writes .png files" in fails("decompress", trained(), tmp_path / "photo.ltc", tmp_path / "back.jpg")
    assert "is the same file as" in fails("compress", trained(), tmp_path / "photo.png", tmp_path / "photo.png")


def test_a_network_says_by_which_name_its_files_know_it(trained, succeeds):
    told = succeeds("info", trained().parent)
    assert load_network(trained()).fingerprint.hex() in told and "images" in told and "bsds500" in told


def test_a_text_file_is_no_image_by_its_name(trained, fails, tmp_path):
    (tmp_path / "a.png").write_text("no image at all")
    said = fails("compress", trained(), tmp_path / "a.png", tmp_path / "a.ltc")
    assert said == f"{tmp_path / 'a.png'} is no image that can be read (its bytes are those of no image format)."


@pytest.mark.parametrize(("name", "value"), [("--seed", 0), ("--seed", 3), ("--chunk", 100)])
def test_options_of_arrays_are_refused(trained, photograph, fails, tmp_path, name, value):
    said = fails("compress", trained(), photograph(), tmp_path / "a.ltc", name, value)
    assert said == f"{name} is for coders of arrays, and {trained()} is a coder of images, coded as a whole."


def test_tiles(trained, photograph, succeeds, fails, tmp_path):
    """They decode to the same picture in another process, and bad sides and searches are refused in a sentence."""
    photo = photograph(300, 150)
    succeeds("compress", trained(), photo, tmp_path / "a.ltc", "--tile", 128)
    succeeds("decompress", trained(), tmp_path / "a.ltc", tmp_path / "a.png")
    assert read_image(tmp_path / "a.png").shape == read_image(photo).shape
    assert "of 128 pixels" in succeeds("info", tmp_path / "a.ltc")
    succeeds("compress", trained(), photo, tmp_path / "b.ltc")
    whole, tiles = ((tmp_path / name).stat().st_size for name in ("b.ltc", "a.ltc"))
    assert whole < tiles < 1.5 * whole + 1000
    assert "multiples of" in fails("compress", trained(), photo, tmp_path / "c.ltc", "--tile", 100)
    assert "leave out --tile" in fails("compress", trained(), photo, tmp_path / "c.ltc", "--tile", 128, "--effort", 0)
    assert not (tmp_path / "c.ltc").exists()


def test_large_pictures_are_tiled_by_themselves(trained, photograph, succeeds, monkeypatch, tmp_path):
    monkeypatch.setattr("ltc.codec.command._LARGE", 150 * 300)
    monkeypatch.setattr("ltc.codec.command._SIDE", 128)
    for name, width in (("whole", 299), ("tiles", 300)):
        succeeds("compress", trained(), photograph(width, 150), tmp_path / f"{name}.ltc")
        assert ("of 128 pixels" in succeeds("info", tmp_path / f"{name}.ltc")) == (name == "tiles")
