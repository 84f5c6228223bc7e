"""Laws of coders as codecs: what they decompress is what they evaluate to, and costs what they say it does."""

import contextlib
import functools
import math

import pytest
import torch
from compressai.entropy_models import EntropyBottleneck

from ltc import lattices
from ltc.coding import CorruptStream
from ltc.entropy import GaussianMixture, MixturePrior, MonteCarloPrior, exact_prior
from ltc.entropy.densities import FactorizedDensity
from ltc.models import Coder, DitheredBottleneck, LatticeBottleneck, RDSearch, ScalarBottleneck
from ltc.transforms import MLP, Gain, Linear

FAMILY = functools.partial(GaussianMixture, components=2, scale=1.0)
TRANSFORMS = {"gain": Gain, "linear": Linear, "mlp": MLP}


def bottleneck_of(key):
    """``lattice``, ``dithered-lattice``, ``mixture-lattice``, or ``scalar``."""
    if key == "scalar":
        entropy = EntropyBottleneck(6, init_scale=2)
        with torch.no_grad():
            # Medians between the integers; and a table that holds the whole density, as that of a trained model.
            entropy.quantiles.copy_(torch.randn(6, 1, 1) + torch.tensor([-80.0, 0.0, 80.0]))
        return ScalarBottleneck(lattices.get("z"), entropy), 6
    kind, _, name = key.rpartition("-")
    lattice = lattices.get(name, 16 if name.startswith("tcq") else None)
    if kind == "mixture":
        prior = functools.partial(exact_prior, family=FAMILY)
        return LatticeBottleneck(MixturePrior(lattice, lattice.dim, 2, prior)), lattice.dim
    cls = DitheredBottleneck if kind == "dithered" else LatticeBottleneck
    return cls(exact_prior(lattice, lattice.dim, FAMILY)), lattice.dim


@torch.no_grad()
def make_coder(key, transform="gain"):
    """A coder with random parameters; ``search-…`` has a rate-distortion optimal search."""
    bottleneck, dim = bottleneck_of(key.removeprefix("search-"))
    cls = TRANSFORMS[transform]
    coder = Coder(cls(dim, dim), bottleneck, cls(dim, dim))
    if transform == "linear":
        rotation = torch.linalg.qr(torch.randn(dim, dim)).Q
        coder.analysis.layers[0].weight.copy_(rotation)
        coder.synthesis.layers[0].weight.copy_(rotation.T)
    coder.gain.fill_(1.3)
    if key.startswith("search-"):
        coder.search = RDSearch(price=40.0)
        coder.search.mu.fill_(0.35)
        coder.search.stretch.fill_(1.05)
    return coder.eval()


UNDITHERED = ["e8", "bw16", "an", "tcq8", "mixture-e8", "scalar", "search-e8", "search-tcq8", "search-mixture-e8"]
DITHERED = ["dithered-e8", "dithered-dn"]


@pytest.fixture(params=UNDITHERED)
def undithered(request):
    return request.param


@pytest.fixture(params=UNDITHERED + DITHERED)
def key(request):
    return request.param


def blocks(coder, count, scale=1.0):
    return scale * torch.randn(count, coder.bottleneck.point_model().dim)


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_what_is_decompressed_is_the_evaluations_reconstruction(undithered, transform):
    coder = make_coder(undithered, transform)
    coder.update()
    x = blocks(coder, 200)
    stream = coder.compress(x)
    found = coder.decompress(stream, 200)
    assert isinstance(stream, bytes) and found.dtype == x.dtype and not found.requires_grad
    with torch.no_grad():
        torch.testing.assert_close(found, coder(x).reconstruction, rtol=1e-5, atol=1e-5)
    assert coder.compress(x) == stream
    # No dither: the seed changes nothing.
    assert coder.compress(x, seed=7) == stream


