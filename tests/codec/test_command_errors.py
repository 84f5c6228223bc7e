"""Whatever is wrong, the command says it in one line and ends with 2; no file is made, changed or left behind."""

import io
import os
import subprocess
import wave

import numpy as np
import pytest
import torch

from ltc.codec import container
from ltc.codec.container import Header, write_header

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture
def good(array, saved, succeeds, tmp_path):
    """A good file of the E8 coder, three chunks of it; and an output that is there already, and shall stay."""
    succeeds("compress", saved("e8"), array((300,)), tmp_path / "good.ltc", "--chunk", 100)
    (tmp_path / "back.npy").write_bytes(b"precious")
    return tmp_path / "good.ltc"


@pytest.fixture
def refuses(fails, saved, tmp_path):
    """``refuses(content)``: the sentence with which decompress refuses a file, the output there already or not."""

    def call(content, coder="e8"):
        (tmp_path / "bad.ltc").write_bytes(content)
        new = fails("decompress", saved(coder), tmp_path / "bad.ltc", tmp_path / "new.npy")
        assert fails("decompress", saved(coder), tmp_path / "bad.ltc", tmp_path / "back.npy") == new
        assert (tmp_path / "back.npy").read_bytes() == b"precious"
        return new

    return call


def test_truncated_files(good, refuses):
    """At every place: in the header, in a chunk, and between two."""
    content = good.read_bytes()
    for cut in (*range(1, 60, 3), *range(60, len(content), 29), len(content) - 1):
        assert "ends too early" in refuses(content[:cut]) or cut < 4
    assert "empty" in refuses(b"")


def test_changed_bytes(good, refuses, rng):
    content = good.read_bytes()
    for place in (*range(0, 40, 2), *rng.integers(0, len(content), 20)):
        bad = bytearray(content)
        bad[place] ^= int(rng.integers(1, 256))
        refuses(bytes(bad))


def test_bytes_after_the_end(good, refuses):
    assert "goes on" in refuses(good.read_bytes() + b"\0")
    assert "goes on" in refuses(good.read_bytes() * 2)


def test_foreign_files_other_versions_and_other_coders(good, refuses, saved, tmp_path):
    content = good.read_bytes()
    for foreign in (b"text", saved("e8").read_bytes(), (tmp_path / "in.npy").read_bytes(), bytes(100)):
        assert "no .ltc file" in refuses(foreign)
    assert "version 2" in refuses(content[:4] + b"\x02" + content[5:])
    for other in ("tcq8", "dithered", "mlp"):
        assert "written by the coder" in refuses(content, other)


def test_sizes_that_do_not_fit_the_coder(good, loaded, refuses):
    """With a correct checksum."""
    fingerprint = loaded("mlp").fingerprint
    for shape, numbers in (((300,), 7), ((3, 100), 13), ((100,), 12)):
        file = io.BytesIO()
        write_header(file, Header(fingerprint, "float32", shape, 0, numbers))
        assert "do not fit the coder" in refuses(file.getvalue() + bytes(100), "mlp")


def test_a_chunk_larger_than_a_coder_writes_is_refused(good, refuses, loaded, monkeypatch):
    """A dither's tables take memory for each block: a forged header must not ask for more than its batch."""
    monkeypatch.setattr(type(loaded("e8").coder.tables), "batch", 4, raising=False)
    assert "header" in refuses(good.read_bytes())


def test_info_of_what_is_wrong(good, fails, tmp_path):
    content = good.read_bytes()
    for bad in (b"", b"text", content[:-1], content[:30], content[:50] + b"\xff\xff" + content[52:]):
        (tmp_path / "bad.ltc").write_bytes(bad)
        assert "bad.ltc" in fails("info", tmp_path / "bad.ltc")
    (tmp_path / "bad.ltc").write_bytes(content + b"\0")
    assert "goes on" in fails("info", tmp_path / "bad.ltc")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e300, -1e39, 1e30], ids=str)
@pytest.mark.parametrize("place", [0, 1200])
def test_numbers_that_cannot_be_coded(bad, place, fails, saved, tmp_path):
    """Not a number, not finite, not finite in single precision, too large for a lattice point."""
    x = np.zeros(1201)
    x[place] = bad
    np.save(tmp_path / "in.npy", x)
    said = fails("compress", saved("e8"), tmp_path / "in.npy", tmp_path / "new.ltc", "--chunk", 100)
    assert ("NaN or infinite" in said) or ("large" in said and np.isfinite(bad))


