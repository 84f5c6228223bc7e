"""The gap in theory: of the latents that carry something, with the length of a trellis code."""

from types import SimpleNamespace

import pytest
import torch

from callbacks.rd_point import RDPointWriter
from ltc import lattices
from ltc.theory import space_filling_gap


def gap(tmp_path, lattice, scales, n):
    latents = torch.randn(3000, n, len(scales)) * torch.as_tensor(scales)
    source = SimpleNamespace(measure="mse", dim=len(scales), latents=len(scales))
    data = SimpleNamespace(source=source, calibration_batch=lambda index: latents.flatten(1))
    coder = SimpleNamespace(bottleneck=SimpleNamespace(lattice=lattice), latents=lambda x: x)
    module = SimpleNamespace(coder=coder, n=n, device="cpu")
    return RDPointWriter(tmp_path, {})._theory_gap(SimpleNamespace(datamodule=data), module)


@pytest.mark.parametrize("name", ["z", "e8", "tcq8"])
def test_latents_that_carry_nothing_do_not_count(tmp_path, name):
    lattice = lattices.get(name)
    each = space_filling_gap(lattice.nsm)
    assert gap(tmp_path, lattice, [2.0, 3.0, 0.01, 0.1], 8) == pytest.approx(2 * each)
    assert gap(tmp_path, lattice, [2.0, 3.0], 4) == pytest.approx(2 * each)
    assert gap(tmp_path, lattice, [0.1], 4) == pytest.approx(each)


def test_a_short_trellis_code_has_a_larger_gap(tmp_path):
    gaps = [gap(tmp_path, lattices.get("tcq256", n), [2.0], n) for n in (128, 1024)]
    assert gaps[0] > gaps[1] + 0.01
