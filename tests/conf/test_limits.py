"""Settings out of range, choices that are none, awkward paths, misplaced options: a sentence, or what was meant."""

import subprocess
import sys
from pathlib import Path

import pytest
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import ConfigCompositionException, HydraException
from hydra.types import RunMode
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf, read_write

import conf
from conf.limits import check_settings, check_sweep
from conf.overrides import choices as names

ROOT = Path(conf.__file__).parent.parent
GROUPS = sorted(path.name for path in (ROOT / "conf").iterdir() if names(path.name) and path.name != "shorthand")


OUT_OF_RANGE = [
    *("threads=0", "threads=-1", "threads=1.5", "threads=abc", "n=0", "n=-8", "n=2.5", "n=null", "seed=abc"),
    *("seed=-1", "seed=null", "seed=4294967296", "devices=0", "devices=-2", "num_nodes=0", "batch_size=0"),
    *("trainer.max_steps=-1", "steps=-1", "step_factor=0", "eval_symbols=0", "eval_symbols=null", "gain=-1", "gain=0"),
    *("noise=2", "noise=-0.1", "noise=.nan", "optimizer.lr=0", "optimizer.lr=-1", "optimizer.lr=abc", "prior_lr=0"),
    *("eval_batch_size=0", "batch_floats=0", "quantizer.rdo=1", "run=0", "symbol.dim=0", "lattice.dim=0", "lambda=-1"),
    *("parts=0", "sequence=0", "fail_fast=2"),
]
OF_IMAGES = [
    *("crops=0", "crop_size=0", "crop_size=-64", "threads=0", "eval_symbols=0", "steps=-1", "data.workers=-1"),
    *("module.clip=0", "data.cache_mb=-1", "reconstructions=2"),
]


@pytest.mark.parametrize(("config", "settings"), [("config", OUT_OF_RANGE), ("images", OF_IMAGES)])
def test_settings_out_of_range(composed, config, settings):
    cfg = composed(config=config)
    for setting in settings:
        key, _, value = setting.partition("=")
        with pytest.raises(ValueError, match=rf"^{key}={value.strip('.')} is not allowed: it is .*\.$"):
            check_settings(OmegaConf.merge(cfg, OmegaConf.from_dotlist([setting])))


@pytest.mark.parametrize("setting", ["lowest=-1", "highest=0", "rounds=0", "refit_steps=-1", "lr=0"])
def test_settings_of_the_calibration_that_are_added(composed, setting):
    """Of these the configuration has none by itself."""
    with pytest.raises(ValueError, match=rf"^calibration\.{setting} is not allowed: it is a .*\.$"):
        check_settings(composed(f"+calibration.{setting}"))


def test_what_is_not_set_is_named(composed):
    with pytest.raises(ValueError, match=r"image_data\.folder is not set"):
        check_settings(composed("image_data=folder", config="images"))
    check_settings(composed("image_data=folder", "image_data.folder=/here", config="images"))
    with pytest.raises(ValueError, match="lambda is not set"):
        check_settings(composed("~lambda"))


def test_what_is_allowed(composed):
    cfg = composed()
    check_settings(cfg)
    for setting in ("devices=-1", "devices=auto", "devices=[0,1]", "prior_lr=null", "noise=1", "noise=0", "steps=0"):
        check_settings(OmegaConf.merge(cfg, OmegaConf.from_dotlist([setting])))


def parsed(*overrides):
    return OverridesParser.create().parse_overrides(list(overrides))


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("value", ["null", "[e8,z]", "{dim: 8}"])
def test_what_is_no_choice(group, value):
    with pytest.raises(ConfigCompositionException, match=rf"{group}=.* is not allowed: {group} is ") as error:
        parsed(f"{group}={value}")
    assert names(group)[0] in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("override", ["source=5", "source=true", "lattice=8", "trainer=1.5", "lambda=true"])
def test_numbers_are_no_choices_of_other_groups(composed, override):
    """Hydra's own answer, with the names that there are, and no ValueError out of its inside."""
    with pytest.raises(HydraException, match=rf"{override.partition('=')[2]}[\s\S]*(gaussian|\be8\b|smoke|mid)"):
        composed(override)


# Whatever a folder may be called; commas, braces and quotes have a meaning, and blanks at the ends are cut.
NAMES = st.text(st.characters(exclude_characters="'\"\\,[]{}$/\x00", exclude_categories=["C", "Z"]), min_size=1)


@given(NAMES)
def test_paths_of_any_letters(name):
    (override,) = parsed(f"data_dir=/data/{name}/more")
    assert override.value() == f"/data/{name}/more"
    # A job of a sweep is handed on as text.
    assert parsed(f"data_dir={override.get_value_element_as_str()}")[0].value() == f"/data/{name}/more"


def test_quotations_sweeps_and_mistakes_stay_what_they_are():
    assert parsed("data_dir='/a=b,c'")[0].value() == "/a=b,c"
    assert parsed("lattice=e8,z")[0].is_sweep_override() and parsed("x=choice(1,2)")[0].is_sweep_override()
    for mistake in ("lattice", "lambda=choice(1", "a=[1", "a={b", "a='b"):
        with pytest.raises(HydraException):
            parsed(mistake)


def test_options_stand_anywhere():
    """Also between overrides, where Python's argparse would not have them."""
    done = subprocess.run(
        [sys.executable, "run.py", "trainer=smoke", "--config-name", "images", "network=mbt2018", "--cfg", "job"],
        **{"cwd": ROOT, "capture_output": True, "text": True, "timeout": 100},
    )
    assert done.returncode == 0, done.stderr
    assert "crop_size: 64" in done.stdout and "JointAutoregressive" in done.stdout


def test_a_sweep_that_is_run_as_one_job(composed):
    composed(config="gaussian")
    with read_write(HydraConfig.get()):
        HydraConfig.get().mode = RunMode.RUN
    with pytest.raises(ValueError, match=r"gaussian is a sweep over lattice and lambda.*-m.*lattice=z lambda=0\.5"):
        check_sweep(HydraConfig.get())
    for overrides, config in ((["lattice=e8", "lambda=1"], "gaussian"), ([], "config"), ([], "images")):
        composed(*overrides, config=config)
        with read_write(HydraConfig.get()):
            HydraConfig.get().mode = RunMode.RUN
        check_sweep(HydraConfig.get())
