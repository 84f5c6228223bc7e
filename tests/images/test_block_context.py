"""Laws of networks that start at a lapped transform: what they are before any training, and that files are exact."""

import functools
import io

import pytest
import torch
from compressai.entropy_models import EntropyBottleneck

from ltc import lattices
from ltc.codec.image_checkpoint import ImageCheckpoint
from ltc.codec.images import compress_image, decompress_image
from ltc.images.networks import (
    BlockContextNetwork,
    channel_context,
    checkerboard_context,
    factorized_context,
    raster_context,
    swint_transforms,
    tcm_transforms,
)
from ltc.images.networks.block_context import widen
from ltc.images.networks.block_transform import block_basis
from ltc.images.swap import use_lattice
from ltc.pixels import to_image, to_pixels

CONTEXTS = {
    "factorized": factorized_context,
    "checkerboard": checkerboard_context,
    "channels": functools.partial(channel_context, groups=2),
    "raster": raster_context,
}
TRANSFORMS = {
    "convolutions": (8, None),
    "attention": (16, functools.partial(swint_transforms, depths=(1, 1, 1, 1), head=8)),
    "both": (16, functools.partial(tcm_transforms, depth=1, heads=(8, 8, 8))),
}


@pytest.mark.parametrize("name", TRANSFORMS)
@torch.no_grad()
def test_it_starts_at_a_transform_that_can_be_undone(name):
    width, transforms = TRANSFORMS[name]
    net = BlockContextNetwork(width, 768, factorized_context, transforms).eval()
    x = torch.rand(2, 3, 64, 128)
    torch.testing.assert_close(net.g_s(net.g_a(x)), x, atol=2e-5, rtol=0)


@pytest.mark.parametrize("name", TRANSFORMS)
def test_all_of_its_parts_learn(name):
    """The last layers at the first step, those before them from the second on."""
    width, transforms = TRANSFORMS[name]
    net = BlockContextNetwork(width, 16, checkerboard_context, transforms)
    parts = {"g_a.network": net.g_a.network, "g_s.network": net.g_s.network, "g_a.linear": net.g_a.linear}
    before = {part: [p.detach().clone() for p in module.parameters()] for part, module in parts.items()}
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
    x = torch.rand(1, 3, 64, 64)
    for _ in range(3):
        optimizer.zero_grad()
        (net(x)["x_hat"] - x).square().mean().backward()
        optimizer.step()
    for part, module in parts.items():
        changed = [not torch.equal(a, b) for a, b in zip(before[part], module.parameters(), strict=True)]
        assert sum(changed) > 0.9 * len(changed), part


@torch.no_grad()
def test_latents_are_scaled_for_lambda():
    """Four times the price, half the step; and most of what there is lies in the first of them."""
    x = torch.nn.functional.interpolate(torch.rand(1, 3, 8, 8), scale_factor=16, mode="bicubic")
    coarse, fine = (BlockContextNetwork(8, 32, factorized_context, price=price).g_a(x) for price in (0.01, 0.04))
    torch.testing.assert_close(fine, 2 * coarse)
    energy = coarse.square().mean((0, 2, 3))
    assert energy[:8].sum() > energy[8:].sum()
    with pytest.raises(ValueError, match="positive lambda"):
        BlockContextNetwork(8, 32, factorized_context, price=0.0)


@pytest.mark.parametrize("side", [8, 16])
def test_bases_are_orthonormal_and_ordered(side):
    basis, deviations = block_basis(3 * side**2, side)
    torch.testing.assert_close(basis @ basis.T, torch.eye(len(basis)), atol=1e-5, rtol=0)
    assert bool((deviations.diff() <= 0).all())
    with pytest.raises(ValueError, match=f"1 to {3 * side**2}"):
        block_basis(3 * side**2 + 1, side)


@torch.no_grad()
def test_a_bottleneck_of_one_width_is_compressais():
    scale = float(torch.empty(1).uniform_(2, 50))
    ours, theirs = EntropyBottleneck(4), EntropyBottleneck(4, init_scale=scale)
    widen(ours, torch.full((4,), scale))
    for one, other in zip(ours.matrices, theirs.matrices, strict=True):
        torch.testing.assert_close(one, other)
    torch.testing.assert_close(ours.quantiles, theirs.quantiles)


@pytest.mark.parametrize("context", CONTEXTS)
@pytest.mark.parametrize("lattice", [None, "e8", "tcq8"])
def test_a_file_is_decoded_to_the_networks_own_reconstruction(context, lattice):
    net = BlockContextNetwork(8, 16, CONTEXTS[context])
    with torch.no_grad():
        for parameter in [*net.g_a.parameters(), *net.g_s.parameters()]:
            parameter += 0.02 * torch.randn_like(parameter)
    if lattice is not None:
        net = use_lattice(net, lattices.get(lattice))
    net.eval().update(force=True)
    smooth = torch.nn.functional.interpolate(torch.rand(1, 3, 5, 6), (64, 64), mode="bicubic")[0]
    pixels = to_pixels(smooth)
    checkpoint, file = ImageCheckpoint(net, {}, b"12345678"), io.BytesIO()
    compress_image(checkpoint, pixels, file)
    file.seek(0)
    decoded, same = decompress_image(checkpoint, file)
    assert same
    with torch.no_grad():
        assert torch.equal(decoded, to_pixels(net(to_image(pixels)[None])["x_hat"][0]))
