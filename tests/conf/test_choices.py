"""What choices of groups mean for each other: sizes follow, objects fit, and a training step moves them.

That each choice of each group goes through a job is ``tests/run/test_every_choice.py``.
"""

import itertools
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hydra.errors import ConfigCompositionException, InstantiationException, MissingConfigException
from hydra.utils import instantiate
from omegaconf import OmegaConf

import conf
from conf.families import FAMILIES, FamilySource
from conf.limits import check_settings
from conf.resolvers import block_length, threads
from datamodules import Source
from ltc.models import Coder


@pytest.fixture
def take_a_step(composed):
    """Composes a job, makes its coder and data, and takes one step of training and one batch of evaluation."""

    def run(*overrides):
        cfg = composed("trainer=smoke", "batch_size=4", *overrides)
        check_settings(cfg)
        data, coder = instantiate(cfg.data), instantiate(cfg.model)
        assert isinstance(coder, Coder) and isinstance(data.source, Source)
        assert (data.source.dim, data.source.latents) == (cfg.symbol.dim, cfg.symbol.latents)
        batch = next(iter(data.train_dataloader()))
        assert batch.shape == (4, cfg.n * data.source.dim) == (4, cfg.block_dim)
        optimizer = instantiate(cfg.optimizer)(coder.parameters())
        schedule = instantiate(cfg.scheduler)(optimizer)
        before = [p.detach().clone() for p in coder.parameters()]
        coding = coder.train()(batch)
        assert coding.reconstruction.shape == batch.shape and coding.bits.shape == (4,)
        loss = coding.bits.mean() / cfg.n + cfg["lambda"] * (batch - coding.reconstruction).square().mean()
        (loss + coder.bottleneck.auxiliary_loss()).backward()
        optimizer.step()
        schedule.step()
        assert math.isfinite(float(loss.detach()))
        changed = [not torch.equal(a, b) for a, b in zip(before, coder.parameters(), strict=True)]
        assert sum(changed) >= 2 and all(bool(p.isfinite().all()) for p in coder.parameters())
        with torch.no_grad():
            coding = coder.eval()(batch)
        assert coding.reconstruction.shape == batch.shape and bool(coding.bits.isfinite().all())
        return cfg, coder

    return run


def test_block_length_is_the_least_that_tiles():
    for latents in range(1, 40):
        for dim in range(1, 40):
            n = block_length(latents, dim)
            assert n == next(n for n in range(1, dim + 1) if n * latents % dim == 0)


def test_threads_are_shared_out():
    assert threads(10**6) == threads(10**7) == 1 and threads(1) >= threads(2) >= 1 and threads(0) == threads(1)


def test_blocks_follow_the_lattice(composed, choices, rng, tmp_path):
    """For pairs of source and lattice, drawn anew in each run, without a word from the user."""
    np.save(tmp_path / "x.npy", np.zeros((9, 5)))

    def own(source):
        return [f"source.path={tmp_path / 'x.npy'}"] if source == "array" else []

    # What the group puts there; everything else follows by interpolation.
    lattices = [composed(f"lattice={name}").lattice for name in rng.choice(choices("lattice"), 4, replace=False)]
    for source in rng.choice(choices("source"), 4, replace=False):
        cfg = composed(f"source={source}", *own(source))
        for lattice in lattices:
            cfg.lattice = OmegaConf.create(OmegaConf.to_container(lattice))
            latents, dim = cfg.symbol.latents, cfg.lattice.dim
            assert cfg.n == block_length(latents, dim) and cfg.latent_dim == cfg.n * latents
            assert cfg.latent_dim % dim == 0 and cfg.block_dim == cfg.n * cfg.symbol.dim
            assert cfg.transform.analysis.inputs == cfg.transform.synthesis.outputs == cfg.block_dim
            assert cfg.transform.analysis.outputs == cfg.transform.synthesis.inputs == cfg.latent_dim
            assert cfg.entropy_model.dim == cfg.latent_dim and cfg.data.n == cfg.n


