"""What is no file of vectors is refused in one sentence that names it."""

import numpy as np
import pytest

from ltc.vectors import open_vectors


def save(path, array):
    np.save(path, array, allow_pickle=True)


def broken(path):
    np.save(path, np.zeros((100, 3)))
    path.write_bytes(path.read_bytes()[:-1])


def text(content):
    return lambda path: path.write_text(content)


def archive(**arrays):
    return lambda path: np.savez(path, **arrays)


def folder(*shapes):
    def make(path):
        path.mkdir()
        for i, shape in enumerate(shapes):
            np.save(path / f"{i}.npy", np.zeros(shape))

    return make


MISTAKES = {
    "missing.npy": (lambda path: None, r"does not exist; vectors are in a \.npy, \.npz, \.csv or \.parquet file"),
    "x.txt": (text("1 2"), r"no file of vectors by its name"),
    "text.npy": (text("1,2"), r"is no \.npy file"),
    "empty.npy": (text(""), r"is no \.npy file"),
    "short.npy": (broken, r"ends before its 100 x 3 numbers"),
    "objects.npy": (lambda path: save(path, np.array([[1, "a"]], dtype=object)), r"holds object"),
    "words.npy": (lambda path: save(path, np.array(["a"])), r"holds <U1"),
    "complex.npy": (lambda path: save(path, np.zeros((2, 2), complex)), r"holds complex128"),
    "flags.npy": (lambda path: save(path, np.zeros((2, 2), bool)), r"holds bool"),
    "cube.npy": (
        lambda path: save(path, np.zeros((2, 2, 2))),
        r"shape \[2, 2, 2\]; vectors are an array \[rows, dim\]",
    ),
    "number.npy": (lambda path: save(path, np.float64(3)), r"shape \[\]"),
    "no_rows.npy": (lambda path: save(path, np.zeros((0, 2))), r"shape \[0, 2\]: it holds no vectors"),
    "no_columns.npy": (lambda path: save(path, np.zeros((2, 0))), r"shape \[2, 0\]: it holds no vectors"),
    "columns.npy": (lambda path: save(path, np.asfortranarray(np.zeros((2, 2)))), r"column by column"),
    "two.npz": (
        archive(a=np.zeros((2, 2)), b=np.zeros(3)),
        r"the arrays a, b: a key says which one is meant \(source\.key=a or",
    ),
    "none.npz": (archive(), r"holds no array"),
    "text.npz": (text("1,2"), r"is no \.npz file"),
    "objects.npz": (archive(a=np.array([None])), r"\[a\] holds object"),
    "ragged.csv": (text("1,2\n3,4\n5\n"), r"line 3: '5' is no row of 2 numbers"),
    "words.csv": (text("a,b\n1,2\n3,x\n"), r"line 3: '3,x' is no row of 2 numbers"),
    "gap.csv": (text("1,2\n3,\n"), r"line 2: '3,' is no row of 2 numbers"),
    "nan.csv": (text("1,2\nnan,2\n"), r"NaN or infinite values, first in row 1"),
    "far.csv": (text("1,2\n1,2\n1,1e39\n"), r"beyond float32's, first in row 2"),
    "empty.csv": (text(""), r"begins with an empty line"),
    "header.csv": (text("a,b\n"), r"holds no vectors"),
    "bytes.csv": (lambda path: path.write_bytes(b"\xff\xfe1,2"), r"no text"),
    "nothing": (folder(), r"The folder .*nothing holds no file of vectors"),
    "mixed": (folder((2, 3), (2, 4)), r"1\.npy holds vectors of dimension 4, and .*0\.npy of dimension 3"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_a_sentence(tmp_path, name):
    make, words = MISTAKES[name]
    path = tmp_path / name
    make(path)
    with pytest.raises(ValueError, match=words) as found:
        list(open_vectors(path).pieces())
    assert str(path) in str(found.value) and str(found.value).endswith(".") and "\n" not in str(found.value)


def test_what_is_not_finite_is_found(tmp_path):
    array = np.zeros((50, 2))
    array[13, 1] = np.inf
    np.save(tmp_path / "x.npy", array)
    with pytest.raises(ValueError, match="first in row 13"):
        list(open_vectors(tmp_path / "x.npy").pieces())


def test_keys(tmp_path):
    np.savez(tmp_path / "x.npz", a=np.zeros((2, 2)), b=np.ones((3, 1)))
    np.save(tmp_path / "x.npy", np.zeros(3))
    assert len(open_vectors(tmp_path / "x.npz", "b")) == 3
    with pytest.raises(ValueError, match=r"no array c; it has a, b"):
        open_vectors(tmp_path / "x.npz", "c")
    with pytest.raises(ValueError, match=r"no key: leave out c"):
        open_vectors(tmp_path / "x.npy", "c")


def test_a_package_that_is_missing_is_called_by_its_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    (tmp_path / "x.parquet").write_bytes(b"PAR1")
    with pytest.raises(ValueError, match=r"needs the package pyarrow: pip install 'ltc\[parquet\]'"):
        open_vectors(tmp_path / "x.parquet")
