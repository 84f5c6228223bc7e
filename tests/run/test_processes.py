"""One job on several processes: what they compute, and what happens when one of them dies."""

import json
import math
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

CPU = ["trainer=ddp", "devices=2", "trainer.accelerator=cpu", "logger=none"]


def children(pid):
    """The processes that a process has started."""
    listing = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True).stdout
    return [int(word) for word in listing.split() if b"run.py" in Path(f"/proc/{word}/cmdline").read_bytes()]


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("victim", ["rank 1", pytest.param("rank 0", marks=pytest.mark.slow)])
def test_a_process_that_dies_ends_the_run(launch, tmp_path, victim):
    process = launch(*CPU, "steps=1000000", "+callbacks.resume.seconds=0", f"hydra.run.dir={tmp_path}/out")
    end = time.monotonic() + 200
    while not (tmp_path / "out" / "checkpoints" / "newest.ckpt").exists():
        assert process.poll() is None and time.monotonic() < end, process.output()
        time.sleep(0.1)
    (child,) = children(process.pid)
    os.kill(child if victim == "rank 1" else process.pid, signal.SIGKILL)
    assert process.wait(timeout=60) != 0
    end = time.monotonic() + 60
    while alive(child):
        assert time.monotonic() < end, "the other process still waits"
        time.sleep(0.1)
    assert "error: " in process.output() and "process of this run died" in process.output()
    assert not (tmp_path / "out" / "rd_point.json").exists()


def test_a_sweep_of_jobs_on_two_processes(sweep, figures, tmp_path):
    """Each job has its own processes with its own configuration, also one that is named; one process speaks."""
    few = ["trainer.max_steps=10", "eval_symbols=8000", "batch_size=50"]
    few += [f"++calibration.{name}=2" for name in ("evaluations", "refit_steps", "rdo_steps", "final_steps")]
    told = sweep(tmp_path / "sweep", "--config-name", "smoke", *CPU, *few, "lattice=z", "lambda=2,4")
    first, second = figures(tmp_path / "sweep")
    assert float(first["lambda"]) == 2 and float(second["lambda"]) == 4 and first["rate"] != second["rate"]
    # Of both processes, each block once.
    assert int(first["eval_symbols"]) == int(second["eval_symbols"]) == 8000
    assert int(first["steps"]) == 10 and told.count("Results:") == told.count("[1/2 done") == 1
    assert json.loads((tmp_path / "sweep" / "1" / "job.json").read_text())["state"] == "finished"


@pytest.mark.slow
def test_two_processes_train_as_well_as_one(launch, tmp_path):
    """At the same global batch; each process has samples of its own, so figures agree within their noise, not more."""
    points = []
    for name, more in (("one", ["batch_size=1000"]), ("two", [*CPU, "batch_size=500"])):
        process = launch(*more, "lambda=4", "logger=none", f"hydra.run.dir={tmp_path / name}")
        assert process.wait(timeout=290) == 0, process.output()
        points.append(json.loads((tmp_path / name / "rd_point.json").read_text()))
    one, two = points
    assert one["rate"] != two["rate"]
    costs = [point["rate"] + point["lambda"] * point["distortion"] for point in points]
    # Errors of rate and distortion nearly cancel along the curve: what is left is at least the gap's.
    error = math.hypot(one["gap_error"], two["gap_error"])
    assert abs(one["gap"] - two["gap"]) < 5 * error + 0.001
    assert costs[0] == pytest.approx(costs[1], abs=0.01)
