"""One's own file as a user meets it, from training to a decoded array; a mistake is one sentence."""

import json

import numpy as np
import pytest

SMOKE = ["trainer=smoke", "trainer.max_steps=2", "logger=none", "eval_symbols=200"]


@pytest.fixture
def own(launch, tmp_path):
    """``own("source.path=…", …)``: the exit code and output of a job with source=array."""

    def call(*arguments):
        process = launch(*SMOKE, "source=array", *arguments, f"hydra.run.dir={tmp_path / 'out'}")
        return process.wait(timeout=280), process.output()

    return call


def test_from_a_file_to_a_decoded_array(own, tmp_path, monkeypatch, capfd):
    from ltc.codec.__main__ import main

    array = np.random.default_rng().integers(-99, 99, (3000, 5))
    np.save(tmp_path / "x.npy", array)
    code, output = own(f"source.path={tmp_path / 'x.npy'}", "transform=klt", "lambda=0.1")
    assert code == 0 and "Traceback" not in output, output
    point = json.loads((tmp_path / "out" / "rd_point.json").read_text())
    assert (point["source"], point["n"], point["bound_rate"]) == ("array", 8, None)
    assert point["eval_symbols"] == 200 and point["coded_rate"] > 0
    assert main(["compress", *(str(tmp_path / name) for name in ("out", "x.npy", "x.ltc"))]) == 0
    assert main(["decompress", *(str(tmp_path / name) for name in ("out", "x.ltc", "back.npy"))]) == 0
    back = np.load(tmp_path / "back.npy")
    assert back.shape == array.shape and np.mean((back - array) ** 2) < array.var()
    # The same command again keeps the result; another file in the same folder is another job.
    assert own(f"source.path={tmp_path / 'x.npy'}", "transform=klt", "lambda=0.1")[1].startswith("Done before, kept")
    np.save(tmp_path / "y.npy", array)
    code, output = own(f"source.path={tmp_path / 'y.npy'}", "transform=klt", "lambda=0.1")
    assert code == 2 and "source.path=" in output and "holds the finished result" in output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "source.path is not set: say what it is, as in source.path=…"),
        (["source.path={}/nowhere.npy"], "nowhere.npy does not exist"),
        (["source.path={}/x.txt"], "no file of vectors by its name"),
        (["source.path={}/x.npz"], "a key says which one is meant (source.key=a or --key a, say)."),
        (["source.path={}/x.npz", "source.key=c"], "holds no array c; it has a, b."),
        (["source.path={}/nan.npy"], "nan.npy holds NaN or infinite values, first in row 7 (counted from 0)."),
        (["source.path={}/objects.npy"], "objects.npy holds object; vectors are arrays of real numbers."),
        (["source.path={}/x.csv", "source.test={}/wide.csv"], "vectors of dimension 3, and"),
        (["source.path={}/x.csv"], "x.csv holds 1 vectors, too few to train on some and test on others."),
        (["source.path={}/few.npy"], "blocks of n=4 symbols need at least 4 of them to evaluate."),
        (
            ["source.path={}/few.npy", "source.test_share=2"],
            "source.test_share=2 is not allowed: it is a number between",
        ),
        (["source.path={}/few.npy", "source.seed=-1"], "source.seed=-1 is not allowed: it is a whole number"),
    ],
)
def test_a_mistake_is_one_sentence(own, tmp_path, arguments, words):
    (tmp_path / "x.txt").write_text("1 2")
    (tmp_path / "x.csv").write_text("1,2")
    (tmp_path / "wide.csv").write_text("1,2,3\n" * 9)
    np.savez(tmp_path / "x.npz", a=np.zeros(3), b=np.zeros(3))
    np.save(tmp_path / "nan.npy", np.where(np.arange(20)[:, None] == 7, np.nan, np.zeros((20, 2))))
    np.save(tmp_path / "objects.npy", np.array([[None]]))
    np.save(tmp_path / "few.npy", np.zeros((9, 2)))
    code, output = own(*(text.format(tmp_path) for text in arguments))
    line = output.strip()
    assert code == 2 and line.startswith("error: ") and words in line and "\n" not in line, output
    assert not {"rd_point.json", "checkpoints"} & {path.name for path in (tmp_path / "out").iterdir()}
    assert json.loads((tmp_path / "out" / "error.json").read_text())["error"] in line
