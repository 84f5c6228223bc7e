"""Files of vectors: the same numbers in every format, in memory or not, row by row or in pieces."""

import pickle
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ltc.vectors import ArrayVectors, kept, open_vectors, vector_dim
from ltc.vectors.npy import NpyVectors
from ltc.vectors.shards import Shards

KINDS = ["npy", "npz", "packed", "csv", "named", "parquet", "shards"]
DTYPES = ["<f8", "<f4", "<f2", ">f4", "i1", "<u2", "<i8"]


def numbers(rng, rows, dim, dtype="<f8"):
    return (40 * rng.standard_normal((rows, dim))).clip(-100, 100).astype(dtype)


@pytest.mark.parametrize("size", ["small", "large"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_format_gives_the_same_numbers(write, rng, kind, size, request):
    if size == "large":
        request.getfixturevalue("large")
    array = numbers(rng, 200, 3)
    path, expected = write(kind, array), array.astype(np.float32)
    vectors = open_vectors(path)
    assert (len(vectors), vectors.dim, vector_dim(path)) == (200, 3, 3)
    index = rng.integers(0, 200, 70)
    for _ in range(3):
        assert np.array_equal(vectors.rows(index), expected[index])
    assert np.array_equal(np.concatenate(list(vectors.pieces())), expected)
    start, stop = np.sort(rng.integers(0, 201, 2))
    assert np.array_equal(vectors.read(start, stop), expected[start:stop])
    assert vectors.rows(index).dtype == vectors.read(0, 1).dtype == np.float32


@pytest.mark.parametrize("kind", KINDS)
def test_numbers_are_vectors_of_one_component(write, rng, kind):
    array = numbers(rng, 20, 1)[:, 0]
    vectors = open_vectors(write(kind, array))
    assert (len(vectors), vectors.dim) == (20, 1)
    assert np.array_equal(vectors.read(0, 20)[:, 0], array.astype(np.float32))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(rows=st.integers(1, 40), dim=st.integers(1, 5), dtype=st.sampled_from(DTYPES), kind=st.sampled_from(KINDS[:3]))
def test_any_type_of_real_numbers_is_read(tmp_path_factory, rows, dim, dtype, kind):
    path = tmp_path_factory.mktemp("any") / ("x.npy" if kind == "npy" else "x.npz")
    array = numbers(np.random.default_rng(rows), rows, dim, dtype)
    {"npy": np.save, "npz": np.savez, "packed": np.savez_compressed}[kind](path, array)
    assert np.array_equal(open_vectors(path).read(0, rows), array.astype(np.float32))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(1, 9), min_size=1, max_size=6), st.data())
def test_shards_are_one_array(lengths, data):
    whole = np.arange(2.0 * sum(lengths), dtype=np.float32).reshape(-1, 2)
    parts = [ArrayVectors(part, "part") for part in np.split(whole, np.cumsum(lengths)[:-1])]
    shards = Shards(parts, "folder")
    index = np.array(data.draw(st.lists(st.integers(0, len(whole) - 1), max_size=20)), dtype=np.int64)
    start, stop = sorted((data.draw(st.integers(0, len(whole))), data.draw(st.integers(0, len(whole)))))
    assert len(shards) == len(whole) and np.array_equal(shards.rows(index), whole[index])
    assert np.array_equal(shards.read(start, stop), whole[start:stop])


@pytest.mark.parametrize("kind", KINDS)
def test_vectors_travel_to_another_process(write, rng, kind, large):
    vectors = open_vectors(write(kind, numbers(rng, 30, 2)))
    again = pickle.loads(pickle.dumps(vectors))
    assert np.array_equal(again.read(0, 30), vectors.read(0, 30))


def test_a_pickle_of_a_file_is_small(write):
    assert len(pickle.dumps(open_vectors(write("npy", np.zeros((10_000, 4)))))) < 1000


def test_large_tables_are_converted_once(write, rng, large, tmp_path, monkeypatch):
    array = numbers(rng, 100, 2)
    path = write("csv", array)
    first = open_vectors(path)
    assert isinstance(first, NpyVectors) and first.name == str(path)
    assert len(list(kept.cache_folder().iterdir())) == 1 and kept.cache_folder() == tmp_path / "cache" / "vectors"
    monkeypatch.setattr("ltc.vectors.csv_text._table", None)  # it is not read again
    assert np.array_equal(open_vectors(path).read(0, 100), array.astype(np.float32))
    monkeypatch.undo()


def test_a_table_that_changes_is_read_again(write, rng, large):
    for rows in (100, 120):
        assert len(open_vectors(write("csv", numbers(rng, rows, 2)))) == rows


def test_a_bad_table_leaves_nothing_in_the_cache(write, rng, large):
    array = numbers(rng, 100, 2)
    array[77, 1] = np.nan
    with pytest.raises(ValueError, match="row 77"):
        open_vectors(write("csv", array))
    assert not kept.cache_folder().exists() or not list(kept.cache_folder().iterdir())


@pytest.mark.parametrize("mark", [";", "\t", ","])
@pytest.mark.parametrize("head", ["", "a{0}b{0}c\n", '"a"{0}"b"{0}""\n'])
def test_tables_of_spreadsheets(tmp_path, mark, head):
    path = tmp_path / "x.csv"
    path.write_text("\ufeff" + head.format(mark) + f'1{mark}2{mark}3\n\n"4"{mark} 5 {mark}-6e0\r\n', encoding="utf-8")
    assert open_vectors(path).read(0, 2).tolist() == [[1, 2, 3], [4, 5, -6]] and vector_dim(path) == 3


def test_columns_of_lists(tmp_path, rng):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    array = numbers(rng, 30, 4)
    path = tmp_path / "x.parquet"
    parquet.write_table(pyarrow.table({"id": [str(i) for i in range(30)], "vector": array.tolist()}), path)
    assert vector_dim(path, "vector") == 4
    assert np.array_equal(open_vectors(path, "vector").read(0, 30), array.astype(np.float32))
    with pytest.raises(ValueError, match=r"column id holds string, and no numbers: a key"):
        open_vectors(path)
    with pytest.raises(ValueError, match=r"no column other; it has id, vector"):
        open_vectors(path, "other")


def test_headers_are_read_without_torch(write):
    path = write("npy", np.zeros((3, 5)))
    code = f"from ltc import vectors; import sys; print(vectors.vector_dim({str(path)!r}), 'torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "5 False\n"
