"""The two ends of the command: nothing that is read is written over, and no file has the name of another format."""

import io
import os
import shutil
import subprocess
import sys
import wave

import numpy as np
import pytest
from PIL import Image

from ltc.files import whole_file

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture
def coded(array, saved, succeeds, tmp_path):
    """An array, its .ltc file, and a coder's folder beside them."""
    path = array((100,), name="x.npy")
    shutil.copytree(saved("e8").parent, tmp_path / "run")
    succeeds("compress", tmp_path / "run", path, tmp_path / "x.ltc")
    return path


def aliases(path):
    """Other names of a file."""
    folder = path.parent
    (folder / "soft.link").symlink_to(path)
    os.link(path, folder / "hard.link")
    (folder / "around").symlink_to(folder, target_is_directory=True)
    return [path, folder / "soft.link", folder / "hard.link", folder / "around" / path.name, f"{folder}/./{path.name}"]


def test_no_command_writes_over_its_input(coded, fails, tmp_path):
    """By whatever name; the fixture looks at every byte."""
    for output in aliases(coded):
        assert "is the same file as" in fails("compress", tmp_path / "run", coded, output)
    plain = tmp_path / "plain"
    shutil.copy(tmp_path / "x.ltc", plain)
    assert "is the same file as" in fails("decompress", tmp_path / "run", plain, plain)


@pytest.mark.parametrize("command", ["compress", "decompress"])
def test_no_command_writes_over_its_coder(command, coded, fails, tmp_path):
    coder = tmp_path / "run" / "coder.pt"
    source = coded if command == "compress" else tmp_path / "x.ltc"
    for output in aliases(coder):
        for given in (coder, coder.parent):
            assert "is the same file as" in fails(command, given, source, output)


def test_no_file_has_the_name_of_another_format(coded, fails, succeeds, tmp_path):
    for name in ("o.wav", "o.png", "o.ltc", "o.NPZ", "o.csv", "new/folder/o.txt"):
        said = fails("decompress", tmp_path / "run", tmp_path / "x.ltc", tmp_path / name)
        assert "writes .npy files" in said and str((tmp_path / name).with_suffix(".npy")) in said
    for name in ("o.npy", "o.wav", "photo.jpg", "o.pt"):
        assert "writes .ltc files" in fails("compress", tmp_path / "run", coded, tmp_path / name)
    # Names without a format's are anybody's.
    for name in ("plain", "lambda_0.5", "UPPER.NPY", ".hidden"):
        succeeds("decompress", tmp_path / "run", tmp_path / "x.ltc", tmp_path / name)
        assert np.load(tmp_path / name).shape == (100,)


@pytest.mark.parametrize("output", ["folder/", "new/"])
def test_a_folders_name_is_no_output(output, coded, fails, tmp_path):
    (tmp_path / "folder").mkdir()
    assert "name of a folder" in fails("compress", tmp_path / "run", coded, f"{tmp_path}/{output}")


@pytest.mark.skipif(not os.path.exists("/proc/self/fd"), reason="open files have no names here")
def test_names_of_open_files_and_links_stay_what_they_are(coded, saved, succeeds, tmp_path):
    """A link to /proc/self/fd/1, as /dev/stdout is, and a link to a file: what they name is written."""
    expected = (tmp_path / "x.ltc").read_bytes()
    (tmp_path / "so").symlink_to("/proc/self/fd/1")
    command = [sys.executable, "-m", "ltc.codec", "compress", str(tmp_path / "run"), str(coded), str(tmp_path / "so")]
    with (tmp_path / "out.ltc").open("wb") as out:
        out.write(b"before")
        out.flush()
        subprocess.run(command, stdout=out, check=True)
    assert (tmp_path / "so").is_symlink() and (tmp_path / "out.ltc").read_bytes() == b"before" + expected
    (tmp_path / "real.ltc").write_bytes(b"old")
    (tmp_path / "link.ltc").symlink_to(tmp_path / "real.ltc")
    succeeds("compress", tmp_path / "run", coded, tmp_path / "link.ltc")
    assert (tmp_path / "link.ltc").is_symlink() and (tmp_path / "real.ltc").read_bytes() == expected


def test_several_arrays_in_one_file_are_refused(coded, fails, saved, tmp_path):
    """Only the first one would be coded."""
    with (tmp_path / "two.npy").open("wb") as file:
        for _ in range(2):
            np.save(file, np.zeros(50, dtype=np.float32))
    assert "goes on after its 50 numbers" in fails("compress", saved("e8"), tmp_path / "two.npy", tmp_path / "new.ltc")


def recording(path, rate=8000, samples=200, claimed=None):
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes(np.random.default_rng().integers(-3000, 3000, samples).astype("<i2").tobytes())
    if claimed is not None:
        data = bytearray(path.read_bytes())
        data[40:44] = claimed.to_bytes(4, "little")
        path.write_bytes(data)
    return path


def test_a_recording_that_ends_early_is_refused(fails, succeeds, saved, tmp_path):
    path = recording(tmp_path / "in.wav")
    whole = path.read_bytes()
    for cut in (1, 2, 77, 200):
        path.write_bytes(whole[:-cut])
        assert "ends before its 200 samples" in fails("compress", saved("spectra"), path, tmp_path / "new.ltc")
    # Programs that write to a pipe do not know the length, and claim the largest.
    recording(path, claimed=0xFFFFFFFF)
    succeeds("compress", saved("spectra"), path, tmp_path / "new.ltc")


def test_recordings_of_another_rate_are_coded_with_a_warning(run, saved, tmp_path):
    path = recording(tmp_path / "in.wav", rate=44100)
    code, out, err = run("compress", saved("spectra"), path, tmp_path / "new.ltc")
    assert (code, out, err.count("\n")) == (0, "", 1)
    assert err.startswith("warning: ") and "44,100 samples a second" in err and "8,000" in err


@pytest.mark.parametrize("coder", ["e8", "mlp"])
def test_recordings_are_for_coders_of_spectra(coder, fails, saved, tmp_path):
    said = fails("compress", saved(coder), recording(tmp_path / "in.wav"), tmp_path / "new.ltc")
    assert "source=speech" in said and "[..., 33]" in said


def test_text_under_an_images_name(tmp_path):
    from ltc.pixels import read_image

    (tmp_path / "a.png").write_text("no image at all")
    with pytest.raises(ValueError, match="no image format") as caught:
        read_image(io.BytesIO(b"no image at all"), "a.png")
    assert "BytesIO" not in str(caught.value) and "<" not in str(caught.value)
    Image.new("RGB", (3, 3)).save(tmp_path / "a.png")
    assert read_image(tmp_path / "a.png").shape == (3, 3, 3)


def test_errors_of_a_whole_file_name_the_file(tmp_path, monkeypatch):
    """Not the temporary one beside it; a full disk names none by itself."""
    with pytest.raises(OSError) as caught, whole_file(tmp_path / "a.txt"):
        raise OSError(28, "No space left on device")
    assert caught.value.filename == str(tmp_path / "a.txt")
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError) as caught, whole_file(tmp_path / "file" / "a.txt"):
        pass
    assert ".part-" not in str(caught.value)
    if os.geteuid():
        (tmp_path / "closed").mkdir(mode=0o500)
        with pytest.raises(PermissionError) as caught, whole_file(tmp_path / "closed" / "a.txt"):
            pass
        assert caught.value.filename == str(tmp_path / "closed" / "a.txt")
    assert not list(tmp_path.rglob(".part-*"))
