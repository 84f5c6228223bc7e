"""Laws of the command: arrays and recordings to files and back, through pipes, in chunks, in any process."""

import functools
import io
import os
import re
import signal
import subprocess
import sys
import time
import types
import wave

import numpy as np
import pytest
import torch

from ltc.codec.audio import read_wave
from ltc.codec.container import read_header
from ltc.transforms.log_spectrum import frames_of

pytestmark = pytest.mark.filterwarnings("error")

UNDITHERED = ["e8", "tcq8", "search", "mlp"]
COMMAND = [sys.executable, "-m", "ltc.codec"]


def reconstruction(checkpoint, x):
    """What the coder makes of an array: blocks in order, the last one filled up with its last symbol."""
    symbols = torch.from_numpy(x.astype(np.float32)).reshape(-1, checkpoint.dim)
    missing = -len(symbols) % checkpoint.n
    blocks = torch.cat([symbols, symbols[-1:].repeat(missing, 1)]).reshape(-1, checkpoint.n * checkpoint.dim)
    coder = checkpoint.coder
    with torch.no_grad():
        return coder.decode(coder.encode(blocks)).reshape(-1)[: x.size].reshape(x.shape).numpy()


@pytest.fixture
def round_trip(succeeds, saved, tmp_path):
    """``round_trip(name, path)``: the array after compress and decompress, and its .ltc file."""

    def call(name, path, *options):
        assert succeeds("compress", saved(name), path, tmp_path / "out.ltc", *options) == ""
        assert succeeds("decompress", saved(name).parent, tmp_path / "out.ltc", tmp_path / "back.npy") == ""
        return np.load(tmp_path / "back.npy"), (tmp_path / "out.ltc").read_bytes()

    return call


@pytest.mark.parametrize("shape", [(0,), (), (1,), (7,), (8,), (1001,), (50, 24), (3, 5, 7), (0, 4), (1,) * 8], ids=str)
@pytest.mark.parametrize("name", ["e8", "tcq8", "dithered"])
def test_arrays_of_any_shape_come_back(name, shape, array, round_trip, loaded):
    path = array(shape)
    found, _ = round_trip(name, path)
    x = np.load(path)
    assert found.shape == shape and found.dtype == np.float32
    if name == "dithered":
        # Latents have a gain of two, more or less; the covering radius of E8 is 1.
        assert not found.size or np.abs(found - x).max() < 0.6
    else:
        expected = reconstruction(loaded(name), x) if x.size else x
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("shape", [(3,), (5, 3), (2, 4, 3), (0, 3)], ids=str)
@pytest.mark.parametrize("name", ["mlp"])
def test_arrays_of_symbols_with_components_come_back(name, shape, array, round_trip, loaded):
    path = array(shape)
    found, _ = round_trip(name, path)
    x = np.load(path)
    assert found.shape == shape
    np.testing.assert_allclose(found, reconstruction(loaded(name), x) if x.size else x, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", ">f4", ">f8", "<f2"])
def test_numbers_keep_their_type(dtype, array, round_trip, loaded):
    path = array((30, 7), dtype)
    found, _ = round_trip("e8", path)
    expected = np.dtype(dtype).newbyteorder("=")
    assert found.dtype == expected
    np.testing.assert_array_equal(found, reconstruction(loaded("e8"), np.load(path)).astype(expected))


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", ">i2", "int32", "uint32", "int64", "uint64"])
def test_integers_are_read_as_float32(dtype, array, round_trip, loaded):
    path = array((100,), dtype)
    found, _ = round_trip("e8", path)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, reconstruction(loaded("e8"), np.load(path)))


def test_far_numbers_come_back(tmp_path, round_trip):
    """Among small ones: the largest of half precision, and 1e9 with a single's precision."""
    for dtype, far, precision in (("float16", 65504.0, 1e-3), ("float32", 1e9, 2e-7), ("float64", -1e9, 2e-7)):
        x = np.zeros(100, dtype)
        x[33] = far
        np.save(tmp_path / "in.npy", x)
        found, _ = round_trip("e8", tmp_path / "in.npy")
        assert np.isfinite(found).all()
        assert abs(found[33] - far) <= 1 + precision * abs(far)


