"""Laws of checkpoints: the same coder comes back, in other processes too; all else is a sentence, and never runs."""

import json
import os
import pickle
import subprocess
import sys

import pytest
import torch
from hydra.utils import instantiate

from ltc.codec import load_coder, save_coder
from ltc.entropy import FactorizedDensity, MonteCarloPrior
from ltc.models import Coder, LatticeBottleneck
from ltc.transforms import Gain

CODERS = ["e8", "tcq8", "dithered", "search", "neighbours", "block", "mlp", "spectra"]


@pytest.mark.parametrize("name", CODERS)
def test_the_same_coder_comes_back(name, saved, tmp_path):
    found = load_coder(saved(name))
    assert not found.coder.training and found.coder.tables is not None
    assert (found.coder.search is not None) == (name == "search")
    assert (found.coder.neighbours is not None) == (name in ("neighbours", "block"))
    assert (found.coder.order is not None) == (name == "neighbours")
    assert found.about == {"source": "gaussian", "lambda": 4.0, "measure": "mse"}
    assert len(found.fingerprint) == 8
    # By its folder, again, and after another round trip: the same bytes.
    content = torch.load(saved(name), weights_only=True)
    config = json.loads(content["config"])
    again = tmp_path / "again.pt"
    save_coder(again, found.coder, config, found.n, found.dim, "mse", {"source": "gaussian", "lambda": 4.0})
    x = torch.randn(40, found.n * found.dim)
    stream = found.coder.compress(x, 3)
    for other in (load_coder(str(saved(name))), load_coder(saved(name).parent), load_coder(again)):
        assert (other.n, other.dim, other.fingerprint) == (found.n, found.dim, found.fingerprint)
        assert other.coder.compress(x, 3) == stream
        assert torch.equal(other.coder.decompress(stream, 40, 3), found.coder.decompress(stream, 40, 3))


@pytest.fixture
def resave(saved, tmp_path):
    """``resave(change, config, about)``: the E8 coder's checkpoint, with the coder or what is with it changed."""
    content = torch.load(saved("e8"), weights_only=True)

    def write(change=lambda coder: None, config=lambda config: config, about=None):
        coder = load_coder(saved("e8")).coder
        with torch.no_grad():
            change(coder)
        path = tmp_path / "coder.pt"
        save_coder(path, coder, config(json.loads(content["config"])), 8, 1, "mse", about or {"source": "gaussian"})
        return path

    return write


def test_a_coder_that_was_saved_without_tables_codes_alike(saved, tmp_path):
    """save_coder makes the tables that the coder does not have, the same ones."""
    found = load_coder(saved("e8"))
    config = json.loads(torch.load(saved("e8"), weights_only=True)["config"])
    bare = instantiate(config)
    bare.load_state_dict(found.coder.state_dict())
    save_coder(tmp_path / "bare.pt", bare, config, 8, 1, "mse", {})
    assert load_coder(tmp_path / "bare.pt").fingerprint == found.fingerprint
    assert bare.tables is None


def test_tables_travel_and_are_not_made_anew(resave):
    """Tables of other parameters are the coder's tables: logarithms of another machine do not enter."""

    def change(coder):
        coder.update({**coder.tables.weights, "w": coder.tables.weights["w"] ** 0.9})

    found = load_coder(resave(change))
    x = torch.randn(50, 8)
    stream = found.coder.compress(x)
    found.coder.update()
    assert found.coder.compress(x) != stream


def test_the_fingerprint_names_all_that_matters(resave):
    """A change in the last place of any one number; the configuration; but not what is said about it."""

    def upward(tensor):
        last = tensor.view(-1)[-1:]
        last.copy_(torch.nextafter(last, torch.full_like(last, torch.inf)))

    original = load_coder(resave())
    found = {original.fingerprint}
    names = list(original.coder.state_dict())
    for name in names:
        found.add(load_coder(resave(lambda coder, name=name: upward(coder.state_dict()[name]))).fingerprint)
    weights = original.coder.tables.weights
    for name in weights:
        found.add(
            load_coder(resave(lambda coder, name=name: upward(torch.from_numpy(weights_of(coder)[name])))).fingerprint
        )
    found.add(load_coder(resave(config=lambda c: {**c, "analysis": {**c["analysis"], "initial": 1.0}})).fingerprint)
    assert len(found) == 2 + len(names) + len(weights)
    assert load_coder(resave(about={"run": "another"})).fingerprint == original.fingerprint


