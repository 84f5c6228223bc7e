"""``path=[8,4,2]``: a curve in one job, from high to low lambda, each point from its neighbour's coder."""

import json

import pytest

SMOKE = ["trainer=smoke", "logger=none", "lattice=z,e8", "eval_symbols=2000"]


def test_a_curve_that_was_killed_goes_on(launch, kill_when, sweep, figures, tmp_path):
    """Its points are those of a sweep without a kill, to the last digit, and their folders say what they are."""
    sweep(tmp_path / "whole", *SMOKE, "path=[2,8,4]")
    stopped = tmp_path / "stopped"
    process = launch("-m", *SMOKE, "path=[8,4,2]", f"hydra.sweep.dir={stopped}")
    kill_when(process, (stopped / "0" / "lambda_4" / "checkpoints" / "milestone.ckpt").exists)
    told = sweep(stopped, *SMOKE, "path=[8,4,2]")
    assert "Done before, kept" in told and "[6/6 done" in told
    assert figures(stopped) == figures(tmp_path / "whole") and len(figures(stopped)) == 6
    point = json.loads((stopped / "1" / "lambda_4" / "rd_point.json").read_text())
    assert (point["lattice"], point["lambda"]) == ("e8", 4)
    overrides = (stopped / "1" / "lambda_4" / ".hydra" / "overrides.yaml").read_text()
    assert "path=[8,4]" in overrides and "lambda=4" in overrides
    # Another path is another point, also at the same lambda.
    sweep(stopped, *SMOKE, "path=[4]")
    assert len(figures(stopped)) == 8


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["path=[8,4]"], "start it with -m"),
        (["-m", "path=4"], "path=4 is not allowed: it is a list"),
        (["-m", "path=[4,4]"], "a lambda is in it twice"),
        (["-m", "path=[4,0]"], "positive numbers"),
        (["-m", "path=[8,4]", "lambda=2"], "leave lambda out"),
        (["-m", "path=[8,4]", "trainer=ddp"], "devices=1"),
    ],
)
def test_a_path_that_is_none_is_one_sentence(launch, tmp_path, arguments, words):
    process = launch(*arguments, f"hydra.run.dir={tmp_path}/o", f"hydra.sweep.dir={tmp_path}/o")
    assert process.wait(timeout=100) != 0
    (line,) = [line for line in process.output().splitlines() if line.startswith("error:")]
    assert words in line and "Traceback" not in process.output()
