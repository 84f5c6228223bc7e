"""The lattices' Gaussian conditional: CompressAI's on Z, exact rates, gradients, files that decode to the last bit."""

import copy
import math

import pytest
import torch
from compressai.entropy_models import GaussianConditional
from compressai.models import get_scale_table

from ltc import lattices
from ltc.coding import CorruptStream
from ltc.images import LatticeGaussianConditional
from ltc.images.layout import ALONG

NAMES = ["z", "a2", "dn", "e8", "bw16", "tcq4", "tcq8", "tcq64"]


@pytest.fixture(params=NAMES)
def lattice(request):
    return lattices.get(request.param)


@pytest.fixture
def latents(generator):
    """``latents(shape)``: y, scales, means; scales as a hyperprior's, most of them small."""

    def draw(*shape, wide=1.5):
        scales = torch.exp(torch.empty(shape).uniform_(-3, wide, generator=generator))
        means = torch.randn(shape, generator=generator)
        return means + scales * torch.randn(shape, generator=generator), scales, means

    return draw


def _bits(likelihoods):
    return -float(likelihoods.double().log2().sum())


def test_on_the_integers_it_is_compressais(latents):
    y, scales, means = latents(2, 12, 5, 4)
    ours, theirs = LatticeGaussianConditional(lattices.get("z")).eval(), GaussianConditional(None).eval()
    for mean in (means, None):
        found, expected = ours(y, scales, mean), theirs(y, scales, mean)
        torch.testing.assert_close(found[0], expected[0], atol=0, rtol=0)
        torch.testing.assert_close(found[1], expected[1], atol=2e-6, rtol=1e-4)


@pytest.mark.parametrize("along", ALONG)
@pytest.mark.parametrize("by_scale", [True, False])
def test_decoded_latents_are_those_of_evaluation(lattice, along, by_scale, latents):
    model = LatticeGaussianConditional(lattice, along, by_scale=by_scale).eval()
    y, scales, means = latents(2, 19, 5, 4)
    y[0, 3, 2, 1], y[1, 0, 0, 0] = 9876.5, -321.0
    for mean in (means, None):
        y_hat, likelihoods = model(y, scales, mean)
        indexes = model.build_indexes(scales)
        strings = model.compress(y, indexes, mean)
        assert torch.equal(model.decompress(strings, indexes, means=mean), y_hat)
        assert likelihoods.shape == y.shape and float(likelihoods.min()) > 0 and float(likelihoods.max()) < 1 + 1e-6
    assert float((y_hat - y).abs().max()) < 2


def test_files_are_as_long_as_the_rate(lattice, latents):
    model = LatticeGaussianConditional(lattice, "image").eval()
    y, scales, means = latents(2, 48, 16, 16)
    # What falls far from a narrow cell is a point that the prior did not expect: quantized points follow its law less
    # than the latents do, and this is about the coder.
    scales = scales.clamp(min=0.5)
    _, likelihoods = model(y, scales, means)
    strings = model.compress(y, model.build_indexes(scales), means)
    bits = _bits(likelihoods)
    assert abs(8 * sum(map(len, strings)) - bits) < 0.005 * bits + 256


@pytest.mark.parametrize("along", ALONG)
def test_vectors_are_lattice_points(along, latents):
    model = LatticeGaussianConditional(lattices.get("e8"), along, by_scale=False).eval()
    y, scales, _ = latents(2, 16, 4, 4)
    y_hat, _ = model(y, scales)
    flat = y_hat.flatten(2)
    rows = {"channels": flat.transpose(1, 2), "positions": flat, "image": flat.reshape(2, -1)}[along].reshape(-1, 8)
    lattice = lattices.get("e8")
    assert lattice.trellis.contains(lattice.to_integers(rows)).all()