def test_blocks_follow_the_dimension_of_a_family(composed):
    cfg = composed("lattice=dn", "lattice.dim=6", "source=banana")
    assert (cfg.n, cfg.latent_dim) == (3, 6)
    cfg = composed("source=gaussian_correlated", "source.covariance=[[1,0,0],[0,1,0],[0,0,1]]", "lattice=e8")
    assert (cfg.symbol.dim, cfg.symbol.latents, cfg.n) == (3, 3, 8)


def test_the_block_may_be_longer(take_a_step):
    cfg, _ = take_a_step("lattice=dn", "n=12")
    assert cfg.latent_dim == 12


def names(group):
    """What pytest needs before there are fixtures: the names of a group's files."""
    return sorted(path.stem for path in (Path(conf.__file__).parent / group).glob("*.yaml"))


@pytest.mark.parametrize("lattice", names("lattice"))
def test_lattice(take_a_step, lattice):
    cfg, coder = take_a_step(f"lattice={lattice}")
    assert coder.bottleneck.lattice.dim == cfg.lattice.dim and coder.bottleneck.exact


def test_trellis_codes_refuse_a_dither(take_a_step):
    """They have no generator matrix, so no Voronoi cell that a dither could fill."""
    with pytest.raises((ValueError, InstantiationException), match=r"no generator|no dithered form"):
        take_a_step("lattice=tcq8", "model=ltc_dither")


def test_lattice_without_transform(take_a_step):
    _, coder = take_a_step("lattice=dn", "model=eclq")
    assert type(coder.analysis).__name__ == "Gain"


@pytest.mark.parametrize("entropy_model", [name for name in names("entropy_model") if name != "bottleneck"])
def test_entropy_model(take_a_step, entropy_model, rng):
    _, coder = take_a_step(f"entropy_model={entropy_model}", f"lattice={rng.choice(['an', 'dn', 'e8'])}")
    estimates = ("monte_carlo", "flow")
    assert coder.bottleneck.exact != entropy_model.startswith(estimates)


@pytest.mark.parametrize("points", ["standard", "antithetic", "sobol", "scrambled_sobol"])
def test_points_of_the_monte_carlo_rate(take_a_step, points):
    take_a_step("entropy_model=monte_carlo", "lattice=a2", f"entropy_model.points={points}", "entropy_model.samples=32")


@pytest.mark.parametrize("source", ["gaussian", "sawbridge"])
def test_model_ntc(take_a_step, source):
    """It brings its lattice and its entropy model along."""
    cfg, coder = take_a_step("model=ntc", f"source={source}")
    assert cfg.lattice.name == "z" and "EntropyBottleneck" in cfg.entropy_model._target_
    assert type(coder.bottleneck).__name__ == "ScalarBottleneck"


@pytest.mark.parametrize("trainer", names("trainer"))
def test_trainer(composed, trainer):
    cfg = composed(f"trainer={trainer}")
    found = instantiate(cfg.trainer, logger=False, callbacks=[], accelerator="cpu")
    assert found.max_steps == cfg.trainer.max_steps == cfg.scheduler.T_max
    assert trainer != "ddp" or (found.world_size == cfg.devices == 2)
    assert trainer != "smoke" or found.max_steps <= 50


@pytest.mark.parametrize("logger", names("logger"))
def test_logger(composed, logger, monkeypatch, tmp_path):
    if logger == "tensorboard":
        pytest.importorskip("tensorboard")
    monkeypatch.delenv("WANDB_MODE", raising=False)
    cfg = composed(f"logger={logger}")
    found = list(instantiate(cfg.logger).values())
    assert len(found) == (logger != "none")
    if logger == "wandb":
        assert found[0]._wandb_init["mode"] == "offline" and cfg.sweep_logger is not None
    elif logger != "none":
        assert str(found[0].save_dir) == str(tmp_path)


