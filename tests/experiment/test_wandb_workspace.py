"""The project's workspace: made on a server, refused in one sentence without one, and never a question."""

import importlib.util

import pytest


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"WANDB_MODE": "offline"}, "WANDB_MODE=offline"),
        ({}, "no login"),
        ({"WANDB_API_KEY": "0" * 40, "WANDB_BASE_URL": "http://127.0.0.1:9"}, "cannot be reached"),
    ],
    ids=["offline", "no login", "no server"],
)
def test_a_workspace_needs_a_server(call, environment, words):
    if importlib.util.find_spec("wandb_workspaces") is None:
        words = "pip install wandb-workspaces"
    done = call("-m", "experiment.wandb.workspace", **environment)
    assert done.returncode == 2 and done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ") and words in line


@pytest.mark.parametrize("kind", [[], ["--report"]], ids=["workspace", "report"])
def test_it_is_saved(call, server, kind):
    pytest.importorskip("wandb_workspaces", reason="no wandb-workspaces: pip install wandb-workspaces")
    online = {"WANDB_API_KEY": server.key, "WANDB_BASE_URL": server.address}
    done = call("-m", "experiment.wandb.workspace", "--project", "mine", *kind, **online)
    assert done.returncode == 0, done.stderr
    (view,) = server.views
    assert (view["entityName"], view["projectName"]) == ("someone", "mine") and "/someone/mine" in done.stdout
    # What the runs log is what the panels show.
    for key in ("rd_curve_table", "gap_curve_table", "rd_curves", "rd/rate", "rd/distortion", "rd/gap", "train/loss"):
        assert key in view["spec"]
