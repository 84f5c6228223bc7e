"""Laws of the range coder: what goes in comes out, and a decoder written from the format's page finds it too."""

import contextlib

import constriction
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ltc.coding import CorruptStream
from ltc.coding.frequencies import counts
from ltc.coding.range_coder import Decoder, Encoder

integers = st.one_of(st.integers(1 - 2**62, 2**62 - 1), st.integers(-70000, 70000), st.just(0))


def some_tables(rng, rows, symbols):
    """Tables with likely and very unlikely symbols."""
    return counts(np.exp(rng.normal(size=(rows, symbols)) * rng.choice([0.1, 3.0, 30.0], size=(rows, 1))))


def draw(rng, tables, rows):
    """A symbol of each row's table: most by their probabilities, some just any of them, escapes too."""
    cumulative = np.cumsum(tables[rows].astype(np.float64) + 1, 1)
    likely = (rng.random((len(rows), 1)) * cumulative[:, -1:] >= cumulative).sum(1)
    return np.where(rng.random(len(rows)) < 0.1, rng.integers(0, tables.shape[1], len(rows)), likely)


def write(steps):
    """Encodes a list of (symbols, tables, rows) and of arrays of integers."""
    encoder = Encoder()
    for step in steps:
        encoder.symbols(*step) if isinstance(step, tuple) else encoder.integers(step)
    return encoder.getvalue()


@pytest.fixture
def steps(rng):
    """One of everything, interleaved: one table for all, a table for each row, a table for each symbol, integers."""
    found = []
    for _ in range(6):
        tables = some_tables(rng, 1, 5)
        rows = np.zeros(40, dtype=np.int64)
        found.append((draw(rng, tables, rows), tables, rows))
        tables = some_tables(rng, 7, int(rng.integers(1, 90)))
        rows = rng.integers(0, 7, 50)
        found.append((draw(rng, tables, rows), tables, rows))
        found.append(rng.integers(-(2 ** int(rng.integers(1, 62))), 2**61, 3))
        tables = some_tables(rng, 30, 20)
        found.append((draw(rng, tables, np.arange(30)), tables, None))
        found.append(np.array([], dtype=np.int64))
    return found


def test_what_goes_in_comes_out(steps):
    stream = write(steps)
    decoder = Decoder(stream)
    for step in steps:
        if isinstance(step, tuple):
            symbols, tables, rows = step
            np.testing.assert_array_equal(decoder.symbols(len(symbols), tables, rows), symbols)
        else:
            found = decoder.integers(len(step))
            assert found.dtype == np.int64
            np.testing.assert_array_equal(found, step)


def test_the_decoder_of_the_format_reads_it_too(steps, reference_decoder):
    """Plain Python with the documented counts, not a float in it."""
    decoder = reference_decoder(write(steps))
    for step in steps:
        if isinstance(step, tuple):
            symbols, tables, rows = step
            rows = range(len(symbols)) if rows is None else rows
            whole = (tables.astype(np.int64) + 1).tolist()
            assert [decoder.symbol(whole[r]) for r in rows] == symbols.tolist()
        else:
            assert [decoder.integer() for _ in step] == step.tolist()


@given(st.lists(integers, max_size=12))
def test_integers_of_any_size(values):
    encoder = Encoder()
    encoder.integers(np.array(values, dtype=np.int64))
    assert Decoder(encoder.getvalue()).integers(len(values)).tolist() == values
    # A length, a sign, and no more digits than needed.
    bits = sum(6 + 16 + 16 * -(-abs(v).bit_length() // 16) for v in values)
    assert 8 * len(encoder.getvalue()) <= bits + 64


@given(st.lists(integers, min_size=1, max_size=30))
def test_an_integer_takes_its_bits_and_six(values):
    """Its length of 64 equally likely ones, and of what is not zero the sign and the bits below the leading one."""
    encoder = Encoder()
    encoder.integers(np.array(values))
    bits = sum(6 + abs(v).bit_length() for v in values)
    assert bits - 1 <= 8 * len(encoder.getvalue()) <= bits + 64 + 1


def test_the_length_is_the_information(rng):
    """Each symbol costs -log2 of its count over 2^24; the end costs two words at most."""
    tables = some_tables(rng, 5, 30)
    rows = rng.integers(0, 5, 20_000)
    symbols = draw(rng, tables, rows)
    bits = -np.log2((tables[rows, symbols] + 1.0) / 2**24).sum()
    assert bits - 1 <= 8 * len(write([(symbols, tables, rows)])) <= bits * (1 + 1e-6) + 64


def test_long_batches_with_large_tables_are_laid_out_in_parts(rng):
    """More numbers of tables than are laid out at once."""
    tables = some_tables(rng, 3, 2000)
    rows = rng.integers(0, 3, 5000)
    symbols = draw(rng, tables, rows)
    stream = write([(symbols, tables, rows)])
    np.testing.assert_array_equal(Decoder(stream).symbols(5000, tables, rows), symbols)
    decoder = Decoder(stream)
    parts = [decoder.symbols(len(part), tables, part) for part in np.split(rows, [1, 1700, 4999])]
    np.testing.assert_array_equal(np.concatenate(parts), symbols)


def test_nothing_is_no_bytes():
    assert Encoder().getvalue() == b""
    assert Decoder(b"").symbols(0, counts(np.ones((1, 3))), np.zeros(0, dtype=np.int64)).shape == (0,)


@given(st.binary(max_size=60))
def test_garbage_is_symbols_or_refused(stream):
    tables = counts(np.array([[1.0, 2.0, 1e-9], [1e-30, 1.0, 0.0]]))
    if len(stream) % 4:
        with pytest.raises(CorruptStream, match="multiple of 4"):
            Decoder(stream)
        return
    for rows in (np.zeros(9, dtype=np.int64), np.arange(9) % 2):
        with contextlib.suppress(CorruptStream):
            symbols = Decoder(stream).symbols(9, tables, rows)
            assert symbols.shape == (9,) and symbols.min() >= 0 and symbols.max() <= 3


@given(st.binary(min_size=32, max_size=32), st.integers(0, 63), st.lists(st.integers(0, 65535), min_size=5, max_size=5))
def test_garbage_is_integers_or_refused(stream, length, digits):
    """Bytes that no encoder wrote, and a length with digits that no encoder would have written after it."""
    coder = constriction.stream.queue.RangeEncoder()
    for values, size in (([length], 64), (digits, 1 << 16)):
        coder.encode(np.array(values, dtype=np.int32), constriction.stream.model.Uniform(size))
    for bad in (stream, coder.get_compressed().astype("<u4").tobytes()):
        with contextlib.suppress(CorruptStream):
            found = Decoder(bad).integers(1)
            assert found.dtype == np.int64 and found.shape == (1,)
