"""Coders in files, made without training, and the command on them."""

import functools
from pathlib import Path

import numpy as np
import pytest
import torch
from hydra.utils import instantiate
from PIL import Image

from ltc.codec import load_coder, save_coder
from ltc.codec.__main__ import main
from ltc.codec.image_checkpoint import save_network
from ltc.models import LatentOrder, NeighbourSearch, RDSearch
from ltc.models.neighbour_search import neighbours_of_zero


def _config(lattice: dict, latents: int, block: int, bottleneck: str, transform: dict) -> dict:
    """What conf/model/ltc.yaml and its groups resolve to."""
    lattice = {"_target_": "ltc.lattices.get", **lattice}
    family = {"_target_": "ltc.entropy.GaussianMixture", "_partial_": True, "components": 3}
    entropy = {"_target_": "ltc.entropy.exact_prior", "lattice": lattice, "dim": latents, "period": 1, "family": family}
    return {
        "_target_": "ltc.models.Coder",
        "analysis": {**transform, "inputs": block, "outputs": latents},
        "synthesis": {**transform, "inputs": latents, "outputs": block},
        "bottleneck": {"_target_": f"ltc.models.{bottleneck}", "entropy_model": entropy},
    }


_GAIN = {"_target_": "ltc.transforms.Gain"}
_LINEAR = {"_target_": "ltc.transforms.Linear", "hidden": [], "bias": True}
_MLP = {
    "_target_": "ltc.transforms.MLP",
    "hidden": [64, 64],
    "bias": True,
    "activation": {"_target_": "torch.nn.Softplus", "_partial_": True},
}


def _block_config(lattice: dict, n: int, latents: int, dim: int) -> dict:
    """What conf/model/bltc.yaml and its groups resolve to."""
    config = _config(lattice, latents * n, 0, "LatticeBottleneck", _MLP)
    config["bottleneck"]["entropy_model"] |= {"period": latents, "run": n}
    ends = {"analysis": {"inputs": dim, "outputs": latents}, "synthesis": {"inputs": latents, "outputs": dim}}
    return {
        **config,
        "_target_": "ltc.models.BlockCoder",
        **{name: {**_MLP, **sizes} for name, sizes in ends.items()},
        "n": n,
        "latents": latents,
        "center": True,
    }


_E8, _TCQ = {"name": "e8", "dim": 8}, {"name": "tcq8", "dim": 16}
# Configuration, symbols of a block, components of a symbol.
_CODERS = {
    "e8": (_config(_E8, 8, 8, "LatticeBottleneck", _GAIN), 8, 1),
    "loud": (_config(_E8, 8, 8, "LatticeBottleneck", _GAIN), 8, 1),
    "tcq8": (_config(_TCQ, 16, 16, "LatticeBottleneck", _GAIN), 16, 1),
    "dithered": (_config(_E8, 8, 8, "DitheredBottleneck", _GAIN), 8, 1),
    "search": (_config(_E8, 8, 8, "LatticeBottleneck", _LINEAR), 8, 1),
    "neighbours": (_config(_E8, 8, 8, "LatticeBottleneck", _LINEAR), 8, 1),
    "block": (_block_config(_TCQ, 16, 2, 3), 16, 3),
    "mlp": (_config(_E8, 16, 12, "LatticeBottleneck", _MLP), 4, 3),
    "spectra": (_config(_E8, 8, 66, "LatticeBottleneck", _LINEAR), 2, 33),
}


@torch.no_grad()
def _save(name: str, folder: Path) -> Path:
    config, n, dim = _CODERS[name]
    coder = instantiate(config).eval()
    coder.gain.fill_(2.0)
    for parameter in coder.parameters():
        parameter += 0.02 * torch.randn_like(parameter)
    if config["analysis"]["_target_"] == "ltc.transforms.Gain":
        # What analysis takes, synthesis gives back; or a little more.
        coder.synthesis.log_gain.copy_(0.05 * (name == "loud") - coder.analysis.log_gain)
    if name == "search":
        coder.search = RDSearch(40.0)
        coder.search.mu.fill_(0.3)
    if name == "neighbours":
        coder.neighbours = NeighbourSearch(40.0, neighbours_of_zero(coder.bottleneck.lattice, 8))
        coder.order = LatentOrder(torch.randperm(8))
    if name == "block":
        coder.neighbours = coder.closed_search(RDSearch(40.0))
    save_coder(folder / "coder.pt", coder, config, n, dim, "mse", {"source": "gaussian", "lambda": 4.0})
    return folder / "coder.pt"


