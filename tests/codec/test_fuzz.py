"""Thousands of damaged files: each is an array of the shape that it says, or refused; quickly, in little memory."""

import io
import os
import random
import re
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

from ltc.codec import compress_stream, decompress_stream
from ltc.codec.arrays import ArrayReader, ArrayWriter
from ltc.codec.container import read_header
from ltc.coding.file_fields import read_chunk

# Warnings of libraries would be printed by the command.
pytestmark = pytest.mark.filterwarnings("error")

CODERS = ["e8", "tcq8", "dithered", "mlp"]


@pytest.fixture(scope="module")
def bases(loaded):
    """A small good file of each coder: three chunks, with outliers that are escaped."""
    made = {}
    for name in CODERS:
        x = 3 * np.random.default_rng(1).normal(size=(50, 3))
        x[::20, 1] = [1e3, -1e6, 7e4]
        array, file = io.BytesIO(), io.BytesIO()
        np.save(array, x.astype(np.float32))
        array.seek(0)
        compress_stream(loaded(name), ArrayReader(array, "it"), file, seed=5, chunk=64)
        made[name] = file.getvalue()
    return made


def parts(content):
    """The header's bytes without its checksum, and the payloads."""
    file = io.BytesIO(content)
    header = read_header(file)
    end = file.tell()
    return content[: end - 4], [read_chunk(file) for _ in range(header.chunks)]


def joined(body, payloads):
    """A file whose checksums are right."""
    chunks = [struct.pack("<II", len(p), zlib.crc32(p)) + p for p in payloads]
    return body + struct.pack("<I", zlib.crc32(body)) + b"".join(chunks)


def varint(value):
    return bytes([value & 0x7F | 0x80]) + varint(value >> 7) if value >> 7 else bytes([value])


def damaged(content, chance):
    """A few bits flipped, bytes cut out, put in or doubled, anywhere."""
    bad = bytearray(content)
    for _ in range(chance.choice([1, 1, 1, 2, 5])):
        place, length = chance.randrange(len(bad) + 1), chance.randrange(1, 30)
        match chance.randrange(5):
            case 0 if place < len(bad):
                bad[place] ^= 1 << chance.randrange(8)
            case 1:
                del bad[place:]
            case 2:
                del bad[place : place + length]
            case 3:
                bad[place:place] = chance.randbytes(length)
            case 4:
                bad[place:place] = bad[place : place + length]
    return bytes(bad)


def forged_header(content, chance):
    """Some of type, shape, seed and chunk are near the real ones, or of any magnitude."""
    body, payloads = parts(content)
    header = read_header(io.BytesIO(content))
    dtype, shape, seed, numbers = body[13], list(header.shape), header.seed, header.numbers
    change = chance.randrange(1, 16)
    if change & 1:
        dtype = chance.choice([0, 1, 2, chance.randrange(256)])
    if change & 2:
        shape = [chance.choice([150, 50, 1, chance.randrange(200), chance.getrandbits(chance.randrange(64))])]
        shape += [chance.choice([3, 1, 0, chance.randrange(12)]) for _ in range(chance.randrange(4))]
    if change & 4:
        seed = chance.getrandbits(chance.randrange(64))
    if change & 8:
        numbers = chance.choice([48 * chance.randrange(5), chance.getrandbits(chance.randrange(14))])
    if change == 15 and chance.random() < 0.05:
        # A chunk of millions of numbers is decoded from any payload: a second each, so rarely.
        shape, numbers = [chance.getrandbits(40)], 48 * chance.getrandbits(17)
    fields = bytes([dtype, len(shape)]) + b"".join(map(varint, [*shape, seed, numbers]))
    return joined(body[:13] + fields, payloads)


def forged_payload(content, chance):
    """Random words, or the real ones with some changed, cut off or added."""
    body, payloads = parts(content)
    i = chance.randrange(len(payloads))
    match chance.randrange(3):
        case 0:
            payloads[i] = chance.randbytes(chance.randrange(200))
        case 1:
            payloads[i] = chance.randbytes(4 * chance.randrange(200))
        case 2:
            payloads[i] = damaged(payloads[i], chance)
    return joined(body, payloads)


def decode(checkpoint, content):
    """Whether a file is refused; if it is not, what it holds is an array of the header's shape."""
    out = io.BytesIO()
    try:
        header = decompress_stream(
            checkpoint, io.BytesIO(content), lambda h: ArrayWriter(out, h.shape, h.dtype).numbers
        )
    except ValueError as error:
        assert str(error) and "\n" not in str(error)
        return True
    assert header == read_header(io.BytesIO(content))
    if header.size or max(header.shape) < 1 << 30:  # numpy's own limit of empty arrays
        found = np.load(io.BytesIO(out.getvalue()))
        assert found.shape == header.shape and found.dtype == header.dtype
    return False


def fuzz(bases, loaded, chance, count):
    """Of each kind of damage, how many were refused."""
    refused = {kind: [] for kind in (damaged, forged_header, forged_payload)}
    for i in range(count):
        name, kind = CODERS[i % len(CODERS)], chance.choice(list(refused))
        bad = kind(bases[name], chance)
        refused[kind].append(decode(loaded(name), bad))
    return refused


def assert_some_of_each(refused):
    """Damage is noticed but where it changes nothing; forgeries with right checksums may be files of something else."""
    assert np.mean(refused[damaged]) > 0.95
    assert 0.05 < np.mean(refused[forged_header]) < 1
    assert 0.05 < np.mean(refused[forged_payload]) < 1


def test_the_good_files_are_good(bases, loaded):
    for name, content in bases.items():
        assert not decode(loaded(name), content)
        assert joined(*parts(content)) == content


def test_damaged_files_are_decoded_or_refused(bases, loaded, seed):
    assert_some_of_each(fuzz(bases, loaded, random.Random(seed), 300))


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.skipif(not os.access("/proc/self/clear_refs", os.W_OK), reason="Linux counts memory in /proc")
def test_twenty_thousand_damaged_files(bases, loaded, seed):
    """Memory is that of the largest chunk, whatever a header says: 2^22 numbers, at some hundred bytes for each."""
    chance = random.Random(seed)
    fuzz(bases, loaded, chance, 200)
    Path("/proc/self/clear_refs").write_text("5")
    before = peak()
    assert_some_of_each(fuzz(bases, loaded, chance, 20_000))
    assert peak() - before < 250 << 22


def peak():
    """The most memory that this process has had since it was reset, in bytes."""
    return int(re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())[1]) << 10
