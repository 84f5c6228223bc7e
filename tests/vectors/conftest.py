"""Files of vectors in every format, and a cache of their own."""

import numpy as np
import pytest

from ltc.vectors import kept


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """What is kept goes into the test's folder."""
    monkeypatch.setenv("LTC_CACHE_DIR", str(tmp_path / "cache"))


@pytest.fixture
def large(monkeypatch):
    """Nothing is small enough to stay in memory, and pieces are short."""
    monkeypatch.setattr(kept, "_IN_MEMORY", 0)
    monkeypatch.setattr("ltc.vectors.npy._IN_MEMORY", 0)
    for module in ("npy", "csv_text", "parquet", "vectors"):
        monkeypatch.setattr(f"ltc.vectors.{module}.PIECE", 50)


@pytest.fixture
def write(tmp_path):
    """``write("csv", array)``: a file of that format, or a folder of shards; its path."""

    def csv(path, array, header=""):
        np.savetxt(path, array, delimiter=",", fmt="%.17g", header=header, comments="")

    def npz(path, array, save=np.savez):
        save(path, vectors=array)

    def parquet(path, array):
        pyarrow = pytest.importorskip("pyarrow")
        from pyarrow import parquet as files

        columns = array.reshape(len(array), -1).T
        files.write_table(pyarrow.table({f"c{i}": column for i, column in enumerate(columns)}), path)

    def shards(path, array):
        path.mkdir()
        (path / "notes.txt").write_text("no vectors")
        for i, part in enumerate(np.array_split(array, 3)):
            np.save(path / f"{i}.npy", part)

    writers = {
        "npy": (".npy", np.save),
        "npz": (".npz", npz),
        "packed": (".npz", lambda path, array: npz(path, array, np.savez_compressed)),
        "csv": (".csv", csv),
        "named": (".csv", lambda path, array: csv(path, array, ",".join(f"x{i}" for i in range(array[0].size)))),
        "parquet": (".parquet", parquet),
        "shards": ("", shards),
    }

    def make(kind, array, name="vectors"):
        suffix, writer = writers[kind]
        path = tmp_path / f"{name}-{kind}{suffix}"
        writer(path, array)
        return path

    make.kinds = list(writers)
    return make
