"""Laws of coders, distortions and the module that trains them."""

import math

import pytest
import pytorch_lightning as pl
import torch

from datamodules import BlockDataModule, Gaussian
from ltc import lattices
from ltc.entropy import exact_prior
from ltc.models import DISTORTIONS, Coder, DitheredBottleneck, LatticeBottleneck
from ltc.training import RateDistortionModule
from ltc.transforms import MLP, Gain, Linear


def make_coder(lattice, block=None, latents=None, transform=Linear, bottleneck=LatticeBottleneck):
    latents = lattice.dim if latents is None else latents
    block = latents if block is None else block
    return Coder(transform(block, latents), bottleneck(exact_prior(lattice, latents)), transform(latents, block))


@pytest.mark.parametrize("bottleneck", [LatticeBottleneck, DitheredBottleneck])
@pytest.mark.parametrize(("block", "latents", "transform"), [(8, 8, Gain), (5, 16, Linear), (40, 8, MLP)])
def test_shapes(block, latents, transform, bottleneck):
    coder = make_coder(lattices.get("e8"), block, latents, transform, bottleneck)
    for mode in (True, False):
        coding = coder.train(mode)(torch.randn(7, block))
        assert coding.reconstruction.shape == (7, block) and coding.bits.shape == (7,)
        assert coding == (coding.reconstruction, coding.bits)


def test_a_coder_is_its_three_parts():
    coder = make_coder(lattices.get("a2")).eval()
    x = torch.randn(9, 2)
    point, bits = coder.bottleneck(coder.analysis(x))
    coding = coder(x)
    assert torch.equal(coding.reconstruction, coder.synthesis(point)) and torch.equal(coding.bits, bits)


def test_at_a_fine_scale_the_reconstruction_is_the_source():
    """Gains g and 1 / g: the error is the lattice's cell, shrunk by g."""
    lattice = lattices.get("e8")
    coder = Coder(Gain(8, 8, 100.0), LatticeBottleneck(exact_prior(lattice, 8)), Gain(8, 8, 0.01)).eval()
    x = torch.randn(20_000, 8)
    moment = DISTORTIONS["mse"](x, coder(x).reconstruction).detach()
    error = float(moment.std()) / math.sqrt(len(x))
    assert abs(float(moment.mean()) - lattice.nsm / 100**2) < 5 * error


@pytest.mark.parametrize("name", ["mse", "l1"])
def test_distortions_are_metrics_of_blocks(name):
    """Zero on equals, symmetric, one number for each block, a mean over components, in the scale's power."""
    distortion, power = DISTORTIONS[name], {"mse": 2, "l1": 1}[name]
    x, y = torch.randn(2, 9, 5).double()
    found = distortion(x, y)
    assert found.shape == (9,) and bool((found > 0).all()) and not bool(distortion(x, x).any())
    torch.testing.assert_close(distortion(y, x), found)
    torch.testing.assert_close(distortion(3 * x, 3 * y), 3**power * found)
    torch.testing.assert_close(distortion(x.repeat(1, 4), y.repeat(1, 4)), found)
    expected = torch.stack([(a - b).abs().pow(power).sum() / 5 for a, b in zip(x, y, strict=True)])
    torch.testing.assert_close(found, expected)


def test_there_is_a_distortion_for_every_measure_of_a_source():
    from datamodules import Source

    assert {measure for cls in Source.__subclasses__() for measure in cls.measures} <= set(DISTORTIONS)


@pytest.mark.parametrize("wrong", [0.0, -1.0, math.nan, math.inf])
def test_lambda_is_a_positive_number(wrong):
    with pytest.raises(ValueError, match="lambda is a positive number"):
        RateDistortionModule(make_coder(lattices.get("z")), n=1, lmbda=wrong)


def test_unknown_distortions_are_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"'ssim'.*mse"):
        RateDistortionModule(make_coder(lattices.get("z")), n=1, lmbda=1.0, measure="ssim")


def trainer(folder, **options):
    return pl.Trainer(
        default_root_dir=folder,
        accelerator="cpu",
        logger=False,
        callbacks=[],
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        **options,
    )


class Recorder(pl.Callback):
    """What training minimized, at each step, and what it logged."""

    def __init__(self):
        self.losses, self.logged = [], []

    def on_train_batch_end(self, trainer, module, outputs, batch, index):
        self.losses.append(float(outputs["loss"]))
        self.logged.append({k: float(v) for k, v in trainer.callback_metrics.items()})