@torch.no_grad()
def test_a_search_makes_other_streams():
    """Or the tests with a search would be those without."""
    coder = make_coder("search-e8")
    coder.update()
    x = blocks(coder, 500)
    searched = coder.compress(x)
    search, coder.search = coder.search, None
    nearest = coder.compress(x)
    assert len(searched) < 0.95 * len(nearest)
    coder.search = search
    assert torch.equal(coder.decode(coder.encode(x)), coder(x).reconstruction)


@pytest.mark.parametrize("key", DITHERED)
@pytest.mark.parametrize("transform", ["gain", "linear"])
def test_the_error_of_a_dithered_coder_is_the_cells(key, transform, seed):
    """Uniform over the Voronoi cell, whatever the input is; in what an isometry decodes, too."""
    coder = make_coder(key, transform)
    coder.update()
    x = blocks(coder, 20_000)
    x[10_000:] = x[0]
    error = coder.gain * (coder.decompress(coder.compress(x, seed), len(x), seed) - x)
    for part in error.split(10_000):
        moment = part.square().mean(1)
        room = 5 * float(moment.std()) / math.sqrt(len(part)) + 1e-4
        assert abs(float(moment.mean()) - coder.bottleneck.lattice.nsm) < room
        assert float(part.mean(0).abs().max()) < 6 * float(part.std()) / math.sqrt(len(part)) + 0.01
    # Uncorrelated with the input.
    correlation = (error[:10_000] * x[:10_000]).mean() / (error[:10_000].std() * x[:10_000].std())
    assert abs(float(correlation)) < 5 / math.sqrt(x[:10_000].numel())


@pytest.mark.parametrize("key", DITHERED)
def test_another_seed_is_another_dither(key):
    coder = make_coder(key)
    coder.update()
    x = blocks(coder, 300)
    stream = coder.compress(x, 5)
    assert stream == coder.compress(x, 5) != coder.compress(x, 6)
    good = (coder.decompress(stream, 300, 5) - x).square().mean()
    with contextlib.suppress(CorruptStream):
        assert (coder.decompress(stream, 300, 6) - x).square().mean() > 3 * good


def test_numbers_that_are_none_are_refused(key):
    coder = make_coder(key)
    coder.update()
    for bad in (math.nan, math.inf, -math.inf):
        x = blocks(coder, 9)
        x[4, -1] = bad
        with pytest.raises(ValueError, match="NaN or infinite"):
            coder.compress(x)


def test_a_codec_is_in_evaluation_mode_and_has_tables(key):
    coder = make_coder(key)
    x = blocks(coder, 9)

    def assert_refuses():
        for call in (lambda: coder.compress(x), lambda: coder.decompress(b"", 0)):
            with pytest.raises(RuntimeError, match="evaluation mode, after update"):
                call()

    assert_refuses()
    assert coder.update() is coder.tables
    stream = coder.compress(x)
    # Modules put their children into a mode through train(), too.
    torch.nn.Sequential(coder).train()
    assert coder.tables is None
    assert_refuses()
    coder.update()
    assert_refuses()
    coder.eval()
    assert coder.compress(x) == stream
    coder.train(False)
    assert coder.tables is not None


def test_models_without_a_bitstream_cannot_be_updated():
    lattice = lattices.get("e8")
    coder = Coder(Gain(8, 8), LatticeBottleneck(MonteCarloPrior(lattice, 8, FactorizedDensity)), Gain(8, 8))
    with pytest.raises(ValueError, match="no bitstream"):
        coder.eval().update()


