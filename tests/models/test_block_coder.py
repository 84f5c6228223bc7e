"""Laws of block coders: vectors stay apart, latents go to their own lattice, companders and means are undone."""

import pytest
import torch

from ltc import lattices
from ltc.entropy import GaussianMixture, exact_prior
from ltc.models import BlockCoder, LatticeBottleneck
from ltc.transforms import Linear, LinearCompander, MLPCompander

NAMES = [("z", 5), ("a2", 6), ("e8", 8), ("leech", 24), ("tcq8", 32)]


def block_coder(name, n, latents, **options):
    lattice = lattices.get(name, n if name.startswith("tcq") else None)
    prior = exact_prior(lattice, latents * n, GaussianMixture, period=latents, run=n)
    return BlockCoder(Linear(3, latents), LatticeBottleneck(prior), Linear(latents, 3), n=n, latents=latents, **options)


@pytest.mark.parametrize(("name", "n"), NAMES)
def test_each_latent_is_quantized_along_the_block(name, n, generator):
    """The point of latent i is the nearest point to its n values alone."""
    coder = block_coder(name, n, latents=2, gain=2.0).eval()
    x = torch.randn(10, n * 3, generator=generator)
    point = coder.encode(x).reshape(10, 2, n)
    y = coder.analysis(x.reshape(10 * n, 3)).reshape(10, n, 2)
    for i in range(2):
        expected = coder.bottleneck.lattice.quantize(2.0 * y[:, :, i].detach())
        torch.testing.assert_close(point[:, i], expected)


@pytest.mark.parametrize(("name", "n"), NAMES)
@torch.no_grad()
def test_a_latent_has_one_distribution_along_the_block(name, n, generator):
    """So a vector costs the same in any place where its coordinates have the same step."""
    coder = block_coder(name, 2 * n if name == "z" else n, latents=3)
    model = coder.bottleneck.entropy_model
    tables = model.tables(16 * model.modulus)[0].reshape(-1, 3, coder.n)
    steps = coder.bottleneck.lattice.steps
    steps = steps.repeat(coder.n // len(steps))
    same = (steps == steps[0]).nonzero()[:, 0]
    assert len(same) > 1
    for place in same.tolist():
        torch.testing.assert_close(tables[:, :, place], tables[:, :, 0])


@pytest.mark.parametrize("compander", [LinearCompander, MLPCompander])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("center", [False, True])
def test_companders_and_means_start_as_nothing_and_learn(compander, bias, center, generator):
    """Untrained they change no latent; a step of training reaches every parameter."""
    plain = block_coder("e8", 8, latents=2)
    coder = block_coder(
        "e8", 8, latents=2, center=center, compress=compander(2, 8, bias=bias), expand=compander(2, 8, bias=bias)
    )
    x = torch.randn(50, 24, generator=generator)
    torch.testing.assert_close(coder.eval().latents(x), plain.eval().latents(x))
    coder.train()
    reconstruction, bits = coder(x)
    (bits.mean() + (x - reconstruction).square().sum()).backward()
    for name, parameter in coder.named_parameters():
        assert parameter.grad is not None, name
    # The perceptron's first layer waits for its second, which starts at zero.
    for name, parameter in coder.before.named_parameters():
        assert name.startswith("enter") or float(parameter.grad.abs().sum()) > 0, name


def test_the_running_mean_follows_the_latents(generator):
    """And what is subtracted is added again."""
    coder = block_coder("e8", 8, latents=2, center=True, gain=50.0).train()
    x = 3.0 + 0.1 * torch.randn(200, 24, generator=generator)
    for _ in range(300):
        coder(x)
    expected = coder.analysis(x.reshape(-1, 3)).mean(0)
    torch.testing.assert_close(coder.mean, expected.detach(), rtol=1e-3, atol=1e-3)
    coder.eval()
    y = coder.latents(x).detach()
    assert float(y.mean().abs()) < 0.1
    fine = coder.decode(y).detach().reshape(-1, 3)
    torch.testing.assert_close(fine, coder.synthesis(coder.analysis(x.reshape(-1, 3))).detach(), atol=1e-4, rtol=0)


def test_wrong_blocks_are_refused():
    e8 = lattices.get("e8")
    with pytest.raises(ValueError, match="multiple of 8"):
        BlockCoder(Linear(3, 2), LatticeBottleneck(exact_prior(e8, 24)), Linear(2, 3), n=12, latents=2)
    with pytest.raises(ValueError, match="neither"):
        block_coder("e8", 8, latents=2, compress=LinearCompander(2, 8))


@pytest.mark.parametrize(("name", "n"), NAMES)
def test_a_block_coder_is_a_codec(name, n, generator):
    coder = block_coder(name, n, latents=2, gain=1.5).eval()
    coder.update()
    x = torch.randn(40, n * 3, generator=generator)
    stream = coder.compress(x)
    torch.testing.assert_close(coder.decompress(stream, 40), coder(x).reconstruction.detach(), atol=1e-5, rtol=0)