def test_what_was_finite_stays_finite(tmp_path, round_trip):
    """A decoder that makes its points larger than they were, and the largest number of half precision."""
    np.save(tmp_path / "in.npy", np.full(16, 65504.0, "float16"))
    found, _ = round_trip("loud", tmp_path / "in.npy")
    assert found.dtype == np.float16 and np.isfinite(found).all()


@pytest.mark.parametrize("name", UNDITHERED)
def test_chunks_do_not_change_the_reconstruction(name, array, round_trip):
    """Not even at the end of a chunk; the transforms' products may round otherwise at another size of batch."""
    path = array((500, 3))
    whole, file = round_trip(name, path)
    for chunk in (1, 48, 100, 1499, 1 << 22):
        found, other = round_trip(name, path, "--chunk", chunk)
        if name in ("e8", "tcq8"):
            np.testing.assert_array_equal(found, whole)
        else:
            assert (np.abs(found - whole) > 1e-4).mean() < 0.01
        header = read_header(io.BytesIO(other))
        assert header.numbers <= max(chunk, 16) and (header.chunks > 1) == (chunk < 1500)
        assert header.chunks == 1 or len(other) > len(file)


def test_each_chunk_of_a_dithered_coder_has_its_own_dither(tmp_path, round_trip):
    np.save(tmp_path / "in.npy", np.zeros(64, dtype=np.float32))
    found, _ = round_trip("dithered", tmp_path / "in.npy", "--chunk", 16)
    assert len({part.tobytes() for part in found.reshape(4, 16)}) == 4


def test_the_seed_of_the_dither_travels(array, round_trip):
    """Files of other seeds differ, and none needs to be told its seed again; without dither the seed is only noted."""
    path = array((400,))
    for name, count in (("dithered", 4), ("e8", 1)):
        found = {round_trip(name, path, "--seed", seed)[0].tobytes() for seed in (0, 1, 2**63 - 1, 77)}
        assert len(found) == count


def test_a_recording_is_its_spectra(tmp_path, rng, round_trip, loaded, succeeds, saved):
    samples = (rng.normal(size=400) * 3000).astype("<i2")
    with wave.open(str(tmp_path / "in.WAV"), "wb") as recording:
        recording.setparams((1, 2, 8000, 0, "NONE", ""))
        recording.writeframes(samples.tobytes())
    found, _ = round_trip("spectra", tmp_path / "in.WAV", "--chunk", 700)
    x = frames_of(torch.from_numpy(samples.astype(np.float32) / 32768))
    assert torch.equal(read_wave(tmp_path / "in.WAV", "it"), torch.from_numpy(samples.astype(np.float32) / 32768))
    assert found.shape == (400 - 62, 33) and found.dtype == np.float32
    np.testing.assert_allclose(found, reconstruction(loaded("spectra"), x.numpy()), rtol=1e-4, atol=1e-4)
    # The same as the array of these spectra.
    np.save(tmp_path / "spectra.npy", x.numpy())
    again, _ = round_trip("spectra", tmp_path / "spectra.npy", "--chunk", 700)
    np.testing.assert_array_equal(again, found)


@pytest.mark.parametrize(("shape", "dtype", "said"), [((60, 50), "float32", "60 x 50"), ((3000,), "float64", "3,000")])
def test_info_says_what_the_file_says(shape, dtype, said, array, saved, loaded, succeeds, tmp_path):
    succeeds("compress", saved("dithered"), array(shape, dtype), tmp_path / "out.ltc", "--seed", 77, "--chunk", 1024)
    told = succeeds("info", tmp_path / "out.ltc")
    rows = dict(re.findall(r"│ (\S.*?) +│ (\S.*?) +│", told))
    assert rows["array"] == f"{said}, {dtype}"
    assert rows["coder"] == loaded("dithered").fingerprint.hex()
    assert rows["chunks"] == "3, of 1,024 numbers"
    assert rows["seed of the dither"] == "77"
    size, rate = re.fullmatch(r"([\d,]+) bytes, ([\d.]+) bits a number", rows["bitstream"]).groups()
    payload = int(size.replace(",", ""))
    # A header of a few bytes, and eight for each chunk.
    assert 40 < (tmp_path / "out.ltc").stat().st_size - payload < 64
    assert float(rate) == pytest.approx(8 * payload / 3000, abs=1e-4)


