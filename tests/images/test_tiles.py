"""Laws of tiles: they cover a picture once, transforms know no seams, and files decode to what was seen."""

import io

import pytest
import torch
from hydra.utils import instantiate
from hypothesis import given
from hypothesis import strategies as st

from ltc.codec.image_checkpoint import ImageCheckpoint
from ltc.codec.image_container import read_image_file
from ltc.codec.images import compress_image, decompress_image
from ltc.coding import CorruptStream
from ltc.images.padding import pad_to_multiple
from ltc.images.tiles import Box, Synthesis, Tiling, analyze
from ltc.pixels import to_image, to_pixels

# Networks whose transforms are convolutions that see less than the margin.
LOCAL = ["bmshj2018_factorized", "bmshj2018_hyperprior", "context_channels", "mbt2018_mean", "multirate"]


def smooth(height, width):
    """Pixels of a picture with edges and smooth parts, fresh ones."""
    coarse = torch.rand(1, 3, 2 + height // 40, 2 + width // 40)
    return to_pixels(torch.nn.functional.interpolate(coarse, (height, width), mode="bicubic").clamp(0, 1))[0]


@pytest.fixture
def made(small_config):
    """``made(network, lattice)``: a network with random weights, ready for files."""

    def make(name, lattice="z"):
        network = instantiate(small_config(name, lattice)).eval()
        with torch.no_grad():
            for key, parameter in network.named_parameters():
                if not key.endswith("quantiles"):
                    parameter += 0.02 * torch.randn_like(parameter)
        network.update(force=True)
        return network

    return make


@given(st.integers(1, 700), st.integers(1, 700), st.sampled_from([0, 128, 192, 512]))
def test_tiles_cover_a_picture_once(height, width, side):
    tiling = Tiling(height, width, 64, side)
    seen = torch.zeros(tiling.whole[2:], dtype=torch.int)
    for tile in tiling.tiles:
        rows, columns = tile.inside(tiling.whole)
        seen[rows, columns] += 1
        around = tiling.around(tile)
        assert all(edge % 64 == 0 for edge in (*tile, *around))
        assert around.top <= tile.top < tile.bottom <= around.bottom <= tiling.whole.bottom
        assert tile.top < height and tile.left < width
    assert bool((seen == 1).all())


@pytest.mark.parametrize(("side", "words"), [(100, "multiples of 64 pixels"), (64, "as large as the margin")])
def test_no_such_tiles(side, words):
    with pytest.raises(ValueError, match=words):
        Tiling(500, 500, 64, side)


@pytest.mark.parametrize("name", LOCAL)
@torch.no_grad()
def test_transforms_see_no_seams(name, made):
    """Latents of tiles are those of the whole, and so are the pixels that the whole's latents make tile by tile."""
    network, pixels = made(name), smooth(300, 470)
    tiling = Tiling(300, 470, network.factor, 128)
    whole = network.g_a(pad_to_multiple(to_image(pixels)[None], network.factor))
    step, parts = tiling.whole.bottom // whole.shape[2], []
    for tile in tiling.tiles:
        rows, columns = tile.inside(tiling.whole, step)
        parts.append(whole[:, :, rows, columns])
        torch.testing.assert_close(analyze(network, pixels, tiling, tile), parts[-1], rtol=1e-4, atol=1e-4)
    expected = to_pixels(network.synthesize(whole))[0].int()
    synthesis = Synthesis(network, tiling)
    for part in parts:
        synthesis.put(part, None)
    assert int((synthesis.pixels.int() - expected[:, :300, :470]).abs().max()) <= 1


@torch.no_grad()
def test_every_network_decodes_its_tiles(some_pair, made):
    """In another number of threads, to the pixels that the encoder has seen."""
    network = made(*some_pair)
    checkpoint = ImageCheckpoint(network, {}, b"tilesnet")
    pixels, file, told = smooth(150, 300), io.BytesIO(), []
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        seen = compress_image(checkpoint, pixels, file, side=128, progress=told.append)
        torch.set_num_threads(1)
        file.seek(0)
        decoded, same = decompress_image(checkpoint, file)
    finally:
        torch.set_num_threads(before)
    assert same and torch.equal(decoded, seen) and decoded.shape == pixels.shape
    assert sum(told) == 6
    file.seek(0)
    header, strings = read_image_file(file)
    assert (header.side, header.margin) == (128, 128) and len(strings) % 6 == 0


@torch.no_grad()
def test_one_tile_is_the_whole(made):
    network = made("bmshj2018_factorized")
    checkpoint, pixels = ImageCheckpoint(network, {}, b"tilesnet"), smooth(100, 90)
    files = [io.BytesIO(), io.BytesIO()]
    seen = [compress_image(checkpoint, pixels, file, side=side) for file, side in zip(files, (0, 128), strict=True)]
    assert torch.equal(*seen)
    strings = []
    for file in files:
        file.seek(0)
        strings.append(read_image_file(file)[1])
    assert strings[0] == strings[1]


@torch.no_grad()
def test_latents_of_a_search_are_those_of_a_whole(made):
    network = made("bmshj2018_factorized")
    checkpoint = ImageCheckpoint(network, {}, b"tilesnet")
    with pytest.raises(ValueError, match="whole images"):
        compress_image(checkpoint, smooth(100, 90), io.BytesIO(), (torch.zeros(1), None), side=128)


@torch.no_grad()
def test_a_file_with_another_number_of_tiles_is_refused(made):
    """A header that was written anew, so that its checksums are right."""
    from ltc.codec.image_container import write_image_file

    network = made("bmshj2018_factorized")
    checkpoint, file = ImageCheckpoint(network, {}, b"tilesnet"), io.BytesIO()
    compress_image(checkpoint, smooth(150, 300), file, side=128)
    file.seek(0)
    header, strings = read_image_file(file)
    other = io.BytesIO()
    write_image_file(other, header, strings[:-1])
    other.seek(0)
    with pytest.raises(CorruptStream, match="tiles"):
        decompress_image(checkpoint, other)


def test_boxes_lie_in_each_other():
    assert Box(64, 128, 192, 256).inside(Box(0, 64, 256, 320), 16) == (slice(4, 12), slice(4, 12))