def test_arrays_that_are_not_of_real_numbers(fails, saved, tmp_path):
    texts = np.array(["a", "b"])
    for x in (texts, texts.astype(object), np.ones(3, complex), np.ones(3, bool), np.ones(3, "datetime64[s]")):
        np.save(tmp_path / "in.npy", x, allow_pickle=True)
        assert "real numbers" in fails("compress", saved("e8"), tmp_path / "in.npy", tmp_path / "new.ltc")
    np.save(tmp_path / "in.npy", np.asfortranarray(np.ones((3, 4))))
    assert "column by column" in fails("compress", saved("e8"), tmp_path / "in.npy", tmp_path / "new.ltc")
    np.save(tmp_path / "in.npy", np.ones((1,) * 9))
    assert "8 axes" in fails("compress", saved("e8"), tmp_path / "in.npy", tmp_path / "new.ltc")


@pytest.mark.parametrize("shape", [(), (4,), (5, 2), (3, 4), (3, 0)], ids=str)
def test_a_wrong_last_axis(shape, array, fails, saved, tmp_path):
    said = fails("compress", saved("mlp"), array(shape), tmp_path / "new.ltc")
    assert "[..., 3]" in said and str(list(shape)) in said


def npy(header):
    """A .npy file with this header and some numbers."""
    text = header.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + bytes(64)


FOREIGN = {
    "empty": b"",
    "text": b"1 2 3",
    "an archive": b"PK\x03\x04" + bytes(30),
    "a header that ends early": npy("{}")[:50],
    "another version": b"\x93NUMPY\x09\x09" + bytes(100),
    "no dictionary": npy("3"),
    "no shape": npy("{'descr': '<f4', 'fortran_order': False}"),
    "an open bracket": npy("{'descr': '<f4', 'fortran_order': False, 'shape': (16,"),
    "an open string": npy("{'descr': '<f4', 'fortran_order': False, 'shape': '''"),
    "no expression": npy("{'descr': '<,f4', 'fortran_order': False, 'shape': (16,)}"),
    "no number": npy("{'descr': '<f4', 'fortran_order': False, 'shape': (016,)}"),
    "a call": npy("__import__('os').system('true')"),
    "a negative shape": npy("{'descr': '<f4', 'fortran_order': False, 'shape': (-16,)}"),
    "two negative ones": npy("{'descr': '<f4', 'fortran_order': False, 'shape': (-4, -4)}"),
    "a shape past all files": npy(f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({2**70},)}}"),
}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("content", FOREIGN.values(), ids=FOREIGN)
def test_inputs_that_are_no_arrays(content, fails, saved, tmp_path, monkeypatch):
    # Negative numbers have no end in seven bits a byte: that loop shall not take the machine's memory with it.
    varint = container.varint
    monkeypatch.setattr(container, "varint", lambda value: varint(value) if value >= 0 else pytest.fail("negative"))
    (tmp_path / "in.npy").write_bytes(content)
    assert "in.npy" in fails("compress", saved("e8"), tmp_path / "in.npy", tmp_path / "new.ltc")


def test_an_array_that_ends_early(array, fails, saved, tmp_path):
    content = array((300,)).read_bytes()
    for cut in (len(content) - 1, len(content) - 700, 128):
        (tmp_path / "in.npy").write_bytes(content[:cut])
        said = fails("compress", saved("e8"), tmp_path / "in.npy", tmp_path / "new.ltc", "--chunk", 100)
        assert "ends before its 300 numbers" in said


def write_wave(path, channels=1, size=2, samples=100):
    with wave.open(str(path), "wb") as recording:
        recording.setparams((channels, size, 8000, 0, "NONE", ""))
        recording.writeframes(bytes(channels * size * samples))


