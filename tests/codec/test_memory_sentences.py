"""A lack of memory is one sentence, whichever library met it; never a traceback, nor a file called damaged."""

import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import ltc.codec.image_checkpoint
import ltc.codec.images
from ltc.codec.memory import memory_for, out_of_memory
from ltc.models import Coder
from ltc.pixels import read_image

ERRORS = [
    MemoryError(),
    RuntimeError("[enforce fail at alloc_cpu.cpp:125] . DefaultCPUAllocator: can't allocate memory: you tried to …"),
    RuntimeError("std::bad_alloc"),
    RuntimeError("could not create a memory object"),
    OSError(12, "Cannot allocate memory"),
    ImportError("libtorch_cpu.so: failed to map segment from shared object"),
]


def failing(error):
    def fail(*_, **__):
        raise error

    return fail


@pytest.mark.parametrize("error", ERRORS, ids=lambda e: type(e).__name__)
def test_arrays(error, array, saved, fails, succeeds, tmp_path, monkeypatch):
    path = array((100,))
    succeeds("compress", saved("e8"), path, tmp_path / "a.ltc")
    monkeypatch.setattr(Coder, "compress", failing(error))
    said = fails("compress", saved("e8"), path, tmp_path / "new.ltc")
    assert said.startswith("there is not enough memory for chunks of 1,048,576 numbers") and "--chunk" in said
    monkeypatch.setattr(Coder, "decompress", failing(error))
    assert "not enough memory" in fails("decompress", saved("e8"), tmp_path / "a.ltc", tmp_path / "new.npy")


@pytest.mark.parametrize("error", ERRORS, ids=lambda e: type(e).__name__)
def test_images(error, tmp_path, fails, monkeypatch):
    """Before the pixels are there, and after."""
    Image.new("RGB", (70, 40)).save(tmp_path / "a.png")
    monkeypatch.setattr("ltc.codec.command.read_content", lambda path: (path, {"format": "ltc-image-coder"}))
    monkeypatch.setattr(ltc.codec.image_checkpoint, "network_from", lambda path, content: None)
    monkeypatch.setattr(ltc.codec.images, "compress_image", failing(error))
    said = fails("compress", tmp_path, tmp_path / "a.png", tmp_path / "new.ltc")
    assert "70 x 40 pixels" in said and "not enough memory" in said and "try --tile" in said
    # Where a decoder has called it something else.
    other = ValueError("the strings of the file make no image with this network on this machine")
    other.__cause__ = error
    monkeypatch.setattr(ltc.codec.images, "decompress_image", failing(other))
    assert "not enough memory" in fails("decompress", tmp_path, tmp_path / "a.png", tmp_path / "back.png")


def test_an_image_for_which_there_is_no_memory_is_not_called_broken(tmp_path, monkeypatch):
    Image.new("RGB", (70, 40)).save(tmp_path / "a.png")
    monkeypatch.setattr(Image.Image, "load", failing(MemoryError()))
    monkeypatch.setattr("PIL.PngImagePlugin.PngImageFile.load", failing(MemoryError()))
    with pytest.raises(MemoryError):
        read_image(tmp_path / "a.png")


def test_other_errors_are_left_alone():
    for error in (RuntimeError("mat1 and mat2"), ValueError("a number"), OSError(28, "No space left on device")):
        assert not out_of_memory(error)
        with pytest.raises(type(error)) as caught, memory_for("it"):
            raise error
        assert caught.value is error
    assert not out_of_memory(None)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory are Linux's")
def test_under_a_limit(saved, tmp_path):
    """The real thing: whatever the limit, one line and exit code 2, or the file."""
    np.save(tmp_path / "in.npy", np.zeros(1 << 22, dtype=np.float32))
    command = [sys.executable, "-m", "ltc.codec", "compress", str(saved("e8")), str(tmp_path / "in.npy"), "out.ltc"]
    one = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
    for limit in (2_000_000, 2_500_000, 3_000_000, 3_500_000):
        limited = ["bash", "-c", f'ulimit -v {limit}; exec "$@"', "_", *command, "--chunk", str(1 << 22)]
        done = subprocess.run(limited, cwd=tmp_path, capture_output=True, text=True, env=one)
        assert done.returncode in (0, 2) and "Traceback" not in done.stderr, done.stderr
        assert done.returncode == 0 or ("not enough memory" in done.stderr and done.stderr.count("\n") == 1)
    assert not list(tmp_path.glob(".part-*"))
