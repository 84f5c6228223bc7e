"""Laws of networks: whatever the network and its bottleneck, a file is decoded to the network's own reconstruction."""

import copy
import functools
import io
import math

import pytest
import torch

from ltc import lattices
from ltc.codec.image_checkpoint import ImageCheckpoint
from ltc.codec.images import compress_image, decompress_image
from ltc.images.networks import (
    LICTCM,
    Cheng2020Attention,
    ContextNetwork,
    FactorizedPrior,
    JointAutoregressive,
    MeanScaleHyperprior,
    ScaleHyperprior,
    SwinTChARM,
    assemble,
    channel_context,
    checkerboard_context,
    factorized_context,
    hyperprior_context,
    raster_context,
    scalar,
    swint_transforms,
    tcm_transforms,
)
from ltc.images.padding import pad_to_multiple
from ltc.images.quality import bits
from ltc.images.start import start_from
from ltc.images.swap import use_lattice
from ltc.pixels import read_image, to_image, to_pixels
from ltc.training.image_module import ImageModule

NETWORKS = {
    "factorized": functools.partial(FactorizedPrior, 8, 16),
    "hyperprior": functools.partial(ScaleHyperprior, 8, 16),
    "mean": functools.partial(MeanScaleHyperprior, 8, 16),
    "serial": functools.partial(JointAutoregressive, 8, 16),
    "attention": functools.partial(Cheng2020Attention, 16),
    "context_factorized": functools.partial(ContextNetwork, 8, 16, factorized_context),
    "context_hyperprior": functools.partial(ContextNetwork, 8, 16, hyperprior_context),
    "context_checkerboard": functools.partial(ContextNetwork, 8, 16, checkerboard_context),
    "context_channels": functools.partial(ContextNetwork, 8, 16, functools.partial(channel_context, groups=2)),
    "context_raster": functools.partial(ContextNetwork, 8, 16, raster_context),
    "tcm_factorized": functools.partial(
        ContextNetwork, 16, 16, factorized_context, functools.partial(tcm_transforms, depth=1, heads=(8, 8, 8))
    ),
    "swint_charm": functools.partial(SwinTChARM, (16, 16, 16, 16), (2, 1, 1, 1), (16, 16), (1, 1), 8, slices=2),
    "lic_tcm": functools.partial(LICTCM, 16, 16, 16, 2, (8, 8, 16), slices=2),
}
BOTTLENECKS = {
    "scalar": scalar,
    "e8": functools.partial(use_lattice, lattice=lattices.get("e8")),
    "tcq8": functools.partial(use_lattice, lattice=lattices.get("tcq8", 16)),
}


# The layers that make scales, in front of the means where they make those, too.
SCALES = {
    "hyperprior": lambda net: [net.h_s[-2]],
    "mean": lambda net: [net.h_s[-1]],
    "serial": lambda net: [net.entropy_parameters[-1]],
    "attention": lambda net: [net.entropy_parameters[-1]],
    "context_hyperprior": lambda net: [net.latent_codec.hyper.h_s[-1]],
    "context_checkerboard": lambda net: [net.latent_codec.y.entropy_parameters[-1]],
    "context_channels": lambda net: [
        codec.entropy_parameters[-1] for codec in net.latent_codec.y.latent_codec.values()
    ],
    "context_raster": lambda net: [net.latent_codec.y.entropy_parameters[-1]],
    "swint_charm": lambda net: [layers[-1] for layers in net.latent_codec.slices.scales],
    "lic_tcm": lambda net: [layers[-1] for layers in net.latent_codec.slices.scales],
}


class Gain(torch.nn.Module):
    """Gives latents the standard deviation that it is made with."""

    def __init__(self, latents, deviation):
        super().__init__()
        self.gain = float(deviation / latents.std())

    def forward(self, latents):
        return self.gain * latents


@pytest.fixture
def network():
    """``network(name, bottleneck)``: with random weights, priors that fit the latents more or less, and tables."""

    def make(name, bottleneck="scalar"):
        net = assemble(NETWORKS[name](), BOTTLENECKS[bottleneck]).eval()
        deviation = float(torch.empty(1).uniform_(0.5, 5))
        with torch.no_grad():
            for key, parameter in net.named_parameters():
                if not key.endswith("quantiles"):
                    parameter += 0.02 * torch.randn_like(parameter)
            for layer in SCALES.get(name, lambda net: [])(net):
                outputs = len(layer.bias) if name in ("hyperprior", "swint_charm", "lic_tcm") else len(layer.bias) // 2
                layer.bias[:outputs] = deviation
            net.g_a.append(Gain(net.g_a(torch.rand(1, 3, 64, 64)), deviation))
        net.update(force=True)
        return net

    return make


