"""Small forms of all networks of ``conf/network``, with any lattice, trained for a few steps where that matters."""

from pathlib import Path

import pytest
import torch
from hydra.utils import instantiate
from omegaconf import OmegaConf

from ltc.codec.image_checkpoint import save_network
from ltc.pixels import read_image, to_image
from ltc.training.image_module import ImageModule

_FOLDER = Path(__file__).parents[2] / "conf" / "network"

# What is made small of networks that have no M.
_SMALL = {
    "cheng2020_attn": {"N": 16},
    "swint_charm": {
        "widths": [16, 16, 16, 16],
        "depths": [2, 1, 1, 1],
        "hyper_widths": [16, 16],
        "hyper_depths": [1, 1],
        "head": 8,
        "slices": 2,
    },
    "lic_tcm": {"N": 16, "M": 16, "hyper": 16, "depth": 1, "heads": [8, 8, 16], "slices": 2},
}

_LATTICES = {
    "z": {"_target_": "ltc.lattices.get", "name": "z", "dim": 1},
    "e8": {"_target_": "ltc.lattices.get", "name": "e8", "dim": 8},
    "tcq8": {"_target_": "ltc.lattices.get", "name": "tcq8", "dim": 16},
    "learned": {"_target_": "ltc.lattices.LearnedLattice", "dim": 8},
}


def network_names():
    """The files of ``conf/network``."""
    return sorted(path.stem for path in _FOLDER.glob("*.yaml"))


def pytest_generate_tests(metafunc):
    """``every_network`` and ``every_lattice`` are the names of all; ``some_pair`` has each of them, once or more."""
    if "some_pair" in metafunc.fixturenames:
        kinds = list(_LATTICES)
        pairs = [(name, kinds[i % len(kinds)]) for i, name in enumerate(network_names())]
        metafunc.parametrize("some_pair", pairs, ids="-".join)
    if "every_network" in metafunc.fixturenames:
        metafunc.parametrize("every_network", network_names())
    if "every_lattice" in metafunc.fixturenames:
        metafunc.parametrize("every_lattice", list(_LATTICES))


@pytest.fixture(scope="session")
def small_config():
    """``small_config(network, lattice)``: the configuration of a network of ``conf/network``, with a lattice."""

    def make(name, lattice, **sizes):
        network = OmegaConf.to_container(OmegaConf.load(_FOLDER / f"{name}.yaml"))
        bottleneck = {"_target_": "ltc.images.swap.use_lattice", "_partial_": True, "lattice": _LATTICES[lattice]}
        return {
            "_target_": "ltc.images.networks.assemble",
            "network": {**network, **(sizes or _SMALL.get(name, {"N": 8, "M": 16}))},
            "bottleneck": {**bottleneck, "along": "channels"},
        }

    return make


@pytest.fixture(scope="session")
def trained_checkpoint(small_config, data_dir, tmp_path_factory):
    """``trained_checkpoint(network, lattice)``: the path of a network after some steps on photographs, made once."""
    made = {}
    photographs = sorted((data_dir / "bsds500").rglob("*.jpg"))[:16]

    def make(name, lattice, steps=40):
        if (name, lattice) not in made:
            config = small_config(name, lattice)
            module = ImageModule(instantiate(config).train(), lmbda=0.05)
            optimizer = torch.optim.Adam(module.network.parameters(), lr=2e-3)
            crops = torch.stack([to_image(read_image(path))[:, 64:128, 64:128] for path in photographs])
            for step in range(steps):
                rate, distortion = (
                    figure.mean() for figure in module._rates_and_distortions(crops[4 * step % 16 : 4 * step % 16 + 4])
                )
                optimizer.zero_grad()
                (rate + 0.05 * distortion + module._auxiliary_loss()).backward()
                torch.nn.utils.clip_grad_norm_(module.network.parameters(), 1.0)
                optimizer.step()
            module.network.eval().update(force=True)
            path = tmp_path_factory.mktemp("trained") / "coder.pt"
            save_network(path, module.network, config, {"lattice": lattice})
            made[name, lattice] = path
        return made[name, lattice]

    return make
