"""Nothing finished is lost: whatever the next command is, in the folder of a result."""

import csv
import json
import os
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RUN = ["trainer=smoke", "logger=none", "lattice=z", "eval_symbols=2000"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    return tmp_path_factory.mktemp("finished")


@pytest.fixture
def result(launch, finished, tmp_path):
    """The folder of a finished run."""
    if not (finished / "out").exists():
        process = launch(*RUN, f"hydra.run.dir={finished}/out")
        assert process.wait(timeout=280) == 0, process.output()
    return shutil.copytree(finished / "out", tmp_path / "out")


def content(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file() and p.suffix != ".log"}


@pytest.mark.parametrize(
    ("more", "code", "words"),
    [
        (["lattice=e8", "n=3"], 2, "multiples of 8"),
        (["gain=${nope}"], 2, "nope"),
        (["source=physics", "data_dir=/nowhere"], 2, "/nowhere"),
        (["lattice=e8"], 2, "lattice=z there, e8 here"),
        (["threads=2", "data_dir=/nowhere/", "logger=csv"], 0, "Done before, kept"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_result_stays(launch, result, more, code, words):
    before = content(result)
    process = launch(*RUN, *more, f"hydra.run.dir={result}")
    assert process.wait(timeout=280) == code, process.output()
    assert words in process.output() and "Traceback" not in process.output()
    assert content(result) == before


def test_another_job_moves_it_aside_on_request(launch, result):
    before = (result / "rd_point.json").read_bytes()
    process = launch(*RUN, "lambda=2", "+resume=false", f"hydra.run.dir={result}")
    assert process.wait(timeout=280) == 0, process.output()
    assert json.loads((result / "rd_point.json").read_text())["lambda"] == 2
    assert (result.with_name("out.kept-1") / "rd_point.json").read_bytes() == before


def test_folders_by_any_name(launch, tmp_path):
    """A sweep whose jobs have names has a table, and its failures an exit code."""
    process = launch(
        *("-m", *RUN, "lattice=e8", "n=3,8", "hydra.sweep.subdir=n${n}", "fail_fast=false"),
        f"hydra.sweep.dir={tmp_path}/s",
    )
    assert process.wait(timeout=280) == 1, process.output()
    with (tmp_path / "s" / "rd_points.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["n"], bool(row["error"])) for row in rows] == [("3", True), ("8", False)]
    assert "failed: lattice=e8 lambda=4" in process.output() and (tmp_path / "s" / "report.html").exists()


def test_fail_fast(launch, tmp_path):
    process = launch("-m", *RUN, "lattice=e8", "n=3,8,16", "fail_fast=true", f"hydra.sweep.dir={tmp_path}/s")
    assert process.wait(timeout=280) == 1, process.output()
    assert "1 of 3 jobs failed" in process.output() and "2 were not begun" in process.output()
    assert not list((tmp_path / "s").glob("*/coder.pt"))


def test_jobs_do_not_share_the_sweeps_own_folder(launch, tmp_path):
    process = launch("-m", *RUN, "lambda=1,2", "hydra.sweep.subdir=.", f"hydra.sweep.dir={tmp_path}/s")
    assert process.wait(timeout=280) == 2 and "the sweep's own folder" in process.output()
    assert "Traceback" not in process.output() and not (tmp_path / "s.kept-1").exists()


def test_a_folder_that_cannot_be_written(launch, tmp_path):
    (tmp_path / "file").write_text("")
    process = launch(*RUN, f"hydra.run.dir={tmp_path}/file/out")
    assert process.wait(timeout=280) == 2
    assert "cannot be written" in process.output() and "Traceback" not in process.output()


@pytest.mark.parametrize("before", [False, True], ids=["trains", "kept"])
def test_whoever_reads_may_leave(warm_python, finished, result, tmp_path, before):
    """``python run.py | head -0``: the result is there, whether it is new or was there before."""
    folder = finished / "out" if before else tmp_path / "new"
    there = content(folder) if before else None
    reader, writer = os.pipe()
    os.close(reader)
    with open(os.devnull) as nothing, os.fdopen(writer, "w") as output:
        arguments = ["run.py", *RUN, f"hydra.run.dir={folder}"]
        process = warm_python.start(arguments, ROOT, dict(os.environ), nothing, output, output)
    assert process.wait(timeout=280) == 0
    assert json.loads((folder / "job.json").read_text())["state"] == "finished" and (folder / "rd_point.json").exists()
    assert there is None or content(folder) == there
