"""An encoder reads its strings before it gives them away: an image whose file reads otherwise is not written."""

import io

import pytest
import torch

from ltc import lattices
from ltc.codec.image_checkpoint import ImageCheckpoint
from ltc.codec.images import compress_image
from ltc.images import LatticeGaussianConditional
from ltc.images.networks import JointAutoregressive, MeanScaleHyperprior, scalar
from ltc.images.networks.serial import serial_decoder
from ltc.images.swap import use_lattice

FAULTY = [
    pytest.param(MeanScaleHyperprior, lambda net: use_lattice(net, lattices.get("tcq8", 16)), id="at once"),
    pytest.param(JointAutoregressive, lambda net: use_lattice(net, lattices.get("e8")), id="serial"),
    pytest.param(JointAutoregressive, scalar, id="serial, scalar"),
]


@pytest.mark.parametrize(("network", "bottleneck"), FAULTY)
def test_another_latent_stops_the_encoder(network, bottleneck, monkeypatch):
    net = bottleneck(network(8, 16)).eval()
    net.update(force=True)
    checkpoint = ImageCheckpoint(net, {}, bytes(16))
    pixels, file = torch.randint(256, (3, 70, 60), dtype=torch.uint8), io.BytesIO()
    compress_image(checkpoint, pixels, file)
    assert file.tell()
    serial = type(serial_decoder(net.gaussian_conditional, bytes(8)))
    for readers, name in ((LatticeGaussianConditional, "decompress"), (serial, "get")):
        read = getattr(readers, name)
        # One unit off in one latent: as if another table had been taken for it.
        monkeypatch.setattr(readers, name, lambda *args, _read=read, **kwargs: off_by_one(_read(*args, **kwargs)))
    file = io.BytesIO()
    with pytest.raises(ValueError, match="does not decode what it encodes"):
        compress_image(checkpoint, pixels, file)
    assert not file.tell()


def off_by_one(latents):
    latents = latents.clone()
    latents.view(-1)[0] += 1
    return latents