@pytest.mark.parametrize("name", ["e8", "tcq8"])
@pytest.mark.parametrize("along", ALONG)
def test_order_by_scale_gives_a_lattice_its_gain(name, along, latents):
    # Beside rounding, of the same latents: R + log2(D) / 2, in which quantizers of a Gaussian differ by their gaps.
    y, scales, means = latents(1, 192, 16, 16, wide=2.5)
    cost = {}
    for key, by_scale in (("z", False), (name, False), (name, True)):
        y_hat, likelihoods = LatticeGaussianConditional(lattices.get(key), along, by_scale=by_scale).eval()(
            y, scales, means
        )
        cost[key, by_scale] = _bits(likelihoods) / y.numel() + 0.5 * math.log2((y_hat - y).square().mean())
    assert cost[name, True] < cost["z", False] - 0.015
    assert cost[name, True] < cost[name, False] - 0.03


def test_gradients_flow_to_latents_scales_and_means(lattice, latents):
    model = LatticeGaussianConditional(lattice).train()
    inputs = [t.requires_grad_() for t in latents(2, 19, 4, 4)]
    y_hat, likelihoods = model(*inputs)
    rate_by = torch.autograd.grad(-likelihoods.log2().sum(), inputs, retain_graph=True)
    assert all(torch.isfinite(g).all() and float(g.abs().sum()) > 0 for g in rate_by)
    # A mean moves the lattice along: the rate depends on y - mean alone, and the latents follow y.
    torch.testing.assert_close(rate_by[0], -rate_by[2], atol=1e-4, rtol=1e-4)
    by_y, by_mean = torch.autograd.grad(y_hat.sum(), [inputs[0], inputs[2]])
    torch.testing.assert_close(by_y, torch.ones_like(by_y))
    torch.testing.assert_close(by_mean, torch.zeros_like(by_mean))


def test_rate_changes_with_a_scale_as_its_derivative_says(lattice, latents):
    model = LatticeGaussianConditional(lattice, by_scale=False).double().eval()
    y, scales, means = (t.double() for t in latents(1, 19, 2, 2))
    scales = (scales + 0.3).requires_grad_()

    def rate(s):
        return -model(y, s, means)[1].log2().sum()

    (slope,) = torch.autograd.grad(rate(scales), scales)
    step = torch.zeros_like(scales)
    step[0, 7, 1, 0] = 1e-4
    difference = (rate(scales.detach() + step) - rate(scales.detach() - step)) / 2e-4
    assert float(slope[0, 7, 1, 0]) == pytest.approx(float(difference), rel=1e-4, abs=1e-6)


def test_small_scales_are_raised_to_the_bound(latents):
    model = LatticeGaussianConditional(lattices.get("e8"), scale_bound=0.3).eval()
    y, scales, _ = latents(1, 16, 3, 3)
    below = (scales * 0 + 0.01).requires_grad_()
    torch.testing.assert_close(model(y, below)[1], model(y, scales * 0 + 0.3)[1])
    # Where a larger scale would cost less, the gradient leads there.
    (slope,) = torch.autograd.grad(-model(y, below)[1].log2().sum(), below)
    assert float(slope.min()) < 0 and float(slope.max()) <= 0


@pytest.mark.parametrize("name", ["z", "e8", "leech", "tcq8"])
def test_position_by_position(name, latents):
    model = LatticeGaussianConditional(lattices.get(name)).eval()
    y, scales, means = latents(1, 27, 3, 2)
    y[0, 5, 1, 1] = 4321.0
    indexes = model.build_indexes(scales)
    whole = model.decompress(model.compress(y, indexes, means), indexes, means=means)
    encoder = model.serial_encoder()
    places = [(slice(None), h, w) for h in range(3) for w in range(2)]
    put = [encoder.put(y[0][at], indexes[0][at], means[0][at]) for at in places]
    decoder = model.serial_decoder(encoder.finish())
    for at, y_hat in zip(places, put, strict=True):
        assert torch.equal(decoder.get(indexes[0][at], means[0][at]), y_hat)
        assert torch.equal(y_hat, whole[0][at])


def test_only_positions_are_coded_one_by_one():
    model = LatticeGaussianConditional(lattices.get("e8"), "image")
    with pytest.raises(ValueError, match="along channels"):
        model.serial_encoder()


