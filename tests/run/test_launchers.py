"""The same figures whoever runs the jobs; a search for hyper-parameters."""

import importlib.util
import json

import pytest

SWEEP = ["trainer=smoke", "trainer.max_steps=20", "logger=none", "lattice=z,a2", "lambda=2"]

LAUNCHERS = [
    ("joblib", "hydra_plugins.hydra_joblib_launcher", []),
    pytest.param("submitit_local", "hydra_plugins.hydra_submitit_launcher", [], marks=pytest.mark.slow),
    pytest.param("ray", "ray", [], marks=pytest.mark.slow),
]


def installed(module):
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


@pytest.mark.parametrize(("name", "module", "more"), LAUNCHERS)
def test_launcher(sweep, figures, tmp_path, name, module, more):
    if not installed(module):
        pytest.skip(f"{module} is not installed: pip install '.[cluster]'")
    sweep(tmp_path / "alone", *SWEEP)
    text = sweep(tmp_path / name, *SWEEP, f"hydra/launcher={name}", *more)
    assert figures(tmp_path / name) == figures(tmp_path / "alone")
    assert "2/2 done" in text  # read from the folder
    own = [line for line in text.splitlines() if line.startswith(("[", "│", "┏"))]
    assert len(own) >= 5 and all(len(line) <= 80 for line in own), text


def test_slurm_jobs_are_described(launch):
    if not installed("hydra_plugins.hydra_submitit_launcher"):
        pytest.skip("hydra-submitit-launcher is not installed: pip install '.[cluster]'")
    process = launch("--cfg=hydra", "hydra/launcher=submitit_slurm")
    assert process.wait(timeout=100) == 0, process.output()
    assert "tasks_per_node: ${devices}" in process.output() and "SlurmLauncher" in process.output()


def test_optuna(launch, tmp_path):
    if not installed("hydra_plugins.hydra_optuna_sweeper"):
        pytest.skip("hydra-optuna-sweeper is not installed: pip install '.[optuna]'")
    command = ["-m", "--config-name", "smoke_optuna", "hydra.sweeper.n_trials=3", "lattice=z", "logger=none"]
    process = launch(*command, f"hydra.sweep.dir={tmp_path}")
    assert process.wait(timeout=280) == 0, process.output()
    points = [json.loads((tmp_path / job / "rd_point.json").read_text()) for job in "012"]
    best = min(point["rate"] + point["lambda"] * point["distortion"] for point in points)
    found = (tmp_path / "optimization_results.yaml").read_text()
    assert f"best_value: {best:.6f}"[:18] in found and "optimizer.lr" in found


@pytest.mark.parametrize(
    ("arguments", "module", "extra"),
    [
        (["hydra/launcher=submitit_slurm", "hydra.launcher.partition=cpu"], "hydra_submitit_launcher", "cluster"),
        (["--config-name", "smoke_optuna"], "hydra_optuna_sweeper", "optuna"),
    ],
    ids=["submitit", "optuna"],
)
def test_a_missing_extra_is_one_sentence(launch, tmp_path, arguments, module, extra):
    if installed(f"hydra_plugins.{module}"):
        pytest.skip(f"{module} is installed")
    process = launch("-m", *arguments, f"hydra.sweep.dir={tmp_path}/s")
    assert process.wait(timeout=100) != 0
    assert f"pip install '.[{extra}]'" in process.output() and "Traceback" not in process.output()
    assert "Available options" not in process.output()