def weights_of(coder):
    """The weights of a coder's tables, as arrays of its own that may be written."""
    coder.tables.weights = {name: w.copy() for name, w in coder.tables.weights.items()}
    return coder.tables.weights


def test_in_another_process_it_writes_the_same_bytes(saved, tmp_path):
    """And reads the first one's, to the last bit."""
    x = torch.randn(60, 12)
    torch.save(x, tmp_path / "x.pt")
    found = load_coder(saved("mlp"))
    (tmp_path / "stream").write_bytes(found.coder.compress(x))
    script = (
        "import sys, torch; from pathlib import Path; from ltc.codec import load_coder\n"
        "torch.set_num_threads(2); checkpoint, folder = load_coder(sys.argv[1]), Path(sys.argv[2])\n"
        "assert checkpoint.coder.compress(torch.load(folder / 'x.pt')) == (folder / 'stream').read_bytes()\n"
        "torch.save(checkpoint.coder.decompress((folder / 'stream').read_bytes(), 60), folder / 'y.pt')\n"
        "print(checkpoint.fingerprint.hex())"
    )
    done = subprocess.run([sys.executable, "-c", script, saved("mlp"), tmp_path], capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, found.fingerprint.hex()), done.stderr
    assert torch.equal(torch.load(tmp_path / "y.pt"), found.coder.decompress((tmp_path / "stream").read_bytes(), 60))


class Evil:
    """Leaves a folder where it is unpickled."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.mkdir, (str(self.marker),)


@pytest.mark.parametrize("write", ["pickle", "torch", "legacy", "inside"])
def test_a_pickle_is_refused_and_not_run(write, content, refusal, tmp_path):
    marker, path = tmp_path / "marker", tmp_path / "coder.pt"
    if write == "pickle":
        path.write_bytes(pickle.dumps(Evil(marker)))
    elif write == "inside":
        torch.save({**content, "extra": Evil(marker)}, path)
    else:
        torch.save(Evil(marker), path, _use_new_zipfile_serialization=write == "torch")
    assert "no coder of this project" in refusal(path)
    assert not marker.exists()
    # It would have done harm.
    torch.load(path, weights_only=False) if write != "pickle" else pickle.loads(path.read_bytes())
    assert marker.exists()


@pytest.mark.parametrize("place", ["root", "analysis", "deep", "list"])
@pytest.mark.parametrize(
    "target",
    [
        "os.mkdir",
        "os.system",
        "builtins.eval",
        "torch.load",
        "torch.nn.Linear",
        "ltc.codec.checkpoint.torch.load",
        "ltc.lattices.registry.importlib.import_module",
        "ltc.files.os.mkdir",
        "ltc.models.coder.nn.Module",
        "",
        7,
        ["os.mkdir"],
    ],
    ids=str,
)
def test_names_that_are_not_on_the_list_are_refused(target, place, resave, tmp_path):
    node = {"_target_": target, "_args_": [str(tmp_path / "marker")]}
    refuse(resave(config=lambda config: put(node, place, config)), tmp_path / "marker")


@pytest.mark.parametrize("place", ["root", "analysis", "deep", "list"])
@pytest.mark.parametrize("resolver", ["create", "decode"])
def test_names_in_interpolations_are_refused(resolver, place, resave, tmp_path):
    """What Hydra would make a name of after the list was read."""
    inner = f"{{_target_:os.mkdir,path:{tmp_path / 'marker'}}}"
    if resolver == "decode":
        inner = f'"{inner}"'
    refuse(resave(config=lambda config: put(f"${{oc.{resolver}:{inner}}}", place, config)), tmp_path / "marker")


def put(node, place, config):
    """A configuration with a node in some place."""
    if place == "root":
        return node
    if place == "analysis":
        config["analysis"] = node
    elif place == "deep":
        config["bottleneck"]["entropy_model"]["family"] = node
    else:
        config["analysis"]["_args_"] = [1, [node]]
    return config


def refuse(path, marker):
    with pytest.raises(ValueError):
        load_coder(path)
    assert not marker.exists()


def test_coders_without_a_bitstream_are_not_saved(tmp_path):
    from ltc import lattices

    lattice = lattices.get("e8")
    coder = Coder(Gain(8, 8), LatticeBottleneck(MonteCarloPrior(lattice, 8, FactorizedDensity)), Gain(8, 8))
    with pytest.raises(ValueError, match="no bitstream"):
        save_coder(tmp_path / "coder.pt", coder, {}, 8, 1, "mse", {})
    assert not list(tmp_path.iterdir())
