"""What a user meets: ``python run.py``, in a process of its own, down to files and exit codes."""

import csv
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# What others read of a point.
CONTRACT = [
    *("source", "transform", "lattice", "entropy_model", "lambda", "n", "seed", "steps", "train_seconds"),
    *("eval_symbols", "rate", "distortion", "bound_rate", "gap", "coded_rate"),
]


@pytest.fixture
def run(tmp_path, warm_python):
    """``run("lattice=e8", ...)``: run.py with these arguments; its files go to ``tmp_path``.

    With ``cold``, arguments of Python, it starts as for a user.
    """

    def call(*arguments, cold=None, **environment):
        env = {k: v for k, v in os.environ.items() if not k.startswith(("WANDB", "PL_", "LOCAL_RANK", "OMP_"))}
        # No account anywhere: whatever asked for one would find none, nor a terminal to ask at.
        env |= {"HOME": str(tmp_path / "home"), "COLUMNS": "200", "OMP_NUM_THREADS": "1", **environment}
        if cold is None:
            return warm_python.run(["run.py", *arguments], ROOT, env)
        return subprocess.run(
            [sys.executable, *cold, "run.py", *arguments],
            cwd=ROOT,
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=280,
        )

    return call


@pytest.fixture
def smoke(run, tmp_path):
    """``smoke("lattice=e8", ...)``: a single run of trainer=smoke that ends well: its rd_point.json and its output."""

    def call(*arguments, folder="out", **environment):
        out = tmp_path / folder
        done = run("trainer=smoke", *arguments, f"hydra.run.dir={out}", **environment)
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr and "Warning" not in done.stderr
        point = json.loads((out / "rd_point.json").read_text())
        check_point(point)
        assert str(out) in done.stdout and not list(out.glob(".part-*"))
        return point, done

    return call


def check_point(point):
    """The contract of rd_point.json, and its arithmetic."""
    assert set(CONTRACT) <= set(point)
    assert point["steps"] > 0 and point["train_seconds"] > 0 and point["eval_symbols"] > 0
    assert math.isfinite(point["rate"]) and point["rate"] >= 0
    assert math.isfinite(point["distortion"]) and point["distortion"] > 0
    if point["bound_rate"] is None:
        assert point["gap"] is None
    else:
        assert point["gap"] == pytest.approx(point["rate"] - point["bound_rate"], abs=1e-9)
        # No code is below R(D); the evaluation is of finitely many symbols.
        assert point["gap"] > -6 * point["gap_error"] - 0.01
    if point["exact"] and point["coded_rate"] is not None:
        assert point["coded_rate"] == pytest.approx(point["rate"], rel=0.1, abs=0.1)


