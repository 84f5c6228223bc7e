"""Laws of the .ltc file: what is written is read; whatever is damaged is refused, in a sentence, with little memory."""

import io
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ltc.codec.container import Header, read_header, write_header
from ltc.coding import CorruptStream
from ltc.coding.file_fields import read_chunk, write_chunk

headers = st.builds(
    Header,
    fingerprint=st.binary(min_size=8, max_size=8),
    dtype=st.sampled_from(["float16", "float32", "float64"]),
    # Sizes of arrays are below 2^62.
    shape=st.lists(st.integers(0, 180), max_size=8).map(tuple)
    | st.tuples(st.integers(0, 2**31), st.integers(0, 2**30))
    | st.tuples(st.integers(0, 2**61)),
    seed=st.integers(0, 2**63 - 1),
    numbers=st.integers(1, 1 << 22),
)


def written(header):
    file = io.BytesIO()
    write_header(file, header)
    return file.getvalue()


def chunk(payload):
    file = io.BytesIO()
    write_chunk(file, payload)
    return file.getvalue()


def with_checksum(body):
    return body + struct.pack("<I", zlib.crc32(body))


EXAMPLE = Header(b"8 bytes!", "float32", (1000, 300), 12345678901, 65536)


@given(headers, st.binary(max_size=20))
def test_headers_come_back(header, more):
    file = io.BytesIO(written(header) + more)
    found = read_header(file)
    assert found == header
    assert file.read() == more
    assert found.size == int(np.prod([int(s) for s in header.shape], dtype=object))
    assert (found.chunks - 1) * found.numbers < found.size <= found.chunks * found.numbers or found.size == 0


@given(st.lists(st.binary(max_size=3000), max_size=5))
def test_chunks_come_back(payloads):
    file = io.BytesIO(b"".join(map(chunk, payloads)))
    assert [read_chunk(file) for _ in payloads] == payloads
    assert file.read() == b""


class Dribble(io.RawIOBase):
    """A pipe that gives a byte at a time."""

    def __init__(self, data):
        self.data = io.BytesIO(data)

    def read(self, size=-1):
        return self.data.read(min(size, 1))


def test_pipes_that_give_little_at_a_time():
    file = Dribble(written(EXAMPLE) + chunk(b"payload" * 100))
    assert read_header(file) == EXAMPLE and read_chunk(file) == b"payload" * 100


@given(headers, st.data())
def test_every_changed_byte_of_a_header_is_noticed(header, data):
    good = written(header)
    place, change = data.draw(st.integers(0, len(good) - 1)), data.draw(st.integers(1, 255))
    bad = bytearray(good)
    bad[place] ^= change
    with pytest.raises(CorruptStream, match="version" if place == 4 else None):
        read_header(io.BytesIO(bytes(bad)))


def test_every_changed_byte_of_one_header_is_noticed():
    """All places, all values; what follows the header does not help."""
    good = written(EXAMPLE)
    for place in range(len(good)):
        for value in range(256):
            if value != good[place]:
                bad = good[:place] + bytes([value]) + good[place + 1 :] + b"\0" * 100
                with pytest.raises(CorruptStream):
                    read_header(io.BytesIO(bad))


@given(headers, st.binary(max_size=30))
def test_every_truncation_is_noticed(header, payload):
    whole = written(header)
    for cut in range(len(whole)):
        with pytest.raises(CorruptStream, match="empty" if cut == 0 else None):
            read_header(io.BytesIO(whole[:cut]))
    whole = chunk(payload)
    for cut in range(len(whole)):
        with pytest.raises(CorruptStream, match="ends too early"):
            read_chunk(io.BytesIO(whole[:cut]))


