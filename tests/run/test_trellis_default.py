"""What a trellis code reaches without any setting: `python run.py lattice=tcq256`."""

import json

import pytest


@pytest.mark.slow
@pytest.mark.parametrize("lmbda", [1.4, 3, 11])  # 0.5, 1.1 and 2 bits
def test_the_default_of_256_states_is_near_the_limit(launch, tmp_path, lmbda):
    process = launch("lattice=tcq256", f"lambda={lmbda}", "logger=none", f"hydra.run.dir={tmp_path}/run")
    assert process.wait() == 0, process.output()
    point = json.loads((tmp_path / "run" / "rd_point.json").read_text())
    assert point["gap"] < 0.038 and 0.034 < point["theory_gap"] < 0.037
