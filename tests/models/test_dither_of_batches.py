"""Laws of dither in an evaluation: each batch has its own, the same ones each time, calibration fits to it."""

import math

import pytest
import pytorch_lightning as pl
import torch

from datamodules import BlockDataModule, Gaussian
from ltc import lattices
from ltc.entropy import GaussianMixture, exact_prior
from ltc.models import Coder, DitheredBottleneck, RDSearch
from ltc.training import Calibration, RateDistortionModule
from ltc.transforms import Gain


def dithered(name, seed=0, gain=1.0):
    lattice = lattices.get(name)
    prior = exact_prior(lattice, lattice.dim, lambda dim: GaussianMixture(dim, scale=gain))
    return Coder(Gain(lattice.dim, lattice.dim), DitheredBottleneck(prior, seed), Gain(lattice.dim, lattice.dim), gain)


@torch.no_grad()
@pytest.mark.parametrize("name", ["z", "a2", "e8", "an"])
def test_each_batch_has_a_dither_of_its_own_the_same_each_time(name):
    bottleneck = dithered(name).bottleneck
    y = torch.randn(40, bottleneck.lattice.dim)
    outputs = []
    for _ in range(2):
        bottleneck.eval()
        outputs.append([bottleneck(y)[0] for _ in range(4)])
    for one, again in zip(*outputs, strict=True):
        assert torch.equal(one, again)
    assert all(not torch.equal(a, b) for i, a in enumerate(outputs[0]) for b in outputs[0][:i])
    bottleneck.seek(2)
    assert torch.equal(bottleneck(y)[0], outputs[0][2])


@torch.no_grad()
def test_means_of_batches_scatter_as_independent_blocks_do(seed):
    """A mean of 40 batches of equal latents; one dither for all of them would leave no scatter at all."""
    bottleneck = dithered("z", seed).bottleneck.eval()
    y = torch.full((50, 1), 0.3)
    errors = torch.stack([(bottleneck(y)[0] - y).square()[:, 0] for _ in range(40)])
    ratio = float(errors.mean(1).std()) / (float(errors.std()) / math.sqrt(50))
    assert 0.6 < ratio < 1.5


def test_an_evaluation_of_several_processes_numbers_batches_among_all(tmp_path):
    """Lightning's loop tells the bottleneck; a second evaluation gives the same figures."""
    coder, numbers = dithered("z"), []
    seek = coder.bottleneck.seek
    coder.bottleneck.seek = lambda batch: (numbers.append(batch), seek(batch))
    data = BlockDataModule(Gaussian(), n=1, batch_size=100, eval_symbols=500)
    module = RateDistortionModule(coder, n=1, lmbda=1.0)
    options = {"logger": False, "enable_progress_bar": False, "enable_checkpointing": False, "accelerator": "cpu"}
    trainer, found = pl.Trainer(default_root_dir=tmp_path, enable_model_summary=False, **options), []
    for _ in range(2):
        numbers.clear()
        trainer.test(module, datamodule=data, verbose=False)
        found.append(module.evaluated.compute())
        assert set(range(5)) <= set(numbers)
    assert found[0]["rate"] == found[1]["rate"] and found[0]["distortion"] == found[1]["distortion"]


@torch.no_grad()
@pytest.mark.parametrize("name", ["z", "e8", "an"])
def test_a_refit_sees_what_an_evaluation_sees(name):
    coder = dithered(name).eval()
    x = torch.randn(30, coder.bottleneck.lattice.dim)
    for batch in (0, 3):
        coder.bottleneck.seek(batch)
        refit = coder.refit(coder.latents(x))
        coder.bottleneck.seek(batch)
        for one, other in zip(refit, coder(x), strict=True):
            assert torch.equal(one, other)


def test_calibration_fits_what_is_evaluated(seed):
    """Prior and decoder of a dithered coder are fitted with its dither, whatever the scale that is tried."""
    coder, dithers = dithered("z", seed), []
    model = coder.bottleneck.entropy_model
    log_prob = model.log_prob
    model.log_prob = lambda points, dither=None: (dithers.append(dither), log_prob(points, dither))[1]

    def draw(index):
        return torch.randn(20, 1, generator=torch.Generator().manual_seed((7919 * seed + index) % 2**31))

    quick = {"evaluations": 2, "rounds": 1, "refit_steps": 2, "final_steps": 2, "validation_symbols": 100}
    Calibration(**quick)(coder, RDSearch(1.5), draw)
    assert dithers and all(dither is not None for dither in dithers)
