"""Configurations composed as Hydra does for run.py, but in this process."""

from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig

import conf

CONF = Path(conf.__file__).parent


@pytest.fixture
def composed(tmp_path):
    """``composed("lattice=e8", "lambda=2")``: the configuration of a job, with Hydra's own where it wants to be."""
    GlobalHydra.instance().clear()

    def make(*overrides, config="config"):
        with initialize_config_dir(str(CONF), version_base="1.3"):
            cfg = compose(config, [*overrides, f"hydra.runtime.output_dir={tmp_path}"], return_hydra_config=True)
        HydraConfig.instance().set_config(cfg)
        return cfg

    yield make
    GlobalHydra.instance().clear()
    HydraConfig.instance().cfg = None


@pytest.fixture(scope="session")
def choices():
    """``choices("lattice")``: the names of a group's files."""
    return lambda group: sorted(path.stem for path in (CONF / group).glob("*.yaml"))
