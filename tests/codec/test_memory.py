"""Memory does not depend on the size of an array: forty megabytes go through in a few."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

# The peaks of a process's memory in bytes: compressing and decompressing the small array, then the large one. Not
# ru_maxrss, which a process inherits from the one that started it, and which never goes down.
SCRIPT = """
import json, re, sys
from pathlib import Path
from ltc.codec.__main__ import main

def peak(command):
    Path("/proc/self/clear_refs").write_text("5")
    assert main(command) == 0
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) << 10

checkpoint, small, large, chunk = sys.argv[1:]
found = []
for array in (small, small, large):
    found.append(peak(["compress", checkpoint, array, array + ".ltc", "--chunk", chunk]))
    found.append(peak(["decompress", checkpoint, array + ".ltc", array + ".back.npy"]))
print(json.dumps(found))
"""


@pytest.mark.skipif(not os.access("/proc/self/clear_refs", os.W_OK), reason="Linux counts memory in /proc")
@pytest.mark.parametrize("name", ["e8", pytest.param("dithered", marks=pytest.mark.slow)])
def test_a_large_array_takes_no_more_memory_than_a_small_one(name, saved, tmp_path, rng):
    """The small array is a chunk too, so that all code has run and all that it needs is there."""
    count = 10_000_000 if name == "e8" else 5_000_000
    large, small = tmp_path / "large.npy", tmp_path / "small.npy"
    x = np.lib.format.open_memmap(large, "w+", np.float32, (count,))
    for part in np.array_split(x, 20):
        part[:] = rng.standard_normal(len(part), np.float32)
    np.save(small, x[:65536])
    del x
    arguments = [sys.executable, "-c", SCRIPT, str(saved(name)), str(small), str(large), "65536"]
    done = subprocess.run(arguments, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    *_, compressing, decompressing, compressing_large, decompressing_large = json.loads(done.stdout)
    # The array has 40 (or 20) MB.
    assert compressing_large - compressing < 6 << 20
    assert decompressing_large - decompressing < 6 << 20
    # All of it has come back.
    found = np.load(f"{large}.back.npy", mmap_mode="r")
    assert found.shape == (count,) and found.dtype == np.float32
    original = np.load(large, mmap_mode="r")
    assert max(float(np.abs(found[i::1000] - original[i::1000]).max()) for i in range(3)) < 0.6
