"""The gap in theory: of the latents that carry something, with the length of a trellis code."""

from types import SimpleNamespace

import pytest
import torch

from experiment.point import theory_gap
from ltc import lattices
from ltc.theory import space_filling_gap


def gap(lattice, scales, n, batch=3000):
    latents = torch.randn(3000, n, len(scales)) * torch.as_tensor(scales)
    source = SimpleNamespace(measure="mse", dim=len(scales), latents=len(scales))
    data = SimpleNamespace(source=source, calibration_batch=lambda i: latents[i * batch : (i + 1) * batch].flatten(1))
    coder = SimpleNamespace(bottleneck=SimpleNamespace(lattice=lattice), latents=lambda x: x)
    module = SimpleNamespace(coder=coder, n=n, device="cpu")
    return theory_gap(module, data)


@pytest.mark.parametrize("name", ["z", "e8", "tcq8"])
def test_latents_that_carry_nothing_do_not_count(name):
    lattice = lattices.get(name)
    each = space_filling_gap(lattice.nsm)
    assert gap(lattice, [2.0, 3.0, 0.01, 0.1], 8) == pytest.approx(2 * each)
    assert gap(lattice, [2.0, 3.0], 4) == pytest.approx(2 * each)
    assert gap(lattice, [0.1], 4) == pytest.approx(each)


@pytest.mark.parametrize("batch", [1, 2, 7])
def test_batches_of_few_blocks_tell_as_much(batch):
    """Long blocks come one by one, and what varies from block to block does so from batch to batch."""
    lattice = lattices.get("tcq8")
    each = space_filling_gap(lattice.nsm)
    assert gap(lattice, [2.0, 3.0, 0.01, 0.1], 256, batch) == pytest.approx(2 * each)


def test_a_short_trellis_code_has_a_larger_gap(tmp_path):
    gaps = [gap(lattices.get("tcq256", n), [2.0], n) for n in (128, 1024)]
    assert gaps[0] > gaps[1] + 0.01
