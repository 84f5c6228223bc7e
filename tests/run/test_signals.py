"""SIGTERM and SIGINT at any moment: the shell's exit code, one line, nothing half written, and the command goes on."""

import itertools
import json
import os
import random
import signal
import subprocess
import time

import pytest

RUN = ["trainer=smoke", "trainer.max_steps=300", "logger=none", "lattice=z"]
SWEEP = [*RUN, "lattice=z,a2", "lambda=1,2"]
CODES = {signal.SIGTERM: 143, signal.SIGINT: 130}

# Seconds in which even a busy machine ends what it was told to end, or a sweep of four short runs.
PATIENCE = 1000


def interrupted(process, folder, number, group=False):
    """Sends a signal and checks what is left."""
    (os.killpg if group else os.kill)(process.pid, number)
    return ended(process, folder, number)


def ended(process, folder, number):
    """Checks what a signal has left."""
    assert process.wait(timeout=PATIENCE) == CODES[number], process.output()
    lines = [line for line in process.output().splitlines() if line.startswith("interrupted")]
    assert lines == ["interrupted; the same command goes on"], process.output()
    assert "Traceback" not in process.output() and "Warning" not in process.output(), process.output()
    assert not list(folder.rglob(".part-*"))
    states = [json.loads(path.read_text())["state"] for path in folder.rglob("job.json")]
    assert "running" not in states
    return states


def running(pid):
    listing = subprocess.run(["ps", "-o", "stat=", "-g", str(pid)], capture_output=True, text=True).stdout
    return [stat for stat in listing.split() if not stat.startswith("Z")]


@pytest.mark.parametrize(
    ("number", "moment"),
    [(signal.SIGTERM, None), (signal.SIGINT, "checkpoints/milestone.ckpt"), (signal.SIGTERM, "checkpoints/last.ckpt")],
    ids=["imports", "training", "calibration"],
)
def test_a_run(launch, tmp_path, number, moment):
    process = launch(*RUN, "calibration.refit_steps=3000", f"hydra.run.dir={tmp_path}/out", cold=moment is None)
    end = time.monotonic() + 200
    while moment and not (tmp_path / "out" / moment).exists():
        assert process.poll() is None and time.monotonic() < end, process.output()
        time.sleep(0.01)
    time.sleep(0 if moment else 0.5)
    assert interrupted(process, tmp_path, number) == (["interrupted"] if moment else [])


@pytest.mark.slow
def test_a_sweep_with_workers(launch, sweep, tmp_path):
    """A terminal's SIGINT is for all processes; none is left."""
    folder = tmp_path / "sweep"
    command = [*RUN, "lambda=1,2,4", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2", f"hydra.sweep.dir={folder}"]
    process = launch("-m", *command)
    while not list(folder.glob("*/checkpoints/milestone.ckpt")):
        assert process.poll() is None, process.output()
        time.sleep(0.01)
    assert "interrupted" in interrupted(process, folder, signal.SIGINT, group=True)
    end = time.monotonic() + 20
    while running(process.pid):
        assert time.monotonic() < end, "workers are left"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def known():
    """What the tests of a sweep know of it: how long it takes, and its figures."""
    return {}


@pytest.fixture
def whole(known, sweep, figures, tmp_path):
    """(seconds, figures) of the sweep that is never interrupted; it runs once."""
    if not known:
        begin = time.monotonic()
        sweep(tmp_path / "whole", *SWEEP, patience=PATIENCE)
        known.update(seconds=time.monotonic() - begin, figures=figures(tmp_path / "whole"))
    return known["seconds"], known["figures"]


@pytest.mark.slow
@pytest.mark.timeout(6000)
@pytest.mark.parametrize("part", range(4))
@pytest.mark.parametrize("number", CODES, ids=lambda number: number.name)
def test_signals_at_random_moments(launch, sweep, figures, tmp_path, whole, number, part, seed):
    """Twenty of each kind, five a test: a slow machine gets through them one by one."""
    rng, (seconds, expected) = random.Random(seed), whole
    # Another one as soon as one is done: there is nothing left in it to be interrupted.
    folders, sent = (tmp_path / f"stopped-{i}" for i in itertools.count()), 0
    folder = next(folders)
    while sent < 5:
        fresh, begin = not folder.exists(), time.monotonic()
        process = launch("-m", *SWEEP, f"hydra.sweep.dir={folder}", cold=True)
        try:
            process.wait(rng.uniform(0.3, seconds))
        except subprocess.TimeoutExpired:
            (done := "Results:" in process.output()) or process.send_signal(number)
            if process.wait(timeout=PATIENCE) == 0:
                assert "Results:" in process.output()  # all was done when the signal came
                folder = next(folders)
                continue
            assert not done
            ended(process, folder, number)
            sent += 1
        else:
            assert process.returncode == 0, process.output()
            if fresh:  # the machine is not as busy any more
                seconds = min(seconds, time.monotonic() - begin)
            folder = next(folders)
    sweep(folder, *SWEEP, patience=PATIENCE)
    assert figures(folder) == expected