@pytest.mark.parametrize("far", [300.0, 7.6e3, 1.1e4, 1e6, 1e7, 1e9, 1e12])
@torch.no_grad()
def test_far_outliers_survive(key, far):
    """They are coded to the last bit of a float32, and leave the other blocks alone."""
    coder = make_coder(key)
    coder.update()
    x = blocks(coder, 12)
    expected = coder.decompress(coder.compress(x), 12)
    spoilt = x.clone()
    spoilt[3, 0], spoilt[5, -1], spoilt[5, 0], spoilt[7] = far, -far, 0.9 * far, far / 3
    found = coder.decompress(coder.compress(spoilt), 12)
    error = (found - spoilt).abs().amax(1)
    if coder.search is not None:
        # A search moves points that it believes to be dear: in a file no further than in the evaluation.
        near = coder.latents(spoilt).abs().amax(1) < 1e4
        error[near] -= (coder(spoilt[near]).reconstruction - spoilt[near]).abs().amax(1)
    assert bool((error <= 1.5 + 4e-7 * far).all())
    others = [i for i in range(12) if i not in (3, 5, 7)]
    torch.testing.assert_close(found[others], expected[others])


@pytest.mark.parametrize("key", ["search-e8", "search-leech", "search-tcq8"])
@torch.no_grad()
def test_a_search_takes_latents_of_any_size(key):
    """Just inside the latents that are searched, and a decoder that shrinks its points by a third."""
    coder = make_coder(key)
    coder.update()
    coder.search.stretch.fill_(1.5)
    x = blocks(coder, 6)
    x[2, 3] = 9.9e3 / 1.3
    assert 9e3 < float(coder.latents(x).abs().max()) < 1e4
    found = coder.decompress(coder.compress(x), 6)
    assert float((found - x).abs().max()) < 3


def test_what_is_too_far_is_refused(key):
    """Not NaN, not something else: an error that says so."""
    coder = make_coder(key)
    coder.update()
    for far in (1e18, 1e25, torch.finfo(torch.float32).max):
        x = blocks(coder, 4)
        x[2, 1] = far
        with pytest.raises(ValueError, match=r"so large|too large"):
            coder.compress(x)


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_split_batches_are_the_same_blocks(undithered, transform):
    coder = make_coder(undithered, transform)
    coder.update()
    x = blocks(coder, 300)
    whole = coder.decompress(coder.compress(x), 300)
    parts = [coder.decompress(coder.compress(part), len(part)) for part in x.split([1, 2, 97, 200])]
    apart = (torch.cat(parts) - whole).abs().amax(1) > 1e-4
    # Matrix products of other shapes round otherwise: a latent on the border of two cells may change sides.
    assert int(apart.sum()) <= (0 if transform == "gain" else 1)


@torch.no_grad()
def test_bytes_are_what_the_evaluation_counts(undithered):
    coder = make_coder(undithered)
    coder.update()
    x = blocks(coder, 4000)
    bits = float(coder(x).bits.double().sum())
    assert abs(8 * len(coder.compress(x)) - bits) <= 0.005 * bits + 8 * 16


@pytest.mark.parametrize("key", DITHERED)
@torch.no_grad()
def test_bytes_of_a_dithered_coder_are_what_the_evaluation_counts(key, seed):
    """With another dither, so as a mean."""
    coder = make_coder(key)
    coder.update()
    x = blocks(coder, 4000)
    bits = coder(x).bits.double()
    error = 5 * float(bits.std()) * math.sqrt(2 * len(x))
    assert error < 0.05 * float(bits.sum())
    assert abs(8 * len(coder.compress(x, seed)) - float(bits.sum())) <= error + 8 * 16


def test_no_blocks_are_no_bytes(key):
    coder = make_coder(key)
    dim = coder.update().dim
    assert coder.compress(torch.zeros(0, dim)) == b""
    assert coder.decompress(b"", 0).shape == (0, dim)


def test_weights_that_travelled_give_the_same_bytes(key):
    """A coder with the parameters and the weights of another writes and reads its streams."""
    coder, other = make_coder(key), make_coder(key)
    other.load_state_dict(coder.state_dict())
    coder.update()
    other.update({name: w.copy() for name, w in coder.tables.weights.items()})
    x = blocks(coder, 50)
    assert other.compress(x, 3) == coder.compress(x, 3)
    assert torch.equal(other.decompress(coder.compress(x, 3), 50, 3), coder.decompress(coder.compress(x, 3), 50, 3))
