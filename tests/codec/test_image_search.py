"""The command's search for better latents of an image, decoder in the loop."""

import io

import torch

from ltc.codec.image_checkpoint import load_network
from ltc.codec.images import compress_image, refine_image
from ltc.pixels import read_image


def test_a_search_is_written_as_it_was_found(trained, photograph, succeeds, fails, tmp_path):
    """Never worse by the price that it is told; networks that are serial say that they cannot."""
    photo, checkpoint = photograph(), load_network(trained())
    found = refine_image(checkpoint, read_image(photo), 12)
    assert found.after <= found.before
    file = io.BytesIO()
    decoded = compress_image(checkpoint, read_image(photo), file, found.latents)
    succeeds("compress", trained(), photo, tmp_path / "a.ltc", "--effort", 12)
    assert (tmp_path / "a.ltc").read_bytes() == file.getvalue()
    succeeds("decompress", trained(), tmp_path / "a.ltc", tmp_path / "a.png")
    assert torch.equal(read_image(tmp_path / "a.png"), decoded.cpu())
    said = fails("compress", trained("serial"), photo, tmp_path / "b.ltc", "--effort", 3)
    assert said.startswith("This network codes one position after another") and not (tmp_path / "b.ltc").exists()