@pytest.mark.parametrize("family", FAMILIES)
def test_an_experiment_of_a_family_is_the_family_with_a_lattice(composed, family, rng):
    """With any lattice, those with an underscore too; what is no lattice is refused with the known ones."""
    config = "images" if "/" in family else "config"
    lattice = rng.choice(["dn_dual", "tcq16"])
    one, other = (
        composed(*overrides, config=config)
        for overrides in ([f"experiment={family}_{lattice}"], [f"experiment={family}", f"lattice={lattice}"])
    )
    assert one.hydra.runtime.choices.lattice == lattice
    del one.hydra, other.hydra
    assert one == other
    with pytest.raises(MissingConfigException, match=r"lattice/e9[\s\S]*\be8\b"):
        composed(f"experiment={family}_e9", config=config)


def test_the_old_name_of_experiments_with_images_is_refused_with_the_new_one(composed):
    with pytest.raises(
        ConfigCompositionException, match=r"system=e8 is not allowed: it is experiment=images/ltc_e8, .* now"
    ):
        composed("system=e8", config="images")


def test_callbacks(composed, choices):
    for name in choices("callbacks"):
        cfg = composed(f"callbacks={name}")
        assert len(instantiate(cfg.callbacks)) == len(cfg.callbacks)


def test_point_descriptions_name_the_choices(composed):
    description = composed(
        "source=banana", "lattice=a2", "model=ltc_dither", "lambda=0.5"
    ).callbacks.rd_point.description
    expected = {"source": "banana", "lattice": "a2", "model": "ltc_dither", "transform": "linear", "lambda": 0.5}
    assert {key: description[key] for key in expected} == expected
    assert (description.n, description.seed) == (1, 0)


def test_unknown_choices_are_refused_with_the_known_ones(composed):
    with pytest.raises(MissingConfigException, match=r"lattice/e9[\s\S]*\be8\b"):
        composed("lattice=e9")


def test_smoke_is_smoke_with_any_experiment_and_size(composed, rng):
    """trainer=smoke says how long a training is, whatever an experiment, a size or a model asks for."""
    smoke = composed("trainer=smoke")
    choices = [f"{group}={name}" for group in ("experiment", "model") for name in names(group)]
    for choice, size in zip(rng.choice(choices, 9, replace=False), itertools.cycle(names("size"))):
        cfg = composed("trainer=smoke", choice, f"size={size}")
        assert cfg.trainer.max_steps == cfg.scheduler.T_max == 20, choice
        calibration = None if choice in ("experiment=one_shot", "experiment=dither") else smoke.calibration
        assert cfg.calibration == calibration and cfg.eval_symbols == smoke.eval_symbols, choice
    assert composed("experiment=ntc").trainer.max_steps == 2 * composed().trainer.max_steps


SWEEPS = sorted(path.stem for path in (Path(conf.__file__).parent.parent / "multirun_sweeps").glob("*.yaml"))
SWEEPS.remove("smoke_optuna")  # needs an extra, and has ranges for choices: tests/run sweeps it


@pytest.mark.parametrize("config", SWEEPS)
def test_sweep_files_compose_without_sweeping(composed, config, rng):
    """Their values are files of conf; one job of each, drawn anew in each run, is composed."""
    params = composed(config=config).hydra.sweeper.params
    values = {group: [value.strip() for value in str(values).split(",")] for group, values in params.items()}
    families = FamilySource("families", "families://")
    for group in set(values) - {"lambda", "seed"}:
        files = [Path(conf.__file__).parent / group / f"{name}.yaml" for name in values[group]]
        missing = [name for file, name in zip(files, values[group], strict=True) if not file.is_file()]
        assert all(families.is_config(f"{group}/{name}") for name in missing)
    drawn = [f"{group}={rng.choice(found)}" for group, found in values.items()]
    cfg = composed("trainer=smoke", *drawn, config=config)
    assert cfg.lattice.dim >= 1 and cfg["lambda"] > 0
    assert min(map(float, values.get("lambda") or cfg.path)) > 0
    # A sweep of seconds is as long as it says.
    assert config == "smoke" or cfg.trainer.max_steps == 20