@given(st.binary(min_size=1, max_size=200), st.data())
def test_every_changed_byte_of_a_chunk_is_noticed(payload, data):
    bad = bytearray(chunk(payload))
    place = data.draw(st.integers(0, len(bad) - 1))
    bad[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(CorruptStream, match=r"ends too early|checksum"):
        read_chunk(io.BytesIO(bytes(bad)))


@pytest.mark.parametrize("version", [0, 2, 255])
def test_other_versions_are_named(version):
    body = bytearray(written(EXAMPLE)[:-4])
    body[4] = version
    with pytest.raises(CorruptStream, match=f"version {version} of the format.*reads version 1"):
        read_header(io.BytesIO(with_checksum(bytes(body))))


@pytest.mark.parametrize(
    "content", [b"PK\x03\x04" + bytes(50), b"\x93NUMPY" + bytes(50), b"\x89PNG\r\n\x1a\n", b"LTC\x89"]
)
def test_foreign_files_are_no_ltc_files(content):
    with pytest.raises(CorruptStream, match=r"no \.ltc file"):
        read_header(io.BytesIO(content))


def forged(dtype=1, axes=None, varints=(8, 0, 8)):
    """A header with a correct checksum; ``varints`` are its numbers, or bytes as they are."""
    axes = len(varints) - 2 if axes is None else axes
    body = b"\x89LTC\x01" + bytes(8) + bytes([dtype, axes])
    for v in varints:
        body += v if isinstance(v, bytes) else varint(v)
    return with_checksum(body)


def varint(value):
    return bytes([value & 0x7F | 0x80]) + varint(value >> 7) if value >> 7 else bytes([value])


def test_forged_headers_are_those_of_the_writer():
    """So that what the tests below forge differs in one thing alone."""
    assert forged(2, varints=(3, 500, 7, 64)) == written(Header(bytes(8), "float64", (3, 500), 7, 64))


@pytest.mark.parametrize(
    "wrong",
    [
        {"dtype": 3},
        {"dtype": 255},
        {"axes": 9, "varints": [1] * 11},
        {"axes": 255},
        {"varints": (8, 0, 0)},
        {"varints": (8, 0, (1 << 22) + 1)},
        {"varints": (8, 0, 1 << 62)},
        {"varints": (1 << 62, 0, 8)},
        {"varints": (1 << 40, 1 << 40, 0, 8)},
        {"varints": (b"\xff" * 9 + b"\x01", 0, 8)},
        {"varints": (b"\xff" * 500, 0, 8)},
    ],
    ids=str,
)
def test_impossible_numbers_are_refused_whatever_the_checksum_says(wrong):
    with pytest.raises(CorruptStream, match="the header is damaged"):
        read_header(io.BytesIO(forged(**wrong) + bytes(600)))


def test_forged_lengths_take_no_memory():
    """Four gigabytes announced, a few bytes there; and shapes of exabytes."""
    tracemalloc.start()
    try:
        with pytest.raises(CorruptStream, match="ends too early"):
            read_chunk(io.BytesIO(struct.pack("<II", 2**32 - 1, 0) + b"a few bytes"))
        header = read_header(io.BytesIO(forged(varints=(1 << 61, 2**63 - 1, 1 << 22))))
        assert header.chunks == 1 << 39
        with pytest.raises(CorruptStream):
            read_header(io.BytesIO(forged(varints=(b"\xff" * (1 << 20), 0, 8))))
        # The test's own forgeries are a megabyte each.
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "wrong",
    [
        {"dtype": "int8"},
        {"dtype": "float128"},
        {"shape": (1,) * 9},
        {"shape": (-1,)},
        {"shape": (2, -(2**40))},
        {"seed": -1},
        {"seed": 1 << 63},
        {"numbers": 0},
        {"numbers": (1 << 22) + 1},
    ],
    ids=str,
)
@pytest.mark.timeout(60)
def test_what_a_file_cannot_say_is_not_written(wrong, monkeypatch):
    # A writer that goes on for ever shall not take the machine's memory with it.
    monkeypatch.setattr("ltc.codec.container.varint", lambda v: varint(v) if v >= 0 else pytest.fail("negative"))
    file = io.BytesIO()
    with pytest.raises(ValueError):
        write_header(file, Header(**{**vars(EXAMPLE), **wrong}))
    assert file.getvalue() == b""


def test_a_file_of_one_chunk_adds_few_bytes():
    """At most 64, for an array of two axes: of any size, with any seed."""
    for shape in ((1, 1), (2**31, 2**30)):
        assert len(written(Header(bytes(8), "float64", shape, 2**63 - 1, 1 << 22))) + len(chunk(b"")) <= 64
    assert len(written(EXAMPLE)) + len(chunk(b"")) <= 40
