"""What a configuration says alone: the loss of its source, the names of what is used, a transform for each symbol."""

import numpy as np
import pytest
import torch
from hydra.utils import instantiate
from omegaconf import open_dict

from experiment.identity import fingerprint, identity
from ltc.lattices.trellis_codes import CODES


@pytest.mark.parametrize(
    "overrides",
    [
        ["source=gaussian", "source.variance=2.5"],
        ["source=gaussian", "+source.measure=l1"],
        ["source=laplace", "source.measure=l1", "source.scale=3"],
        ["source=laplace"],
        ["source=uniform"],
        ["source=banana"],
        ["source=banana_marginal"],
        ["source=gaussian_correlated"],
        ["source=sawbridge"],
    ],
)
def test_the_module_alone_has_the_loss_of_its_source(composed, overrides):
    cfg = composed("trainer=smoke", "lattice=z", *overrides)
    module, source = instantiate(cfg.module), instantiate(cfg.source)
    assert (module.measure, module.evaluated.energy) == (source.measure, source.energy)
    x = torch.randn(4, cfg.block_dim)
    error = (x - 0.5 * x).abs().pow({"mse": 2, "l1": 1}[source.measure]).mean(-1)
    torch.testing.assert_close(module.distortion(x, 0.5 * x), error)


def test_a_module_for_another_source_is_refused(composed):
    cfg = composed("source=laplace", "source.measure=l1", "lattice=z")
    module, other = instantiate(cfg.module), instantiate(composed("source=laplace", "lattice=z").source)
    with pytest.raises(ValueError, match="measure=l1"):
        module._check(other)


def test_a_free_codebook_is_called_so(composed):
    description = composed("model=gvq").callbacks.rd_point.description
    assert (description.lattice, description.entropy_model) == ("codebook", "fixed_rate")
    description = composed("model=ntc", "lattice=z").callbacks.rd_point.description
    assert (description.lattice, description.entropy_model) == ("z", "bottleneck")


@pytest.mark.parametrize("states", CODES)
def test_a_trellis_code_has_long_sequences_and_a_transform_for_each_symbol(composed, states):
    for source in ("gaussian", "banana"):
        cfg = composed(f"lattice=tcq{states}", f"source={source}", "transform=mlp")
        assert cfg.lattice.dim >= 1024 and cfg.parts == cfg.n
        assert cfg.transform.analysis.inputs == cfg.symbol.dim


def test_block_coders_keep_their_length(composed):
    cfg = composed("experiment=bltc_tcq256", "source=banana")
    assert (cfg.n, cfg.lattice.dim, cfg.batch_floats, cfg.steps) == (256, 256, 24000, 3000)


@pytest.mark.parametrize("sweep", ["physics", "speech", "banana", "sawbridge"])
def test_a_refinement_is_gentle_whatever_a_sweep_has_for_training_afresh(composed, sweep):
    afresh, cfg = (composed(f"experiment={name}_e8", config=sweep) for name in ("bltc", "refine"))
    assert cfg.trainer.max_steps == round(0.1 * afresh.trainer.max_steps)
    assert cfg.module.optimizer.lr == 5e-4 < afresh.module.optimizer.lr
    assert cfg.module.noise_steps == round(0.9 * cfg.trainer.max_steps)
    assert afresh.module.alternation is None and cfg.module.alternation.steps == round(0.75 * cfg.trainer.max_steps)


@torch.no_grad()
def test_parts_of_a_block_have_the_same_transform(composed):
    cfg = composed("lattice=tcq8", "lattice.dim=12", "source=banana", "transform=mlp")
    coder = instantiate(cfg.model).eval()
    assert (cfg.n, cfg.latent_dim) == (6, 12)
    x = torch.randn(5, 12)
    expected = coder.gain * torch.cat([coder.analysis(part) for part in x.split(2, 1)], 1)
    torch.testing.assert_close(coder.latents(x), expected)
    expected = torch.cat([coder.synthesis(part / coder.gain) for part in x.split(2, 1)], 1)
    torch.testing.assert_close(coder.decode(x), expected)


def test_the_dimension_of_ones_own_vectors_is_read_from_their_file(composed, tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((100, 6)))
    cfg = composed("source=array", f"source.path={tmp_path / 'x.npy'}")
    assert (cfg.symbol.dim, cfg.symbol.latents, cfg.n, cfg.block_dim) == (6, 6, 4, 24)
    assert composed("source=patches").symbol.dim == 64
    assert composed("source=patches", "source.size=4", "source.channels=3").symbol.dim == 48


def test_a_job_is_known_by_its_files(composed, tmp_path, monkeypatch):
    """By the places that paths lead to, of the array and of its test, and by how it is split."""
    monkeypatch.chdir(tmp_path)
    for name in ("x", "y"):
        np.save(f"{name}.npy", np.zeros((100, 2)))

    def mark(*overrides):
        cfg = composed("source=array", *overrides)
        with open_dict(cfg):
            del cfg["hydra"]
        return fingerprint(identity(cfg, tmp_path / "out"))

    same = {mark("source.path=x.npy"), mark("source.path=./x.npy"), mark(f"source.path={tmp_path}/x.npy")}
    others = [
        mark("source.path=y.npy"),
        mark("source.path=x.npy", "source.test=y.npy"),
        mark("source.path=x.npy", "source.seed=1"),
        mark("source.path=x.npy", "source.test_share=0.2"),
    ]
    assert len(same) == 1 and len({*same, *others}) == 5
    assert mark("source.path=x.npy", f"source.test={tmp_path}/y.npy") == others[1]
