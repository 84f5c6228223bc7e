"""How far a sweep is, read from its folder; and where its figures come from."""

import json
import os
import pickle

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from omegaconf import OmegaConf

import experiment.provenance
from callbacks.sweep_progress import SweepProgress
from experiment.provenance import write_provenance
from experiment.sweep.jobs import SweepEntry, begin_entries
from experiment.sweep.progress import SweepState, job_count, swept_keys, time_left
from experiment.sweep.results import gather


def job(folder, number, state, **more):
    about = {"overrides": ["lattice=z", f"lambda={number}", "seed=0"]}
    SweepEntry(folder, number, folder / f"job {number}", about).write(state, **more)


def test_a_sweep_is_read_from_its_folder(tmp_path):
    for number, point in ((0, {"rate": 1.0, "distortion": 0.25, "gap": None}), (1, {"rate": 2.0})):
        (tmp_path / f"job {number}").mkdir()
        (tmp_path / f"job {number}" / "rd_point.json").write_text(json.dumps(point))
    job(tmp_path, 3, "finished")  # of an earlier start
    begin_entries(tmp_path)
    state = SweepState(tmp_path, 4, {"lambda"})
    # What is there is done when its job has said so, and not before.
    assert state.look() == [] and state.summary() == "0/4 done"
    job(tmp_path, 0, "kept")
    job(tmp_path, 1, "running")
    assert state.look() == [0] and state.kept == {0} and state.running == {1: "lambda=1"}
    job(tmp_path, 1, "finished")
    job(tmp_path, 2, "failed", error="no")
    assert state.look() == [1, 2] and state.look() == []
    assert state.summary().startswith("3/4 done, 1 failed, ") and state.points[1]["rate"] == 2.0
    job(tmp_path, 3, "skipped")
    assert state.look() == [] and state.summary() == "3/4 done, 1 failed, 1 left out"


@example(2.0, 2, 90)  # where seconds turn into minutes
@given(st.floats(0.1, 1e6), st.integers(1, 100), st.integers(1, 100))
def test_time_left_is_proportional(elapsed, done, missing):
    number, unit = time_left(elapsed, done, missing).split()
    seconds = float(number) * {"s": 1, "min": 60, "h": 3600}[unit]
    assert abs(seconds - elapsed / done * missing) <= 0.5 + 0.06 * seconds
    assert time_left(elapsed, done, 0) == time_left(elapsed, done, None) == ""


def test_jobs_are_counted_before_they_run():
    def config(task, **sweeper):
        return OmegaConf.create({"hydra": {"sweeper": sweeper, "overrides": {"task": task}}})

    both = config(["lambda=1,2,3", "seed=0"], params={"lattice": "z,e8", "lambda": "7,8"})
    assert job_count(both) == 6 and swept_keys(both) == {"lattice", "lambda"}  # the command line wins
    assert job_count(config(["seed=range(4)"])) == 4 and job_count(config([])) == 1
    assert job_count(config([], n_trials=11, params={"lr": "interval(0, 1)"})) == 11


def test_it_travels_to_workers():
    progress = SweepProgress(0.01)
    progress.on_multirun_start(
        OmegaConf.create({"hydra": {"sweep": {"dir": "none"}, "sweeper": {}, "overrides": {"task": []}}})
    )
    assert pickle.loads(pickle.dumps(progress)).seconds == 0.01
    progress.on_multirun_end(None)


def test_provenance(tmp_path, monkeypatch):
    monkeypatch.setattr(experiment.provenance, "_code", lambda: ("abc", "--- a\n+++ b\n", ["new.py"]))
    config = OmegaConf.create({"seed": 5, "n": "${seed}", "threads": 1})
    write_provenance(tmp_path, config)
    facts = json.loads((tmp_path / "provenance.json").read_text())
    assert (facts["commit"], facts["changed"], facts["untracked"], facts["seed"]) == ("abc", True, ["new.py"], 5)
    assert facts["cores"] == os.cpu_count() and facts["versions"]["torch"] and facts["processor"]
    assert (tmp_path / "changes.diff").read_text() == "--- a\n+++ b\n"
    assert OmegaConf.load(tmp_path / "config.yaml").n == 5
    monkeypatch.setattr(experiment.provenance, "_code", lambda: ("def", "", []))
    write_provenance(tmp_path, config)
    facts = json.loads((tmp_path / "provenance.json").read_text())
    assert facts["commit"] == "def" and facts["earlier_commits"] == ["abc"]
    assert not (tmp_path / "changes.diff").exists()


def test_the_code_is_known_or_nobody_says_so():
    commit, changes, untracked = experiment.provenance._code()
    assert commit is None or (len(commit) == 40 and isinstance(changes, str) and isinstance(untracked, list))


@pytest.mark.parametrize("content", ["", '{"rate": ', "[1]", "3"])
def test_a_damaged_point_of_a_sweep_is_named(tmp_path, content):
    for name in ("0", "1"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "rd_point.json").write_text('{"rate": 1.0}')
    (tmp_path / "1" / "rd_point.json").write_text(content)
    with pytest.raises(ValueError, match=r"1/rd_point\.json is damaged: .*\.$") as error:
        gather(tmp_path)
    assert "\n" not in str(error.value)