@pytest.fixture(scope="session")
def saved(tmp_path_factory):
    """``saved(name)``: the checkpoint of a coder, the same for a whole test session."""
    made: dict[str, Path] = {}

    def get(name: str) -> Path:
        if name not in made:
            made[name] = _save(name, tmp_path_factory.mktemp(name))
        return made[name]

    return get


@pytest.fixture(scope="session")
def loaded(saved):
    """``loaded(name)``: the same coder, read."""
    return functools.cache(lambda name: load_coder(saved(name)))


@pytest.fixture
def content(saved):
    """What the file of the E8 coder holds, to be changed."""
    return torch.load(saved("e8"), weights_only=True)


@pytest.fixture
def refusal():
    """``refusal(path)``: the one sentence with which a checkpoint is refused."""

    def refuse(path: Path) -> str:
        with pytest.raises(ValueError) as caught:
            load_coder(path)
        message = str(caught.value)
        assert message.endswith(".") and "\n" not in message
        return message

    return refuse


@pytest.fixture
def run(capfd):
    """``run(*arguments)``: the command in this process: (exit code, standard output, standard error)."""

    def call(*arguments: object) -> tuple[int, str, str]:
        capfd.readouterr()
        try:
            code = main([str(a) for a in arguments])
        finally:
            torch.set_num_threads(1)
        return code, *capfd.readouterr()

    return call


@pytest.fixture
def succeeds(run):
    """``succeeds(*arguments)``: the command's standard output; it has ended well and said nothing else."""

    def call(*arguments: object) -> str:
        code, out, err = run(*arguments)
        assert (code, err) == (0, "")
        return out

    return call


def _everything(folder: Path) -> dict[str, bytes | None]:
    """All files of a folder with what is in them."""
    return {str(p): p.read_bytes() if p.is_file() else None for p in folder.rglob("*")}


@pytest.fixture
def fails(run, tmp_path):
    """``fails(*arguments)``: the command's one sentence; nothing was written, changed or left behind."""

    def call(*arguments: object) -> str:
        before = _everything(tmp_path)
        code, out, err = run(*arguments)
        assert (code, out) == (2, "")
        assert err.startswith("error: ") and err.endswith("\n") and err.count("\n") == 1
        assert "Traceback" not in err
        assert _everything(tmp_path) == before
        return err.removeprefix("error: ").rstrip("\n")

    return call


@pytest.fixture
def array(tmp_path, rng):
    """``array(shape, dtype)``: the path of a .npy file of Gaussian numbers, or of small integers."""

    def make(shape: tuple[int, ...], dtype: str = "float32", name: str = "in.npy") -> Path:
        values = 3 * rng.normal(size=shape)
        kind = np.dtype(dtype)
        np.save(tmp_path / name, (np.abs(values) if kind.kind == "u" else values).astype(kind))
        return tmp_path / name

    return make


_NETWORKS = {
    "mean": {"_target_": "ltc.images.networks.MeanScaleHyperprior", "N": 8, "M": 16},
    "serial": {"_target_": "ltc.images.networks.JointAutoregressive", "N": 8, "M": 16},
    "factorized": {"_target_": "ltc.images.networks.FactorizedPrior", "N": 8, "M": 16},
}


def _bottleneck(lattice):
    if lattice == "scalar":
        return {"_target_": "ltc.images.networks.scalar", "_partial_": True}
    made = {"_target_": "ltc.lattices.LearnedLattice", "dim": 8}
    if lattice != "learned":
        made = {"_target_": "ltc.lattices.get", "name": lattice, "dim": {"e8": 8, "tcq8": 16}[lattice]}
    return {"_target_": "ltc.images.swap.use_lattice", "_partial_": True, "lattice": made, "along": "channels"}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """``trained(network, lattice)``: the checkpoint of a network with random weights, the same for all tests here."""
    made = {}

    def get(network="mean", lattice="e8"):
        if (network, lattice) not in made:
            config = {
                "_target_": "ltc.images.networks.assemble",
                "network": _NETWORKS[network],
                "bottleneck": _bottleneck(lattice),
            }
            net = instantiate(config).eval()
            with torch.no_grad():
                for name, parameter in net.named_parameters():
                    if not name.endswith("quantiles"):
                        parameter += 0.02 * torch.randn_like(parameter)
                net.g_a[-1].weight *= 10
            net.update(force=True)
            path = tmp_path_factory.mktemp("net") / "coder.pt"
            save_network(path, net, config, {"source": "bsds500", "lattice": lattice, "lambda": 0.01})
            made[network, lattice] = path
        return made[network, lattice]

    return get


@pytest.fixture
def photograph(tmp_path, rng):
    """``photograph(width, height, name)``: the path of an image."""

    def make(width=70, height=40, name="photo.png"):
        values = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        Image.fromarray(values).save(tmp_path / name)
        return tmp_path / name

    return make