def test_default_job(smoke, tmp_path):
    point, done = smoke("lambda=0.5", "seed=3", cold=[])
    named = {key: point[key] for key in ("source", "lattice", "transform", "entropy_model", "lambda", "n", "seed")}
    assert named == {
        **{"source": "gaussian", "lattice": "e8", "transform": "linear", "entropy_model": "exact"},
        **{"lambda": 0.5, "n": 8, "seed": 3},
    }
    assert point["steps"] == 20 and point["eval_symbols"] == 8000
    bound = 0.5 * math.log2(1 / point["distortion"]) if point["distortion"] < 1 else 0
    assert point["bound_rate"] == pytest.approx(bound, abs=1e-6)
    out = tmp_path / "out"
    assert {"rd_point.json", "rd_point.png", "checkpoints", ".hydra"} <= {path.name for path in out.iterdir()}
    assert (out / "rd_point.png").read_bytes().startswith(b"\x89PNG")
    assert f"{point['rate']:.4f}" in done.stdout
    # The same command gives the same point; another seed another one.
    again, _ = smoke("lambda=0.5", "seed=3", "logger=none", folder="again")
    clocks = {"train_seconds": 0, "calibration_seconds": 0}
    assert {**again, **clocks} == {**point, **clocks}
    other, _ = smoke("lambda=0.5", "seed=4", "logger=none", folder="other")
    assert other["rate"] != point["rate"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["model=ntc"], {"model": "ntc", "lattice": "z", "entropy_model": "bottleneck", "n": 1}),
        (["model=eclq", "lattice=a2"], {"model": "eclq", "lattice": "a2", "transform": "identity", "n": 2}),
        (["model=ltc_dither", "source=uniform", "n=16"], {"model": "ltc_dither", "source": "uniform", "n": 16}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_models(smoke, arguments, expected):
    point, _ = smoke(*arguments)
    assert {key: point[key] for key in expected} == expected


@pytest.mark.data
def test_physics(smoke, data_dir):
    if not (data_dir / "physics").is_dir():
        pytest.skip(f"no physics in {data_dir}")
    point, _ = smoke("source=physics", f"data_dir={data_dir}")
    assert point["bound_rate"] is None and point["gap"] is None and point["n"] == 1


def test_wandb_needs_no_account(smoke, tmp_path):
    """Offline without being told so, without a question, and without a word on the network."""
    _, done = smoke("logger=wandb", "lattice=z")
    assert list(tmp_path.glob("out/wandb/offline-run-*/run-*.wandb"))
    text = (done.stdout + done.stderr).lower()
    assert not any(word in text for word in ("api key", "login", "(1) create", "enter your choice"))


def rows(folder):
    with (folder / "rd_points.csv").open() as file:
        return list(csv.DictReader(file))


def test_sweep(run, tmp_path):
    done = run("-m", "trainer=smoke", "lattice=e8,z", "lambda=0.5,2", f"hydra.sweep.dir={tmp_path}/sweep")
    assert done.returncode == 0, done.stderr
    found = rows(tmp_path / "sweep")
    assert [(row["lattice"], float(row["lambda"])) for row in found] == [("e8", 0.5), ("e8", 2), ("z", 0.5), ("z", 2)]
    for number, row in enumerate(found):
        assert set(CONTRACT) <= set(row) and not row["error"]
        assert float(row["gap"]) == pytest.approx(float(row["rate"]) - float(row["bound_rate"]), abs=1e-9)
        point = json.loads((tmp_path / "sweep" / str(number) / "rd_point.json").read_text())
        check_point(point)
        assert float(row["rate"]) == point["rate"] and float(row["distortion"]) == point["distortion"]
    assert (tmp_path / "sweep" / "rd_curves.png").read_bytes().startswith(b"\x89PNG")
    assert "4 points" in done.stdout and str(tmp_path / "sweep") in done.stdout
    # A job of a sweep is the job that one would run alone: nothing is left over from the job before.
    alone = run("trainer=smoke", "lattice=z", "lambda=2", f"hydra.run.dir={tmp_path}/alone")
    assert alone.returncode == 0, alone.stderr
    point = json.loads((tmp_path / "alone" / "rd_point.json").read_text())
    assert point["rate"] == float(found[3]["rate"]) and point["distortion"] == float(found[3]["distortion"])


def test_a_failing_job_does_not_stop_a_sweep(run, tmp_path):
    done = run("-m", "trainer=smoke", "lattice=e8,z", "n=6", f"hydra.sweep.dir={tmp_path}/sweep")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    failed, good = rows(tmp_path / "sweep")
    assert failed["lattice"] == "e8" and "multiples of 8" in failed["error"] and not failed["rate"]
    assert good["lattice"] == "z" and not good["error"] and float(good["rate"]) >= 0
    assert (tmp_path / "sweep" / "rd_curves.png").exists()
    assert "1 of 2 jobs failed" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["lattice=e8", "n=6"], "n=6 makes 6 latents, but lattice=e8 tiles multiples of 8"),
        (["source=physics", "data_dir=/nowhere"], "/nowhere"),
        (["model=ntc", "lattice=e8"], "its lattice is z, not e8"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_is_one_sentence(run, tmp_path, arguments, sentence):
    done = run("trainer=smoke", *arguments, f"hydra.run.dir={tmp_path}/out")
    assert done.returncode == 2
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert len(lines) == 1 and lines[0].startswith("error: ") and sentence in lines[0]
    assert not (tmp_path / "out" / "rd_point.json").exists()


@pytest.mark.parametrize("arguments", [["--help"], ["--cfg", "job"]], ids=lambda a: a[0])
def test_looking_at_a_configuration_loads_nothing_heavy(run, arguments):
    done = run(*arguments, cold=["-X", "importtime"])
    assert done.returncode == 0
    loaded = {line.split("|")[-1].strip().split(".")[0] for line in done.stderr.splitlines() if "|" in line}
    assert {"hydra", "omegaconf", "conf"} <= loaded  # the probe works
    assert not loaded & {"torch", "pytorch_lightning", "lightning", "numba", "pandas", "matplotlib", "wandb", "ltc"}
    assert "lattice" in done.stdout and "lambda" in done.stdout


def test_what_ends_a_sweep_needs_no_torch():
    """The process that starts a launcher's workers gathers their points: it need not load what they have loaded."""
    modules = "callbacks.sweep_summary, experiment.pictures.rd_curves, experiment.tables, experiment.report"
    code = f"import sys, {modules}; print(sorted(sys.modules.keys() & {{'torch', 'pytorch_lightning', 'matplotlib'}}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['matplotlib']"


@pytest.mark.parametrize("chosen", [None, "active"])
def test_threads_wait_without_spinning(chosen):
    """Spinning threads make steps many times as long where other jobs take a core; it is set before torch is there."""
    env = {k: v for k, v in os.environ.items() if k != "OMP_WAIT_POLICY"} | (
        {"OMP_WAIT_POLICY": chosen} if chosen else {}
    )
    code = "import os, run, sys; print(os.environ['OMP_WAIT_POLICY'], 'torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [chosen or "passive", "False"]


def test_a_rate_that_no_file_has_is_not_called_exact(smoke):
    """Hardly trained at a far too high lambda, the prior holds all latents for impossible; files escape them."""
    point, done = smoke("lambda=1e6", "logger=none")
    assert point["coded_rate"] < 0.5 * point["rate"] and not point["exact"]
    assert "shorter than the model's rate" in done.stdout
