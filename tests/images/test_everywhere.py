"""The law of files: whatever encoded them, threads, batches and other last digits decode to the same picture."""

import io
import json
import subprocess
import sys
import zlib

import pytest
import torch
from hydra.utils import instantiate

from ltc.codec.image_checkpoint import load_network
from ltc.codec.images import compress_image
from ltc.images import exact
from ltc.images.exact import ChosenGrids, KnownGrids
from ltc.images.networks.notes import Notes
from ltc.images.networks.raster_scan import RasterContext
from ltc.images.padding import pad_to_multiple
from ltc.pixels import read_image, to_image, to_pixels

# In another process: pictures of the files of a folder, four at a time from the last one on, and alone.
_ELSEWHERE = """
import json, sys, zlib
from pathlib import Path
import torch
from ltc.codec.image_checkpoint import load_network
from ltc.codec.images import decompress_image
from ltc.codec.image_container import read_image_file
from ltc.images.padding import padded_size
from ltc.pixels import to_pixels

torch.set_num_threads(int(sys.argv[1]))
torch.set_grad_enabled(False)
checkpoints, found = {}, {}
for folder in sys.argv[2:]:
    checkpoint = load_network(json.loads((Path(folder) / "coder.json").read_text()))
    network, groups = checkpoint.network, {}
    for path in sorted(Path(folder).glob("*.ltc"), reverse=True):
        with path.open("rb") as file:
            header, strings = read_image_file(file)
        groups.setdefault((header.height, header.width), []).append((path, strings))
    for (height, width), files in groups.items():
        shape = network.code_shape(*padded_size(height, width, network.factor))
        for four in (files[at : at + 4] for at in range(0, len(files), 4)):
            images = network.decompress([list(column) for column in zip(*(strings for _, strings in four))], shape)
            for (path, _), image in zip(four, to_pixels(images["x_hat"][..., :height, :width])):
                found[str(path)] = [zlib.crc32(image.contiguous().numpy().tobytes())]
        with files[0][0].open("rb") as file:
            pixels, same = decompress_image(checkpoint, file)
        found[str(files[0][0])].append(zlib.crc32(pixels.numpy().tobytes()) if same else "another picture")
print(json.dumps(found))
"""