def test_info_of_nothing(array, saved, succeeds, tmp_path):
    for shape, said in (((0,), "0, float32"), ((), "one number, float32")):
        succeeds("compress", saved("e8"), array(shape), tmp_path / "out.ltc")
        assert said in succeeds("info", tmp_path / "out.ltc")


def test_an_output_in_a_new_folder_and_one_that_is_replaced(array, saved, succeeds, tmp_path):
    place = tmp_path / "new" / "folder" / "out.ltc"
    succeeds("compress", saved("e8"), array((10,)), place)
    first = place.read_bytes()
    succeeds("compress", saved("e8"), array((11,)), place)
    assert place.read_bytes() != first
    assert [p.name for p in place.parent.iterdir()] == ["out.ltc"]


@pytest.mark.parametrize("name", ["mlp", "dithered"])
def test_threads_do_not_matter(name, array, saved, succeeds, tmp_path):
    """The same file, and from it the same numbers."""
    path = array((700, 3))
    for threads in (1, 2):
        succeeds("compress", saved(name), path, tmp_path / f"{threads}.ltc", "--threads", threads)
    assert (tmp_path / "1.ltc").read_bytes() == (tmp_path / "2.ltc").read_bytes()
    for threads in (1, 2):
        succeeds("decompress", saved(name), tmp_path / "1.ltc", tmp_path / f"{threads}.npy", "--threads", threads)
    assert (tmp_path / "1.npy").read_bytes() == (tmp_path / "2.npy").read_bytes()


def test_pipes_and_processes_do_not_matter(array, saved, succeeds, tmp_path, monkeypatch):
    """Standard input and output of processes of their own write the bytes of this one's files."""
    path, checkpoint = array((500, 3)), saved("mlp")
    succeeds("compress", checkpoint, path, tmp_path / "here.ltc", "--chunk", 300)
    succeeds("decompress", checkpoint, tmp_path / "here.ltc", tmp_path / "here.npy")
    with path.open("rb") as file:
        options = ["--chunk", "300", "--threads", "2"]
        first = subprocess.Popen(
            [*COMMAND, "compress", checkpoint, "-", "-", *options], stdin=file, stdout=subprocess.PIPE
        )
        second = subprocess.run(
            [*COMMAND, "decompress", checkpoint, "-", "-"], stdin=first.stdout, capture_output=True, check=False
        )
        first.stdout.close()
        assert first.wait() == 0
    assert (second.returncode, second.stderr) == (0, b"")
    assert second.stdout == (tmp_path / "here.npy").read_bytes()
    monkeypatch.setattr(sys, "stdin", types.SimpleNamespace(buffer=(tmp_path / "here.ltc").open("rb")))
    assert "500 x 3, float32" in succeeds("info", "-")
    sys.stdin.buffer.close()


def test_a_reader_that_leaves_and_a_user_who_interrupts(saved, succeeds, tmp_path):
    """No traceback, nothing left behind."""
    np.save(tmp_path / "in.npy", np.zeros(1 << 20, dtype=np.float32))
    command = [*COMMAND, "compress", str(saved("e8"))]
    # Tests that run in the background ignore interrupts, and so would their children.
    heed = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    arguments = [*command, "-", str(tmp_path / "out.ltc")]
    with subprocess.Popen(arguments, stdin=-1, stdout=-1, stderr=-1, preexec_fn=heed) as waiting:
        waiting.stdin.write((tmp_path / "in.npy").read_bytes()[:100_000])
        waiting.stdin.flush()
        while not list(tmp_path.glob(".part-*")) and waiting.poll() is None:
            time.sleep(0.01)
        waiting.send_signal(signal.SIGINT)
        out, err = waiting.communicate()
    assert (waiting.returncode, out, err) == (130, b"", b"error: interrupted; no output was written.\n")
    assert os.listdir(tmp_path) == ["in.npy"]
    succeeds("compress", saved("e8"), tmp_path / "in.npy", tmp_path / "out.ltc")
    command = [*COMMAND, "decompress", str(saved("e8")), str(tmp_path / "out.ltc"), "-"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as leaving:
        assert leaving.stdout.read(10) == b"\x93NUMPY\x01\x00v\x00"
        leaving.stdout.close()
        err = leaving.stderr.read()
    assert (leaving.returncode, err) == (1, b"")
