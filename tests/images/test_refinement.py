"""Laws of the search that closes the loop: never worse than nearest points, and files decode to what it has seen."""

import pytest
import torch
from hydra.utils import instantiate

from ltc.images.refinement import Refinement

SERIAL = {"mbt2018", "cheng2020_attn", "context_raster"}


@pytest.fixture
def network(small_config, some_pair):
    """A small network of random weights, with latents of some size, in evaluation mode."""
    net = instantiate(small_config(*some_pair)).eval()
    last = [m for m in net.g_a.modules() if isinstance(m, torch.nn.Conv2d | torch.nn.Linear)][-1]
    with torch.no_grad():
        last.weight *= 3 / float(net.g_a(torch.rand(1, 3, 64, 64)).std())
    net.update(force=True)
    return net


def test_never_worse_and_decoded_as_seen(network, some_pair):
    """The cost that it tells is that of what the strings decode to; the network stays as it was."""
    x = torch.rand(1, 3, 64, 64)
    search = Refinement(lmbda=0.01, steps=6, every=2)
    if some_pair[0] in SERIAL:
        with pytest.raises(ValueError, match="one position after another"):
            search(network, x)
        return
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    with torch.inference_mode():  # as Lightning's evaluation has it
        found = search(network, x.clone(), (50, 60))
    assert found.after <= found.before
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    with torch.no_grad():
        reconstruction, likelihoods = network.measure(*found.latents)
    strings = network.encode(*found.latents)[0].strings
    decoded = network.decompress([[string] for string in strings], network.code_shape(64, 64))
    assert torch.equal(decoded["x_hat"], reconstruction.clamp(0, 1))
    bits = sum(float(-part.log2().sum()) for part in likelihoods.values())
    error = float((decoded["x_hat"] - x)[..., :50, :60].square().mean())
    assert found.after == pytest.approx(bits / 3000 + 0.01 * 255**2 * error, rel=1e-5)


def test_hyper_latents_descend_too(small_config):
    """They are no longer those of the hyper-analysis, wherever something better was found.

    CompressAI's own rounding has no trellis, so that it was the descent that found it.
    """
    net = instantiate(small_config("mbt2018_mean", "e8")["network"]).eval()
    net.update(force=True)
    x = torch.rand(1, 3, 64, 64)
    found = Refinement(lmbda=0.05, steps=60)(net, x)
    assert found.after <= found.before
    with torch.no_grad():
        kept = net.h_a(net.g_a(x))
    assert not torch.equal(found.z, kept) if found.after < 0.999 * found.before else found.z.shape == kept.shape


@pytest.mark.parametrize("wrong", [{"lmbda": 0.0}, {"steps": -1}, {"every": 0}, {"lr": -1.0}])
def test_settings_that_make_no_search(wrong):
    with pytest.raises(ValueError, match="A refinement has"):
        Refinement(**{"lmbda": 0.01, **wrong})
