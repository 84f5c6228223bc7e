"""Files of arrays through the command: names, shapes, types and order come back; errors are one sentence."""

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

import ltc
from ltc.__main__ import main


@pytest.fixture
def run(capfd, tmp_path, monkeypatch):
    """``run(words)``: exit code, output and errors, in a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def call(words):
        capfd.readouterr()
        code = main(words.split())
        return code, *capfd.readouterr()

    return call


@pytest.fixture
def fails(run, tmp_path):
    def call(words):
        before = sorted(os.listdir(tmp_path))
        code, out, err = run(words)
        assert (code, out) == (2, "") and err.startswith("error: ") and err.count("\n") == 1, (code, out, err)
        assert sorted(os.listdir(tmp_path)) == before
        return err

    return call


def test_an_array_on_disk_is_packed_as_in_memory(run, tmp_path, rng):
    array = np.asfortranarray(rng.normal(size=(900, 800)).astype(">f4"))
    np.save(tmp_path / "a.npy", array)
    assert run("pack a.npy a.ltc --bits 2.5 --code tcq8") == (0, "", "")
    assert (tmp_path / "a.ltc").read_bytes() == ltc.pack(array, bits=2.5, code="tcq8", threads=1)
    assert run("unpack a.ltc b.npy --threads 1") == (0, "", "")
    found = np.load(tmp_path / "b.npy")
    assert found.dtype == array.dtype and found.flags.f_contiguous
    assert (found == ltc.unpack((tmp_path / "a.ltc").read_bytes())).all()
    code, out, _ = run("info a.ltc")
    assert code == 0 and all(word in out for word in ("900 x 800", "bits a number", "tcq8", "distortion", "prior"))


def test_an_archive(run, tmp_path, rng):
    arrays = {"w": rng.normal(size=(40, 50)), "half": rng.normal(size=70).astype("f2"), "i": np.arange(5), "s": np.pi}
    np.savez(tmp_path / "a.npz", **arrays)
    assert run("pack a.npz a.ltc --psnr 50")[0] == 0 and run("unpack a.ltc b.npz")[0] == 0
    with np.load(tmp_path / "a.npz") as before, np.load(tmp_path / "b.npz") as after:
        assert before.files == after.files
        for name in before.files:
            assert before[name].dtype == after[name].dtype and before[name].shape == after[name].shape
            assert np.allclose(before[name], after[name], atol=0.2)
    assert "4, of a .npz file" in run("info a.ltc")[1]


def test_tensors(run, tmp_path, rng):
    tensors = {
        "layer.weight": rng.normal(size=(64, 32, 3)).astype("f4"),
        "layer.bias": rng.normal(size=64).astype("f4"),
        "half": rng.normal(size=(30, 30)).astype("f2"),
        "count": np.array(7),
        "empty": np.zeros((0, 3), "f4"),
        "flags": rng.random(20) < 0.5,
    }
    save_file(tensors, tmp_path / "a.safetensors", metadata={"format": "pt"})
    assert run("pack a.safetensors a.ltc --bits 4")[0] == 0 and run("unpack a.ltc b.safetensors")[0] == 0
    found = load_file(tmp_path / "b.safetensors")
    assert found.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert found[name].dtype == tensor.dtype and found[name].shape == tensor.shape
        # What bits promise is the mean squared error: the largest error of a trellis code has no bound of a step.
        errors = found[name].astype("f8") - tensor.astype("f8")
        assert not errors.size or np.square(errors).mean() < 0.2**2
    assert (found["flags"] == tensors["flags"]).all() and found["count"] == 7
    with safe_open(tmp_path / "b.safetensors", framework="np") as file:
        assert file.metadata() == {"format": "pt"}


def test_bfloat16_and_numbers_of_eight_bits(run, tmp_path, rng):
    values = rng.normal(size=2000).astype(np.float32)
    raw = (values.view(np.uint32) >> 16).astype("<u2").tobytes()
    small = rng.bytes(64)
    header = {
        "b": {"dtype": "BF16", "shape": [40, 50], "data_offsets": [0, 4000]},
        "e": {"dtype": "F8_E4M3", "shape": [64], "data_offsets": [4000, 4064]},
    }
    text = json.dumps(header).encode()
    (tmp_path / "a.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + raw + small)
    assert run("pack a.safetensors a.ltc --bits 5")[0] == 0 and run("unpack a.ltc b.safetensors")[0] == 0
    data = (tmp_path / "b.safetensors").read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    found = json.loads(data[8:start])
    assert {name: found[name]["dtype"] for name in found} == {"b": "BF16", "e": "F8_E4M3"}
    back = (np.frombuffer(data[start : start + 4000], "<u2").astype(np.uint32) << 16).view(np.float32)
    assert np.square(back - values).mean() < 0.01 and data[start + 4000 :] == small
    assert ltc.unpack((tmp_path / "a.ltc").read_bytes())["b"].dtype == np.float32


@pytest.mark.parametrize("words", ["", "--bits 2 --psnr 4", "--bits x"])
def test_goals_of_the_command(words, run, capfd):
    with pytest.raises(SystemExit) as caught:
        run(f"pack a.npy b.ltc {words}")
    assert caught.value.code == 2


def test_errors_are_one_sentence(fails, tmp_path, rng):
    np.save(tmp_path / "a.npy", rng.normal(size=(100, 30)))
    np.save(tmp_path / "objects.npy", np.array([{}]), allow_pickle=True)
    (tmp_path / "short.npy").write_bytes((tmp_path / "a.npy").read_bytes()[:-5])
    for name in ("text.npy", "text.npz", "text.safetensors", "text.csv", "text.ltc"):
        (tmp_path / name).write_text("1,2,3\n")
    (tmp_path / "a.ltc").write_bytes(ltc.pack(np.arange(100.0), bits=3)[:-1])
    assert "positive" in fails("pack a.npy b.ltc --bits -1")
    assert "no code" in fails("pack a.npy b.ltc --bits 2 --code tcq9")
    assert "Only rounding" in fails("pack a.npy b.ltc --max-error 2 --code tcq8")
    assert "No such file" in fails("pack none.npy b.ltc --bits 2")
    assert "only arrays of numbers" in fails("pack objects.npy b.ltc --bits 2")
    assert "ends before" in fails("pack short.npy b.ltc --bits 2")
    assert "no .npy file" in fails("pack text.npy b.ltc --bits 2")
    assert "no .npz file" in fails("pack text.npz b.ltc --bits 2")
    assert "no .safetensors file" in fails("pack text.safetensors b.ltc --bits 2")
    assert "reads .npy" in fails("pack text.csv b.ltc --bits 2")
    assert "writes .ltc" in fails("pack a.npy b.npy --bits 2")
    assert "same file" in fails("pack a.npy a.npy --bits 2")
    assert "no file of packed arrays" in fails("unpack text.ltc b.npy")
    assert "ends too early" in fails("unpack a.ltc b.npy")
    assert ".npy" in fails("unpack a.ltc b.npz")


def _environment():
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


def test_a_process_of_its_own(warm_python, tmp_path, rng):
    np.save(tmp_path / "a.npy", rng.normal(size=5000))
    for words in ("pack a.npy a.ltc --bits 2", "unpack a.ltc b.npy", "info a.ltc"):
        done = warm_python.run(["-m", "ltc", *words.split()], cwd=tmp_path, env=_environment())
        assert (done.returncode, done.stderr) == (0, "")
    assert np.load(tmp_path / "b.npy").shape == (5000,)


def test_pipes(tmp_path, rng):
    """And no process of either command has loaded torch."""
    np.save(tmp_path / "a.npy", rng.normal(size=500))
    code = "import sys; from ltc.__main__ import main; c = main(); assert 'torch' not in sys.modules; sys.exit(c)"
    command = [sys.executable, "-c", code]
    packed = subprocess.run(
        [*command, "pack", "-", "-", "--bits", "2"],
        stdin=(tmp_path / "a.npy").open("rb"),
        stdout=-1,
        env=_environment(),
    )
    found = subprocess.run([*command, "unpack", "-", "-"], input=packed.stdout, stdout=-1, env=_environment())
    (tmp_path / "b.npy").write_bytes(found.stdout)
    assert (packed.returncode, found.returncode) == (0, 0) and np.load(tmp_path / "b.npy").shape == (500,)


def test_an_interrupted_command_leaves_nothing(tmp_path, rng):
    """The command is stopped while it has a chunk in hand."""
    np.save(tmp_path / "a.npy", rng.normal(size=1 << 21).astype(np.float32))
    (tmp_path / "out").mkdir()
    code = (
        "import sys, os, signal; import ltc.arrays.packing as p; from ltc.__main__ import main\n"
        "before = p.encode_chunk\n"
        "def stopped(*a): os.kill(os.getpid(), signal.SIGTERM); return before(*a)\n"
        "p.encode_chunk = stopped; sys.exit(main())"
    )
    command = [sys.executable, "-c", code, "pack", "a.npy", "out/a.ltc", "--bits", "2", "--code", "tcq8"]

    def heed():
        signal.signal(signal.SIGTERM, signal.SIG_DFL)

    done = subprocess.run(command, cwd=tmp_path, stdout=-1, stderr=-1, env=_environment(), preexec_fn=heed)
    assert (done.returncode, done.stderr) == (143, b"error: interrupted; no output was written.\n")
    assert not os.listdir(tmp_path / "out")
