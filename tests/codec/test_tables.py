"""Tables through a coder: the file is that of the same numbers in a ``.npy`` file."""

import numpy as np
import pytest


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("LTC_CACHE_DIR", str(tmp_path / "cache"))


@pytest.fixture
def array(rng):
    return rng.standard_normal((1001, 3)).astype(np.float32)


def test_tables_are_coded_as_arrays_are(succeeds, saved, tmp_path, array, monkeypatch):
    monkeypatch.setattr("ltc.vectors.vectors.PIECE", 100)
    np.save(tmp_path / "x.npy", array)
    np.savetxt(tmp_path / "x.csv", array, delimiter=",", fmt="%.9g", header="a,b,c", comments="")
    np.savez(tmp_path / "x.npz", other=array[:5], x=array)
    found = []
    for name, options in (("x.npy", []), ("x.csv", []), ("x.npz", ["--key", "x"])):
        succeeds("compress", saved("mlp"), tmp_path / name, tmp_path / "out.ltc", "--chunk", 500, *options)
        found.append((tmp_path / "out.ltc").read_bytes())
    assert found[0] == found[1] == found[2]
    succeeds("decompress", saved("mlp"), tmp_path / "out.ltc", tmp_path / "back.npy")
    assert np.load(tmp_path / "back.npy").shape == array.shape


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("x.npz", [], "a key"),
        ("x.npz", ["--key", "y"], "holds no array y"),
        ("x.npy", ["--key", "x"], "leave out --key"),
        ("x.csv", ["--key", "x"], "no key"),
        ("bad.csv", [], "line 2"),
    ],
)
def test_mistakes(fails, saved, tmp_path, array, name, options, words):
    np.save(tmp_path / "x.npy", array)
    np.savez(tmp_path / "x.npz", other=array[:5], x=array)
    (tmp_path / "x.csv").write_text("1,2,3\n")
    (tmp_path / "bad.csv").write_text("1,2,3\n4,5\n")
    assert words in fails("compress", saved("mlp"), tmp_path / name, tmp_path / "out.ltc", *options)
    assert not (tmp_path / "out.ltc").exists()