def test_recordings_that_cannot_be_coded(fails, saved, tmp_path):
    path = tmp_path / "in.wav"
    for options, said in (
        ({"channels": 2}, "2 channels of 16 bits"),
        ({"size": 1}, "1 channels of 8 bits"),
        ({"size": 3}, "24 bits"),
        ({"samples": 62}, "fewer than the 63"),
        ({"samples": 0}, "fewer than the 63"),
    ):
        write_wave(path, **options)
        assert said in fails("compress", saved("spectra"), path, tmp_path / "new.ltc")
    write_wave(path)
    whole = path.read_bytes()
    assert "[..., 3]" in fails("compress", saved("mlp"), path, tmp_path / "new.ltc")
    for cut in range(0, 44):
        path.write_bytes(whole[:cut])
        fails("compress", saved("spectra"), path, tmp_path / "new.ltc")


def test_files_that_are_not_there(array, good, fails, saved, tmp_path):
    path, nowhere = array((10,)), tmp_path / "nowhere"
    assert "no checkpoint" in fails("compress", nowhere, path, tmp_path / "new.ltc")
    assert "nowhere" in fails("compress", saved("e8"), nowhere, tmp_path / "new.ltc")
    assert "nowhere" in fails("decompress", saved("e8"), nowhere, tmp_path / "new.npy")
    assert "nowhere" in fails("info", nowhere)
    # A folder is no input, and no output.
    assert "directory" in fails("compress", saved("e8"), tmp_path, tmp_path / "new")
    assert "no folder of a run" in fails("info", tmp_path)
    (tmp_path / "folder").mkdir()
    said = fails("compress", saved("e8"), path, tmp_path / "folder")
    assert "folder: " in said and ".part-" not in said
    # Below a file there is no place for an output; nor, for most users, in a folder of others.
    assert "in.npy" in fails("compress", saved("e8"), path, path / "new.ltc")
    if os.geteuid():
        (tmp_path / "folder").chmod(0o500)
        assert "Permission" in fails("compress", saved("e8"), path, tmp_path / "folder" / "new.ltc")


def test_a_failure_makes_no_folders(fails, saved, tmp_path):
    np.save(tmp_path / "in.npy", np.full(100, np.nan))
    fails("compress", saved("e8"), tmp_path / "in.npy", tmp_path / "new" / "folder" / "out.ltc")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_an_output_that_is_no_plain_file_is_not_replaced(array, run, saved, tmp_path):
    """A named pipe stands for all devices: /dev/null must not become a file."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", str(pipe)], stdout=subprocess.DEVNULL) as reader:
        run("compress", saved("e8"), array((100,)), pipe)
        reader.kill()
    assert pipe.is_fifo()


def test_a_chunk_past_the_formats_largest(array, fails, saved, tmp_path):
    path = array((100,))
    assert "4194304" in fails("compress", saved("e8"), path, tmp_path / "new.ltc", "--chunk", (1 << 22) + 8)


@pytest.mark.parametrize("option", [("--chunk", "0"), ("--chunk", "-5"), ("--seed", "-1"), ("--seed", str(2**63))])
def test_options_out_of_range(option, array, saved, tmp_path, capfd):
    from ltc.codec.__main__ import main

    for bad in (option, (option[0], "many"), (option[0], "1.5"), (option[0], "²")):
        with pytest.raises(SystemExit) as caught:
            main(["compress", str(saved("e8")), str(array((10,))), str(tmp_path / "new.ltc"), *bad])
        assert caught.value.code == 2
        assert f"error: argument {bad[0]}: {bad[1]!r} is no" in capfd.readouterr().err
    assert not (tmp_path / "new.ltc").exists()


def test_a_checkpoint_that_is_none(array, fails, tmp_path):
    torch.save({"epoch": 3}, tmp_path / "coder.pt")
    path = array((10,))
    assert "no coder of this project" in fails("compress", tmp_path, path, tmp_path / "new.ltc")
    assert "no coder of this project" in fails("decompress", tmp_path / "coder.pt", path, tmp_path / "new.npy")
    assert "no coder of this project" in fails("decompress", path, path, tmp_path / "new.npy")


def test_a_search_for_latents_is_for_images(fails, saved, tmp_path):
    np.save(tmp_path / "in.npy", np.zeros(16))
    said = fails("compress", saved("e8"), tmp_path / "in.npy", tmp_path / "new.ltc", "--effort", 5)
    assert said.startswith("--effort is for coders of images, and ") and said.endswith("which searches anyway.")
