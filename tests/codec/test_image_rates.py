"""One coder for many rates: its files carry their rate, and other coders say that they have one."""

import pytest
from hydra.utils import instantiate

from ltc.codec.image_checkpoint import at_rate, load_network, save_network
from ltc.pixels import read_image

CONFIG = {
    "_target_": "ltc.images.networks.assemble",
    "network": {
        "_target_": "ltc.images.networks.MultirateNetwork",
        "N": 16,
        "M": 32,
        "prices": [0.005, 0.02, 0.1],
        "depth": 1,
    },
    "bottleneck": {
        "_target_": "ltc.images.swap.use_lattice",
        "_partial_": True,
        "lattice": {"_target_": "ltc.lattices.get", "name": "tcq8"},
        "along": "image",
    },
}


@pytest.fixture(scope="module")
def multirate(tmp_path_factory):
    """A checkpoint of a network of many rates, which was tested at 0.02."""
    network = instantiate(CONFIG).eval()
    network.update(force=True)
    path = tmp_path_factory.mktemp("rates") / "coder.pt"
    save_network(path, network, CONFIG, {"lambda": 0.02})
    return path


def test_it_stands_at_the_lambda_of_its_run(multirate):
    assert load_network(multirate).network.g_a.level.tolist() == pytest.approx([1.0])


def test_one_coder_reads_all_rates(multirate, photograph, succeeds, tmp_path):
    photo, sizes, errors = photograph(), [], []
    for price in ("0.005", "0.03", "0.1"):
        succeeds("compress", multirate, photo, tmp_path / "a.ltc", "--lambda", price)
        succeeds("decompress", multirate, tmp_path / "a.ltc", tmp_path / "a.png")
        sizes.append((tmp_path / "a.ltc").stat().st_size)
        errors.append((read_image(photo).float() - read_image(tmp_path / "a.png").float()).square().mean().item())
    assert sizes == sorted(set(sizes)) and errors == sorted(set(errors), reverse=True)


def test_the_trellis_alone_is_a_search(multirate, photograph, succeeds, tmp_path):
    photo = photograph()
    succeeds("compress", multirate, photo, tmp_path / "a.ltc")
    succeeds("compress", multirate, photo, tmp_path / "b.ltc", "--effort", 0)
    succeeds("decompress", multirate, tmp_path / "b.ltc", tmp_path / "b.png")
    assert (tmp_path / "b.ltc").stat().st_size < (tmp_path / "a.ltc").stat().st_size


def test_a_rate_that_there_is_not(multirate, trained, saved, photograph, fails, tmp_path):
    photo, out = photograph(), tmp_path / "a.ltc"
    said = fails("compress", multirate, photo, out, "--lambda", "0.5")
    assert said.startswith("lambda=0.5 is none that this network has rates for: from 0.005 to 0.1")
    said = fails("compress", trained(), photo, out, "--lambda", "0.02")
    assert said.startswith("This network has one rate, that of lambda=0.01")
    said = fails("compress", saved("e8"), tmp_path / "in.npy", out, "--lambda", "0.02")
    assert said.startswith("--lambda is for coders of images with many rates")
    assert not out.exists()


def test_the_search_takes_the_rate_that_was_set(multirate):
    assert at_rate(load_network(multirate), 0.05).about["lambda"] == 0.05
