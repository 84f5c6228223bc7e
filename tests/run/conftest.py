"""Sweeps in processes of their own, that can be killed with all their children."""

import contextlib
import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# What a run knows of clocks, not of figures.
CLOCKS = {"train_seconds", "calibration_seconds"}


@pytest.fixture
def launch(tmp_path, warm_python):
    """``launch("lattice=z", ...)``: run.py as a process with a session of its own; killed when the test ends.

    ``cold=True`` starts it as for a user, with all its imports.
    """
    running = []

    def call(*arguments, cold=False):
        env = {k: v for k, v in os.environ.items() if not k.startswith(("WANDB", "PL_", "LOCAL_RANK", "SLURM"))}
        env |= {"HOME": str(tmp_path / "home"), "COLUMNS": "80", "OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"}
        out = (tmp_path / f"output-{len(running)}.txt").open("w+")
        with open(os.devnull) as nothing:
            files = {"stdin": nothing, "stdout": out, "stderr": out}
            if cold:
                command = [sys.executable, "run.py", *arguments]
                session = {"start_new_session": True, "preexec_fn": heed}
                process = subprocess.Popen(command, cwd=ROOT, env=env, **session, **files)
            else:
                process = warm_python.start(["run.py", *arguments], ROOT, env, **files)
        process.output = lambda: Path(out.name).read_text()
        running.append(process)
        return process

    yield call
    for process in running:
        kill(process)


def heed():
    """Tests that run in the background ignore SIGINT, and so would their children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def kill(process):
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.fixture
def kill_when():
    """``kill_when(process, condition)``: SIGKILL for a process and its children as soon as something is so."""

    def wait_and_kill(process, condition, patience=200):
        end = time.monotonic() + patience
        while not condition():
            assert process.poll() is None, f"ended before it could be killed:\n{process.output()}"
            assert time.monotonic() < end, "it never came to be"
            time.sleep(0.005)
        kill(process)

    return wait_and_kill


@pytest.fixture
def figures():
    """``figures(folder)``: the rows of a sweep's rd_points.csv without its clocks."""

    def read(folder):
        with (folder / "rd_points.csv").open() as file:
            return [{k: v for k, v in row.items() if k not in CLOCKS} for row in csv.DictReader(file)]

    return read


@pytest.fixture
def sweep(launch):
    """``sweep(folder, "lattice=z", ...)``: a sweep that ends well; its output."""

    def call(folder, *arguments, patience=280):
        process = launch("-m", *arguments, f"hydra.sweep.dir={folder}")
        assert process.wait(timeout=patience) == 0, process.output()
        assert "Traceback" not in process.output() and "Warning" not in process.output(), process.output()
        return process.output()

    return call
