"""A sweep that is killed and started again does only what is missing, and ends as if nothing had happened."""

import argparse
import json
import os
import signal

import pytest

SWEEP = ["trainer=smoke", "trainer.max_steps=60", "logger=none", "lattice=z", "lambda=1,2"]


@pytest.mark.parametrize(
    "moment",
    [
        "checkpoints/milestone.ckpt",  # in the training of the second point
        pytest.param("coder.pt", marks=pytest.mark.slow),  # in its evaluation
        pytest.param("job.json", marks=pytest.mark.slow),  # before it began
    ],
)
def test_killed(launch, kill_when, sweep, figures, tmp_path, moment):
    sweep(tmp_path / "whole", *SWEEP)
    folder = tmp_path / "killed"
    kill_when(launch("-m", *SWEEP, f"hydra.sweep.dir={folder}"), (folder / "1" / moment).exists)
    finished = (folder / "0" / "rd_point.json").stat().st_mtime_ns
    assert json.loads((folder / "1" / "job.json").read_text())["state"] == "running"
    assert not (folder / "rd_points.csv").exists()
    text = sweep(folder, *SWEEP)
    assert "1/2 done" in text and text.count("Done before, kept") == 1
    assert (folder / "0" / "rd_point.json").stat().st_mtime_ns == finished
    assert figures(folder) == figures(tmp_path / "whole")
    assert [path.name for path in (folder / "1" / "checkpoints").iterdir()] == ["last.ckpt"]


@pytest.mark.slow
def test_workers_end_with_their_sweep(launch, sweep, figures, tmp_path):
    """Killed alone, without its launcher's workers: they must not go on beside the next start's."""
    more = (*SWEEP, "lambda=1,2,4,8", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2")
    sweep(tmp_path / "whole", *more)
    folder = tmp_path / "killed"
    process = launch("-m", *more, f"hydra.sweep.dir={folder}")
    while not (folder / "0" / "checkpoints" / "milestone.ckpt").exists():
        assert process.poll() is None
    os.kill(process.pid, signal.SIGKILL)
    sweep(folder, *more)
    assert figures(folder) == figures(tmp_path / "whole")


def test_other_choices_in_the_same_folder(sweep, figures, tmp_path):
    """A point belongs to its settings: whatever number its job has now, it is kept, and none is computed twice."""
    sweep(tmp_path, *SWEEP)
    before = {row["lambda"]: row for row in figures(tmp_path)}
    text = sweep(tmp_path, *SWEEP, "lambda=4,1")
    assert text.count("Done before, kept") == 1
    after = {row["lambda"]: row for row in figures(tmp_path)}
    assert set(after) == {"1.0", "2.0", "4.0"} and len(figures(tmp_path)) == 3
    assert all(after[key] == row for key, row in before.items())


@pytest.mark.slow
def test_a_sweep_that_does_not_resume_keeps_what_was(sweep, figures, tmp_path):
    sweep(tmp_path, *SWEEP)
    assert "Done before" not in sweep(tmp_path, *SWEEP, "+resume=false")
    assert len(figures(tmp_path)) == 2 and (tmp_path / "0.kept-1" / "rd_point.json").exists()


def test_a_point_that_diverges_is_tried_once_more(launch, figures, tmp_path):
    steps = ["trainer=smoke", "trainer.max_steps=60", "logger=none", "lattice=z", "optimizer.lr=10,1e9"]
    process = launch("-m", *steps, f"hydra.sweep.dir={tmp_path}")
    assert process.wait(timeout=280) == 1
    saved, lost = figures(tmp_path)
    assert 0 < float(saved["gap"]) < 0.5 and not saved["error"]
    assert float(saved["attempt"]) == 2 and "diverged" in saved["first_attempt"]
    assert "second attempt: lattice=z" in process.output() and "Once more from" in process.output()
    assert "first attempt" in lost["error"] and not lost["rate"]
    records = [json.loads((tmp_path / job / "job.json").read_text()) for job in "01"]
    assert [record["state"] for record in records] == ["finished", "failed"]
    assert all(record["reason"] for record in records)


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_twenty_kills_at_random_moments(tmp_path, seed):
    from benchmarks.sweeps import kills

    text = "\n".join(kills(tmp_path, argparse.Namespace(kills=20, seed=seed)))
    assert "equal to the last digit" in text, text