@pytest.fixture
def threads():
    """``threads(count)`` sets torch's; they are put back after the test."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


@pytest.fixture
def random_network(small_config):
    """``random_network(network, lattice)``: of random weights, with latents and scales of some size."""

    def make(name, lattice):
        net = instantiate(small_config(name, lattice)).eval()
        with torch.no_grad():
            for key, parameter in net.named_parameters():
                if not key.endswith("quantiles"):
                    parameter += 0.03 * torch.randn_like(parameter)
            last = [m for m in net.g_a.modules() if isinstance(m, torch.nn.Conv2d | torch.nn.Linear)][-1]
            last.weight *= 3 / float(net.g_a(torch.rand(1, 3, 64, 64)).std())
        net.update(force=True)
        return net

    return make


def smooth(count, size=64):
    """Images that are smooth as photographs are."""
    coarse = torch.rand(count, 3, 8, 8)
    fine = torch.nn.functional.interpolate(coarse, (size, size), mode="bicubic").clamp(0, 1)
    return (fine + 0.02 * torch.randn(count, 3, size, size)).clamp(0, 1)


def test_strings_do_not_depend_on_who_decodes_them(random_network, threads, monkeypatch, some_pair):
    check_strings(random_network(*some_pair), threads, monkeypatch)


@pytest.mark.slow
def test_no_strings_depend_on_who_decodes_them(random_network, threads, monkeypatch, every_network, every_lattice):
    check_strings(random_network(every_network, every_lattice), threads, monkeypatch)


def check_strings(net, threads, monkeypatch):
    """Strings of a batch of four, decoded in another order, and alone on a machine with other last digits."""
    x = smooth(4)
    threads(1)
    with torch.no_grad():
        own = net(x)["x_hat"].clamp(0, 1)
    coded = net.compress(x)
    strings, shape = coded["strings"], coded["shape"]
    threads(2)
    back = net.decompress([column[::-1] for column in strings], shape)
    assert torch.equal(back["x_hat"].flip(0), own) and torch.equal(back["y_hat"].flip(0), coded["y_hat"])
    monkeypatch.setattr(exact.Exact, "__call__", perturbed(exact.Exact.__call__))
    monkeypatch.setattr(RasterContext, "gaussians", perturbed(RasterContext.gaussians))
    for b in range(4):
        alone = net.decompress([[column[b]] for column in strings], shape)
        assert torch.equal(alone["x_hat"][0], own[b]) and torch.equal(alone["y_hat"][0], coded["y_hat"][b])


def perturbed(call):
    """Networks whose last digits are others, a hundred times as much as sums in another order make them."""

    def compute(*arguments):
        found = call(*arguments)
        return found + 1e-13 * (1 + found.abs()) * torch.randn_like(found)

    return compute


def test_encoders_keep_away_from_edges(generator):
    """Of numbers of any size, some of them on edges of the first grids."""
    for _ in range(20):
        values = torch.randn(100, dtype=torch.float64, generator=generator)
        values *= 10 ** float(4 * torch.rand(1, generator=generator))
        on_edges = torch.randperm(100, generator=generator)[:3]
        values[on_edges] = (torch.round(values[on_edges] * 2**10) + 0.5 + torch.arange(3) / 16) / 2**10
        chosen = ChosenGrids()
        expected = [chosen.round(part) for part in (values, -values, values[:50])]
        assert set(chosen.others) <= {0, 1, 2} and chosen.others[0] > 0
        others = Notes.of_bytes(Notes(1, chosen.others).to_bytes()).grids
        for _ in range(10):
            known = KnownGrids(others)
            nudge = 1 + 1e-11 * (2 * torch.rand(100, dtype=torch.float64, generator=generator) - 1)
            found = [known.round(part) for part in (values * nudge, -values * nudge, (values * nudge)[:50])]
            assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))


def test_most_numbers_lie_on_the_finest_grid(generator):
    values, chosen = torch.randn(10000, dtype=torch.float64, generator=generator), ChosenGrids()
    assert float((chosen.round(values) - values).abs().max()) <= 2.0**-11 and not chosen.others


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e40])
def test_what_no_grid_holds_is_refused(value):
    with pytest.raises(ValueError, match="cannot be coded"):
        ChosenGrids().round(torch.tensor([1.0, value], dtype=torch.float64))


def test_threads_are_put_back(threads):
    threads(2)
    with pytest.raises(RuntimeError), exact.using_threads(1):
        assert torch.get_num_threads() == 1
        raise RuntimeError
    assert torch.get_num_threads() == 2


def write_files(checkpoint, images, folder):
    """A file for each of the images, made with one thread, and CRC-32 of the network's own reconstructions."""
    net, own = checkpoint.network, {}
    (folder / "coder.json").write_text(json.dumps(str(checkpoint.about["path"])))
    for name, pixels in images.items():
        with torch.no_grad():
            x_hat = net(pad_to_multiple(to_image(pixels)[None], net.factor))["x_hat"]
        crop = to_pixels(x_hat[0, :, : pixels.shape[1], : pixels.shape[2]])
        own[str(folder / f"{name}.ltc")] = zlib.crc32(crop.contiguous().numpy().tobytes())
        file = io.BytesIO()
        compress_image(checkpoint, pixels, file)
        (folder / f"{name}.ltc").write_bytes(file.getvalue())
    return own


def check_elsewhere(jobs, tmp_path):
    """Files of (networks, images) decode in another process with two threads, in batches, to their reconstructions."""
    expected, folders = {}, []
    for path, images in jobs:
        checkpoint = load_network(path)
        checkpoint.about["path"] = path
        folder = tmp_path / f"{len(folders)}"
        folder.mkdir()
        folders.append(str(folder))
        expected |= write_files(checkpoint, images, folder)
    command = [sys.executable, "-W", "ignore", "-c", _ELSEWHERE, "2", *folders]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert set(found) == set(expected)
    wrong = [name for name, sums in found.items() if set(sums) != {expected[name]}]
    assert wrong == []


def kodak(data_dir, count, size=None):
    files = sorted((data_dir / "kodak").glob("*.png"))[:count]
    return {path.stem: read_image(path)[:, :size, :size].contiguous() for path in files}


@pytest.mark.slow
def test_photographs_decode_elsewhere(trained_checkpoint, threads, data_dir, tmp_path):
    """Four of Kodak, by networks that were trained for some steps; parts of them, where position follows position."""
    whole, parts = kodak(data_dir, 4), kodak(data_dir, 4, 64)
    networks = {
        ("context_checkerboard", "learned"): whole,
        ("context_channels", "e8"): whole,
        ("bmshj2018_hyperprior", "tcq8"): whole,
        ("mbt2018", "z"): parts,
    }
    jobs = [(trained_checkpoint(*pair), images) for pair, images in networks.items()]
    threads(1)
    check_elsewhere(jobs, tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_all_of_kodak_decodes_elsewhere(trained_checkpoint, threads, data_dir, tmp_path, every_network, every_lattice):
    """All images, every network of ``conf/network``, every kind of lattice."""
    path = trained_checkpoint(every_network, every_lattice)
    threads(1)
    check_elsewhere([(path, kodak(data_dir, 24))], tmp_path)
