"""Whole models of CompressAI with a lattice: the file decodes to what evaluation shows, and other weights stay."""

import pytest
import torch
from compressai.entropy_models import EntropyBottleneck, GaussianConditional
from compressai.latent_codecs import EntropyBottleneckLatentCodec, GaussianConditionalLatentCodec
from compressai.models import FactorizedPrior, MeanScaleHyperprior, ScaleHyperprior

from ltc import lattices
from ltc.images import LatticeEntropyBottleneck, LatticeGaussianConditional, use_lattice

MODELS = {"factorized": FactorizedPrior, "hyperprior": ScaleHyperprior, "mean": MeanScaleHyperprior}


def _lively(model):
    """Random weights leave all latents at zero; larger ones do not."""
    with torch.no_grad():
        model.g_a[-1].weight.mul_(40)
        if hasattr(model, "h_s"):
            model.h_s[-2 if isinstance(model.h_s[-1], torch.nn.ReLU) else -1].bias.uniform_(0, 2)
    return model.eval()


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("name", ["z", "e8", "leech", "tcq8"])
@pytest.mark.parametrize(("along", "hyper"), [("channels", False), ("positions", True), ("image", False)])
def test_a_file_decodes_to_what_evaluation_shows(kind, name, along, hyper, generator):
    model = use_lattice(_lively(MODELS[kind](8, 17)), lattices.get(name), along, hyper)
    x = torch.rand(2, 3, 64, 64, generator=generator)
    model.update()
    with torch.no_grad():
        expected = model(x)["x_hat"].clamp(0, 1)
        coded = model.compress(x)
        found = model.decompress(**coded)["x_hat"]
    assert torch.equal(found, expected)
    assert len(coded["strings"][0]) == 2


def test_what_is_exchanged(generator):
    e8 = lattices.get("e8")
    model = use_lattice(ScaleHyperprior(8, 16), e8)
    assert type(model.entropy_bottleneck) is EntropyBottleneck
    assert type(model.gaussian_conditional) is LatticeGaussianConditional
    model = use_lattice(ScaleHyperprior(8, 16), e8, hyper=True)
    assert type(model.entropy_bottleneck) is LatticeEntropyBottleneck
    model = use_lattice(FactorizedPrior(8, 16), e8, "image")
    assert type(model.entropy_bottleneck) is LatticeEntropyBottleneck and model.entropy_bottleneck.along == "positions"
    with pytest.raises(ValueError, match="no scalar bottleneck"):
        use_lattice(torch.nn.Linear(2, 2), e8)


def test_weights_stay(generator):
    model = FactorizedPrior(8, 16)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    use_lattice(model, lattices.get("e8"))
    after = model.state_dict()
    for name, parameter in before.items():
        torch.testing.assert_close(after[name], parameter)


def test_checkpoints_of_lattice_models_load(generator):
    def make():
        return use_lattice(ScaleHyperprior(8, 16), lattices.get("e8"), hyper=True)

    model = _lively(make())
    model.update()
    other = make().eval()
    other.load_state_dict(model.state_dict())
    x = torch.rand(1, 3, 64, 64, generator=generator)
    with torch.no_grad():
        assert torch.equal(other.decompress(**model.compress(x))["x_hat"], model(x)["x_hat"].clamp(0, 1))


def test_latent_codecs(generator):
    y, params = torch.randn(1, 16, 4, 4, generator=generator), torch.rand(1, 32, 4, 4, generator=generator)
    codec = use_lattice(GaussianConditionalLatentCodec(), lattices.get("e8")).eval()
    expected = codec(y, params)["y_hat"]
    coded = codec.compress(y, params)
    assert torch.equal(codec.decompress(coded["strings"], coded["shape"], params)["y_hat"], expected)
    codec = use_lattice(EntropyBottleneckLatentCodec(channels=16), lattices.get("e8")).eval()
    codec.entropy_bottleneck.update()
    assert torch.equal(codec.compress(y)["y_hat"], codec(y)["y_hat"])
    assert not any(type(m) is GaussianConditional for m in codec.modules())


@pytest.mark.parametrize("kind", MODELS)
def test_models_train(kind, generator):
    model = use_lattice(_lively(MODELS[kind](8, 16)), lattices.get("e8")).train()
    x = torch.rand(2, 3, 64, 64, generator=generator)
    out = model(x)
    rate = sum(-part.log2().sum() for part in out["likelihoods"].values())
    (rate / x.numel() + (out["x_hat"] - x).square().mean()).backward()
    assert all(torch.isfinite(p.grad).all() for n, p in model.named_parameters() if not n.endswith("quantiles"))
    assert float(model.aux_loss().detach()) > 0