def test_levels_follow_the_table_and_the_state(latents):
    y, scales, _ = latents(1, 16, 4, 4)
    model = LatticeGaussianConditional(lattices.get("e8"))
    assert model.update_scale_table(get_scale_table(0.2, 64, 20))
    assert not model.update_scale_table(get_scale_table())
    other = LatticeGaussianConditional(lattices.get("e8"))
    other.load_state_dict(model.state_dict())
    indexes = model.build_indexes(scales)
    assert torch.equal(other.build_indexes(scales), indexes)
    assert torch.equal(other.decompress(model.compress(y, indexes), indexes), model.eval()(y, scales)[0])
    # A level is at most half the distance to the next one away.
    levels = torch.from_numpy(model._scales).float()[indexes.long()]
    clipped = scales.clamp(0.2, 64)
    assert float((levels / clipped - 1).abs().max()) < 0.05


def test_a_scalar_checkpoint_fits(latents):
    scalar = GaussianConditional(None)
    for _ in range(2):
        model = LatticeGaussianConditional(lattices.get("e8"))
        model.load_state_dict(scalar.state_dict())
        assert len(model.scale_table) == 64
        scalar.update_scale_table(get_scale_table())
    copy.deepcopy(model)


def test_damaged_files_do_no_harm(lattice, latents, rng):
    model = LatticeGaussianConditional(lattice)
    y, scales, _ = latents(1, 16, 4, 4)
    indexes = model.build_indexes(scales)
    (string,) = model.compress(y, indexes)
    for wrong in (b"", b"abc", string[:4], rng.bytes(64), string[::-1]):
        try:
            assert model.decompress([wrong], indexes).shape == y.shape
        except CorruptStream:
            continue


def test_bad_input_is_named(latents):
    model = LatticeGaussianConditional(lattices.get("e8"))
    y, scales, _ = latents(1, 16, 4, 4)
    indexes = model.build_indexes(scales)
    with pytest.raises(ValueError, match="one shape"):
        model.compress(y, indexes[:, :8])
    with pytest.raises(ValueError, match="no number"):
        model.compress(y * math.nan, indexes)
    with pytest.raises(ValueError, match="no number"):
        model.compress(y + 1e9, indexes)
    with pytest.raises(ValueError, match="string for each image"):
        model.decompress([], indexes)
    with pytest.raises(ValueError, match="Indexes"):
        model.decompress(model.compress(y, indexes), indexes + 1000)
    with pytest.raises(ValueError, match="not along 'rows'"):
        LatticeGaussianConditional(lattices.get("e8"), "rows")


@pytest.mark.parametrize("mode", ["noise", "dequantize", "symbols"])
def test_quantize_as_compressais(mode, latents):
    y, _, means = latents(2, 7, 3, 3)
    ours, theirs = LatticeGaussianConditional(lattices.get("z")), GaussianConditional(None)
    expected = theirs.quantize(y, "symbols" if mode == "symbols" else "dequantize", means)
    assert torch.equal(ours.quantize(y, mode, means), expected)
    with pytest.raises(ValueError, match="mode"):
        ours.quantize(y, "round")


@pytest.mark.parametrize("name", ["z", "e8"])
def test_what_is_next_to_impossible_has_a_bound_in_a_file(name, rng):
    """Where latents are the model's own a file is as long as its rate, where they are far away it is shorter."""
    model = LatticeGaussianConditional(lattices.get(name)).eval()
    model.use_likelihood_bound = False
    indexes = model.build_indexes(torch.full((1, 64, 24, 24), rng.uniform(0.2, 0.8)))
    scales = torch.from_numpy(model._scales)[indexes.long()]
    y, far = torch.randn_like(scales), torch.rand_like(scales) < 0.1
    outliers = torch.where(far, y.sign() * torch.empty_like(y).uniform_(10, 30), y)
    for latents, low, high in ((y * scales, 0.995, 1.005), (outliers * scales, 0.0, 0.9)):
        rate = float(-model(latents, scales)[1].log2().sum())
        coded = 8 * len(model.compress(latents, indexes)[0])
        assert low * rate - 64 <= coded <= high * rate + 64
    # A residue takes 24 bits at most, an escape 20 and those of an integer and its length.
    assert coded < 8 * int(far.sum()) * (24 + 20 + 6 + 12)
