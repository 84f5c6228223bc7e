"""Files that are damaged, cut short or foreign are refused in one sentence, whichever byte is wrong."""

import contextlib
import struct
import zlib

import numpy as np
import pytest

import ltc
from ltc.coding import CorruptStream


@pytest.fixture(scope="module")
def files():
    rng = np.random.default_rng(5)
    array = rng.normal(size=(60, 50)).astype(np.float32)
    array[3, 4], array[:, 7] = np.nan, 2.0
    columns = array * 2.0 ** np.arange(50)
    return [
        ltc.pack(array, bits=2, code="tcq8"),
        ltc.pack(columns, bits=4, code="z"),
        ltc.pack({"a": np.arange(50), "b": array}, bits=3, code="tcq8"),
    ]


def sentence(data):
    with pytest.raises(CorruptStream) as caught:
        ltc.unpack(data, threads=1)
    assert "\n" not in str(caught.value) and len(str(caught.value)) > 10


def test_a_changed_byte_is_noticed(files, rng):
    for data in files:
        places = {*range(40), *range(len(data) - 40, len(data)), *rng.integers(0, len(data), 150).tolist()}
        for place in places:
            changed = bytearray(data)
            changed[place] ^= 1 << rng.integers(8)
            sentence(bytes(changed))


def test_a_cut_file_is_noticed(files, rng):
    for data in files:
        for size in {0, 1, 5, len(data) - 1, *rng.integers(0, len(data), 40).tolist()}:
            sentence(data[:size])
        sentence(data + b"\0")


def test_foreign_bytes_are_refused(rng):
    for data in (b"", b"\x89LTC" + bytes(50), rng.bytes(500), b"\x89LTP\x02\x00"):
        sentence(data)


def test_damage_with_checksums_that_are_right_never_breaks_the_decoder(files, rng):
    """A forged file may decode to anything, but without another error than the sentence."""
    data = files[0]
    # The only chunk: eight bytes before it are its length and checksum, and the end is behind it.
    length = len(data) - _chunk(data) - _END
    start = _chunk(data)
    for _ in range(120):
        payload = bytearray(data[start : start + length])
        for place in rng.integers(0, length, 3):
            payload[place] ^= 1 << rng.integers(8)
        body = bytes(payload)
        forged = data[: start - 8] + struct.pack("<II", length, zlib.crc32(body)) + body + data[start + length :]
        with contextlib.suppress(CorruptStream):
            assert ltc.unpack(forged, threads=1).shape == (60, 50)


# Numbers, squares, largest error, checksum.
_END = 2 + 8 + 8 + 4


def _chunk(data):
    """Where the one chunk begins: its length reaches to the end."""
    for start in range(20, len(data)):
        if start - 8 + 8 + int.from_bytes(data[start - 8 : start - 4], "little") == len(data) - _END:
            body = data[start : len(data) - _END]
            if zlib.crc32(body) == int.from_bytes(data[start - 4 : start], "little"):
                return start
    raise AssertionError