def test_the_loss_is_rate_plus_lambda_times_distortion(tmp_path):
    """Rate in bits per symbol of a block of n, recomputed by hand at the first step."""
    lattice, n, lmbda = lattices.get("dn", 4), 4, 3.0
    coder = make_coder(lattice)
    recorder = Recorder()
    data = BlockDataModule(Gaussian(), n=n, batch_size=50, eval_symbols=400)
    batch = next(iter(data.train_dataloader()))
    with torch.no_grad():
        coding = coder.train()(batch)
        expected = coding.bits.mean() / n + lmbda * (batch - coding.reconstruction).square().mean()
    module = RateDistortionModule(coder, n=n, lmbda=lmbda)
    fit = trainer(tmp_path, max_steps=3, log_every_n_steps=1)
    fit.callbacks.append(recorder)
    fit.fit(module, datamodule=data)
    assert recorder.losses[0] == pytest.approx(float(expected), rel=1e-4)
    first = recorder.logged[0]
    assert first["train/loss"] == pytest.approx(first["train/rate"] + lmbda * first["train/distortion"], rel=1e-5)
    assert first["train/loss"] == pytest.approx(float(expected), rel=1e-4)


def test_evaluation_counts_each_block_once(tmp_path):
    """The figures of `evaluated` are those of the test set, computed in one go."""
    lattice, n = lattices.get("a2"), 2
    coder = make_coder(lattice)
    data = BlockDataModule(Gaussian(), n=n, batch_size=37, eval_symbols=1000)
    module = RateDistortionModule(coder, n=n, lmbda=1.0)
    for _ in range(2):  # a second evaluation starts anew
        trainer(tmp_path).test(module, datamodule=data, verbose=False)
        figures = module.evaluated.compute()
        x = torch.cat(list(data.test_dataloader()))
        with torch.no_grad():
            coding = coder.eval()(x)
        assert float(figures["blocks"]) == len(x) == 500
        assert float(figures["rate"]) == pytest.approx(float(coding.bits.mean()) / n, rel=1e-5)
        distortion = float((x - coding.reconstruction).square().mean())
        assert float(figures["distortion"]) == pytest.approx(distortion, rel=1e-5)


def test_training_lowers_the_cost(tmp_path):
    """A hundred steps from a bad start: on fresh data, rate + lambda * distortion is smaller after than before."""
    torch.manual_seed(0)
    lattice = lattices.get("a2")
    coder = Coder(Gain(2, 2, 5.0), LatticeBottleneck(exact_prior(lattice, 2)), Gain(2, 2, 1.0))
    module = RateDistortionModule(coder, 2, 4.0, optimizer=lambda p: torch.optim.Adam(p, lr=0.05))
    x = torch.randn(5000, 2)

    @torch.no_grad()
    def cost():
        coding = coder.eval()(x)
        coder.train()
        return float(coding.bits.mean() / 2 + 4.0 * (x - coding.reconstruction).square().mean())

    before = cost()
    data = BlockDataModule(Gaussian(), n=2, batch_size=200, eval_symbols=100)
    trainer(tmp_path, max_steps=100).fit(module, datamodule=data)
    assert cost() < before / 2


def test_a_schedule_takes_a_step_each_batch(tmp_path):
    rates = []

    class Watch(pl.Callback):
        def on_train_batch_start(self, trainer, module, *_):
            rates.append(trainer.optimizers[0].param_groups[0]["lr"])

    module = RateDistortionModule(
        make_coder(lattices.get("z")),
        n=1,
        lmbda=1.0,
        optimizer=lambda p: torch.optim.Adam(p, lr=0.01),
        scheduler=lambda optimizer: torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, total_iters=5),
    )
    fit = trainer(tmp_path, max_steps=5)
    fit.callbacks.append(Watch())
    fit.fit(module, datamodule=BlockDataModule(Gaussian(), n=1, batch_size=10, eval_symbols=10))
    assert rates == pytest.approx([0.01, 0.008, 0.006, 0.004, 0.002])


def test_a_diverged_training_says_so(tmp_path):
    module = RateDistortionModule(make_coder(lattices.get("z")), n=1, lmbda=1.0)
    with torch.no_grad():
        module.coder.synthesis.layers[0].weight.fill_(math.nan)
    with pytest.raises(FloatingPointError, match=r"step 0.*lower"):
        data = BlockDataModule(Gaussian(), n=1, batch_size=10, eval_symbols=10)
        trainer(tmp_path, max_steps=5).fit(module, datamodule=data)