@pytest.fixture
def photograph():
    """``photograph(height, width)``: pixels that are smooth as photographs are, uint8 [3, height, width]."""

    def make(height, width):
        coarse = torch.rand(1, 3, height // 16 + 2, width // 16 + 2)
        smooth = torch.nn.functional.interpolate(coarse, (height, width), mode="bicubic")[0]
        return to_pixels(smooth + 0.02 * torch.randn(3, height, width))

    return make


def round_trip(net, pixels):
    """The decoded pixels of a file, its length in bytes, the network's own reconstruction and its bits."""
    checkpoint = ImageCheckpoint(net, {}, b"12345678")
    file = io.BytesIO()
    compress_image(checkpoint, pixels, file)
    length = file.tell()
    file.seek(0)
    decoded, same = decompress_image(checkpoint, file)
    assert same
    with torch.no_grad():
        out = net(pad_to_multiple(to_image(pixels)[None], net.factor))
    own = to_pixels(out["x_hat"][0, :, : pixels.shape[1], : pixels.shape[2]])
    return decoded, length, own, float(bits(out["likelihoods"]))


@pytest.mark.parametrize("bottleneck", list(BOTTLENECKS))
@pytest.mark.parametrize("name", list(NETWORKS))
def test_a_file_is_decoded_to_the_networks_own_reconstruction(network, photograph, name, bottleneck):
    net, pixels = network(name, bottleneck), photograph(61, 100)
    decoded, length, own, estimated = round_trip(net, pixels)
    assert decoded.shape == pixels.shape and torch.equal(decoded, own)
    if bottleneck != "scalar":
        assert abs(8 * length - estimated) <= 0.005 * estimated + 8 * 128
    with torch.no_grad():
        padded = pad_to_multiple(to_image(pixels)[None], net.factor)
        coded = net.compress(padded)
        shape = net.code_shape(*padded.shape[2:])
        assert torch.equal(net.decompress(coded["strings"], shape)["x_hat"], net(padded)["x_hat"].clamp(0, 1))


@pytest.mark.parametrize("bottleneck", ["scalar", "e8"])
@pytest.mark.parametrize("name", list(NETWORKS))
def test_every_parameter_learns(network, name, bottleneck):
    module = ImageModule(network(name, bottleneck).train(), lmbda=0.01)
    batch = torch.rand(2, 3, 64, 128)
    rate, distortion = (figure.mean() for figure in module._rates_and_distortions(batch))
    (rate + 0.01 * distortion + module._auxiliary_loss()).backward()
    still = [key for key, p in module.network.named_parameters() if p.grad is None or not bool(p.grad.isfinite().all())]
    assert still == []


def test_the_auxiliary_loss_touches_the_quantiles_alone(network):
    """And the loss does not touch them: one optimizer with two groups is two optimizers."""
    module = ImageModule(network("mean").train(), lmbda=0.01)
    quantiles = {key for key, _ in module.network.named_parameters() if key.endswith("quantiles")}
    module._auxiliary_loss().backward()
    assert {k for k, p in module.network.named_parameters() if p.grad is not None and bool(p.grad.any())} == quantiles
    module.zero_grad()
    rate, distortion = (figure.mean() for figure in module._rates_and_distortions(torch.rand(1, 3, 64, 64)))
    (rate + distortion).backward()
    assert all(p.grad is None or not p.grad.any() for k, p in module.network.named_parameters() if k in quantiles)
    (others, auxiliary) = module.configure_optimizers().param_groups
    assert len(auxiliary["params"]) == len(quantiles) and auxiliary["lr"] == 1e-3
    assert len(others["params"]) == len(list(module.network.parameters())) - len(quantiles)


def test_lambda_is_the_fields(network):
    """rate + lambda * 255^2 * MSE of pixels in [0, 1], as CompressAI trains."""
    from compressai.losses import RateDistortionLoss

    net, x = network("mean").eval(), torch.rand(2, 3, 64, 64)
    lmbda = 10 ** float(torch.empty(1).uniform_(-3, 0))
    expected = RateDistortionLoss(lmbda=lmbda)(net(x), x)
    rate, distortion = (figure.mean() for figure in ImageModule(net, lmbda=lmbda)._rates_and_distortions(x))
    # Sums of thousands of float32 in another order.
    torch.testing.assert_close(rate, expected["bpp_loss"], rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(rate + lmbda * distortion, expected["loss"], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["serial", "context_raster", "context_checkerboard"])
def test_training_sees_only_the_past(network, name):
    """Latents that come later do not change the likelihoods of those before, in the training's parallel pass."""
    net = network(name).train()
    # Only quantization noise is random.
    y = 3 * torch.randn(1, 16, 4, 4)
    later = y.clone()
    later[..., 3, 3] += 5
    found = []
    for latents in (y, later):
        torch.manual_seed(0)
        if name == "serial":
            y_hat = net.gaussian_conditional.quantize(latents, "noise")
            side = torch.zeros(1, 32, 4, 4)
            scales, means = net.entropy_parameters(torch.cat([side, net.context_prediction(y_hat)], 1)).chunk(2, 1)
            _, likelihoods = net.gaussian_conditional(latents, scales, means=means)
        else:
            likelihoods = net.latent_codec.y(latents, torch.zeros(1, 32, 4, 4))["likelihoods"]["y"]
        found.append(likelihoods.detach())
    changed = (found[0] != found[1]).any(1)[0]
    if name == "context_checkerboard":
        # (3, 3) is of the first half, and its neighbours of the second half see it.
        assert bool(changed[3, 3]) and not bool(changed[0::2, 0::2].any()) and not bool(changed[:1].any())
    else:
        assert changed.nonzero().tolist() == [[3, 3]]


def test_a_lattice_starts_from_a_scalar_checkpoint(network, tmp_path):
    trained, fresh = network("mean"), network("mean", "e8")
    torch.save({"format": "ltc-image-coder", "state": trained.state_dict()}, tmp_path / "coder.pt")
    module = ImageModule(fresh, 0.01, init_from=tmp_path)
    for key, value in trained.named_parameters():
        assert torch.equal(dict(module.network.named_parameters())[key], value), key
    with pytest.raises(ValueError, match=r"other transforms .* g_a"):
        start_from(ScaleHyperprior(8, 24), tmp_path / "coder.pt")
    with pytest.raises(ValueError, match="no checkpoint"):
        start_from(fresh, tmp_path / "nothing.pt")
    (tmp_path / "text.pt").write_text("no checkpoint")
    with pytest.raises(ValueError, match=r"text\.pt is no coder"):
        start_from(fresh, tmp_path / "text.pt")


@pytest.mark.parametrize("transforms", [swint_transforms, tcm_transforms])
def test_transforms_are_mirror_images(transforms):
    """Latents at a sixteenth of an image's height and width, and an image again."""
    analysis, synthesis = transforms(64, 32)
    y = analysis(torch.rand(2, 3, 64, 128))
    assert y.shape == (2, 32, 4, 8) and synthesis(y).shape == (2, 3, 64, 128)


def test_zn_is_the_scalar_quantizer(network):
    """In evaluation, the lattice of integers and CompressAI's rounding are one codec, but for the coder's tables."""
    net = network("mean")
    twin = use_lattice(copy.deepcopy(net), lattices.get("z")).eval()
    x = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        one, other = net(x), twin(x)
    assert torch.equal(one["x_hat"], other["x_hat"])
    assert math.isclose(float(bits(one["likelihoods"])), float(bits(other["likelihoods"])), rel_tol=1e-3)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: SwinTChARM(widths=(16, 16)), "four widths"),
        (lambda: SwinTChARM((16, 16, 16, 20), head=8), "heads of 8"),
        (lambda: SwinTChARM((16, 16, 16, 16), hyper_widths=(16, 16), head=8, slices=3), "slices do not divide"),
        (lambda: LICTCM(N=24), "multiples of 32"),
        (lambda: LICTCM(heads=(8, 8)), "three stages"),
        (lambda: tcm_transforms(32, 16), "multiples of 64"),
        (lambda: ContextNetwork(8, 16, functools.partial(channel_context, groups=[4, 8])), "do not make the M=16"),
        (lambda: ContextNetwork(8, 16, functools.partial(channel_context, groups=3)), "do not make the M=16"),
        (lambda: ImageModule(FactorizedPrior(8, 8), lmbda=-1), "positive"),
    ],
)
def test_what_does_not_fit_is_said(make, words):
    with pytest.raises(ValueError, match=words):
        make()


@pytest.mark.slow
@pytest.mark.parametrize("bottleneck", ["e8", "tcq8"])
@pytest.mark.parametrize("name", list(NETWORKS))
def test_a_real_image_comes_back(network, data_dir, name, bottleneck):
    net, pixels = network(name, bottleneck), read_image(data_dir / "kodak" / "kodim05.png")
    decoded, length, own, estimated = round_trip(net, pixels)
    assert torch.equal(decoded, own)
    assert abs(8 * length - estimated) <= 0.005 * estimated + 8 * 128
