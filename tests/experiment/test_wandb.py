"""Weights & Biases offline, then sent by ``wandb sync`` (wandb's own reader of its files) to a server on this machine.

What the server gets is what a dashboard shows: it has to be what was measured.
"""

import json
import math
import os
import re
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from experiment.report.sweeps import read_sweeps
from experiment.sweep.results import gather

ROOT = Path(__file__).parents[2]


def table(run, key):
    """The rows of a table that a run has logged, as dicts."""
    (path,) = [path for path in run["files"] if path.startswith(f"media/table/{key}_")]
    content = json.loads(run["files"][path])
    return [dict(zip(content["columns"], row, strict=True)) for row in content["data"]]


def values(run):
    return {key: entry["value"] for key, entry in run["config"].items() if key != "_wandb"}


def lines(run, key):
    """The lines of a chart: (x, y) by name."""
    found = defaultdict(list)
    for row in table(run, f"{key}_table"):
        found[row["lineKey"]].append((row["step"], row["lineVal"]))
    return found


def test_a_sweep_on_a_dashboard(call, synced, server, tmp_path):
    """Offline without being told, without a question; afterwards the server has all that the folders have."""
    folder = tmp_path / "name" / "of_sweep"
    done = call(
        *("run.py", "-m", "trainer=smoke", "lattice=z", "lambda=1,4", "logger=wandb", "quantizer.rdo=false"),
        *("eval_symbols=2000", "logger.wandb.log_model=true", f"hydra.sweep.dir={folder}"),
    )
    assert done.returncode == 0, done.stderr
    text = (done.stdout + done.stderr).lower()
    assert not any(word in text for word in ("traceback", "warning", "api key", "login", "enter your choice"))
    points = gather(folder)
    assert len(points) == 2
    runs = synced(folder)
    assert {run["group"] for run in runs} == {"name/of_sweep"}
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout.strip()
    found = [run for run in runs if run["type"] == "point"]
    found.sort(key=lambda run: values(run)["lambda"])
    assert len(found) == 2 and all(run["exit"] == 0 for run in runs)
    for run, point in zip(found, points, strict=True):
        config = values(run)
        assert {k: config[k] for k in ("source", "lattice", "lambda", "n", "seed")} == {
            k: point[k] for k in ("source", "lattice", "lambda", "n", "seed")
        }
        assert config["composed"]["trainer"]["max_steps"] == 20 and "callbacks" not in config["composed"]
        assert not head or config["commit"] == head
        for key in ("rate", "distortion", "bound_rate", "gap", "coded_rate", "train_seconds"):
            assert run["summary"][f"rd/{key}"] == point[key]
        assert [row["trainer/global_step"] for row in run["history"].values() if "train/loss" in row] == [4, 9, 14, 19]
    models = [artifact for artifact in server.artifacts if artifact["artifactTypeName"] == "model"]
    assert sorted(json.loads(artifact["metadata"])["lambda"] for artifact in models) == [1, 4]
    (sweep,) = [run for run in runs if run["type"] == "sweep"]
    assert {row["rate"] for row in table(sweep, "rd_points")} == {point["rate"] for point in points}
    (html,) = [body for path, body in sweep["files"].items() if path.endswith(".html")]
    assert html == (folder / "report.html").read_bytes()


@pytest.fixture
def logged(tmp_path, monkeypatch):
    """``logged(folder)``: logs a sweep's summary offline."""
    import pandas as pd

    from experiment.wandb.sweep import log_sweep

    monkeypatch.delenv("WANDB_MODE", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("WANDB_SILENT", "true")

    def log(folder):
        log_sweep(pd.DataFrame(gather(folder)), folder / "rd_curves.png", folder, project="ltc")
        return folder

    return log


def test_charts_of_a_sweep(make_sweep, logged, synced):
    """Every point on its curve, R(D) and theory beside it, as charts that W&B draws."""
    folder = make_sweep("sweep", ["e8", "z"], [0.5, 1, 4])
    (folder / "5" / "rd_point.json").unlink()
    (run,) = synced(logged(folder))
    rows = [job.row for job in read_sweeps([folder])]
    curves, gaps = lines(run, "rd_curve"), lines(run, "gap_curve")
    assert set(curves) == {"e8", "z", "R(D)"} and set(gaps) == {"e8", "z", "e8, theory", "z, theory"}
    for lattice, numbers in {"e8": (0, 1, 2), "z": (3, 4)}.items():
        own = sorted((rows[n] for n in numbers), key=lambda row: row["rate"])
        assert curves[lattice] == [(r["rate"], pytest.approx(10 * math.log10(r["distortion"]))) for r in own]
        assert gaps[lattice] == [(r["rate"], r["gap"]) for r in own]
        assert gaps[f"{lattice}, theory"] == [(own[0]["rate"], 0.146), (own[-1]["rate"], 0.146)]
    assert [x for x, _ in curves["R(D)"]] == sorted(row["bound_rate"] for row in rows[:5])
    assert len(table(run, "rd_points")) == 6 and run["summary"]["points"] == 5 and run["summary"]["failed"] == 1
    assert run["summary"]["smallest_gap"] == min(row["gap"] for row in rows[:5])
    charts = run["config"]["_wandb"]["value"]["visualize"]
    for key in ("rd_curve", "gap_curve"):
        panel = charts[key]["panel_config"]
        assert panel["panelDefId"] == "wandb/lineseries/v0"
        assert panel["stringSettings"]["xname"] == "rate (bits per symbol)"


def test_a_sweep_without_a_bound_has_no_gap_chart(make_sweep, logged, synced):
    (run,) = synced(logged(make_sweep("images", ["e8"], [1, 2], bounded=False)))
    assert set(lines(run, "rd_curve")) == {"e8"} and not [path for path in run["files"] if "gap_curve" in path]


@pytest.mark.parametrize("wanted", [True, False])
def test_an_artifact_on_request(synced, server, tmp_path, monkeypatch, wanted):
    from experiment.wandb.run import wandb_logger

    monkeypatch.delenv("WANDB_MODE", raising=False)
    (tmp_path / "checkpoints").mkdir()
    for name in ("coder.pt", "checkpoints/last.ckpt"):
        (tmp_path / name).write_bytes(b"parameters")
    logger = wandb_logger("ltc", str(tmp_path), {"lattice": "z", "lambda": 1.0}, log_model=wanted)
    assert logger.experiment.name == "z, lambda=1"
    (tmp_path / "rd_point.json").write_text('{"rate": 1.5}')
    logger.finalize("success")
    (run,) = synced(tmp_path)
    assert run["summary"]["rd/rate"] == 1.5
    assert [artifact["artifactTypeName"] for artifact in server.artifacts] == ["model"] * wanted


def test_online_without_a_login_is_one_sentence(tmp_path, monkeypatch):
    from experiment.wandb.run import wandb_mode

    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("NETRC", "WANDB_API_KEY", "WANDB_IDENTITY_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WANDB_MODE", "online")
    with pytest.raises(ValueError, match="no login for"):
        wandb_mode()
    monkeypatch.setenv("WANDB_API_KEY", "0" * 40)
    assert wandb_mode() == "online"


def test_a_sweep_that_goes_on_has_one_run(make_sweep, logged, synced):
    folder = make_sweep("sweep", ["e8", "z"], [1, 4])
    point = (folder / "3" / "rd_point.json").read_text()
    (folder / "3" / "rd_point.json").unlink()
    logged(folder)
    (folder / "3" / "rd_point.json").write_text(point)
    (run,) = synced(logged(folder))
    assert run["summary"]["points"] == 4 and run["summary"]["failed"] == 0


def test_a_failed_job_leaves_its_run_and_the_next_has_its_own(tmp_path, monkeypatch):
    import wandb

    from experiment.wandb.run import wandb_logger

    monkeypatch.delenv("WANDB_MODE", raising=False)
    names = []
    for status in ("failed", None, "success"):
        logger = wandb_logger("ltc", str(tmp_path), {"lattice": "z", "lambda": 1.0})
        logger.log_metrics({"train/loss": 1.0}, step=1)
        names.append(logger.experiment.id)
        if status:
            logger.finalize(status)
        assert (wandb.run is None) == (status == "failed")  # after training comes the evaluation
    (tmp_path / "rd_point.json").write_text('{"rate": 1.5, "exact": true, "bound_rate": null}')
    logger.finalize("success")
    assert wandb.run is None and len(set(names)) == 3
    assert "WANDB_MODE" not in os.environ


def test_tensorboard_by_configuration(tmp_path):
    pytest.importorskip("tensorboard", reason="no tensorboard: pip install .[tensorboard]")
    from hydra.utils import instantiate
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    config = OmegaConf.load(ROOT / "conf" / "logger" / "tensorboard.yaml").tensorboard
    config.save_dir = str(tmp_path)  # in a job: its folder
    logger = instantiate(config)
    for step in range(3):
        logger.log_metrics({"train/loss": 2.0**-step}, step=step)
    logger.finalize("success")
    events = EventAccumulator(str(tmp_path / "metrics")).Reload()
    assert [(event.step, event.value) for event in events.Scalars("train/loss")] == [(0, 1.0), (1, 0.5), (2, 0.25)]


def test_without_tensorboard_it_says_what_to_install(tmp_path, monkeypatch):
    from hydra.errors import InstantiationException
    from hydra.utils import instantiate
    from lightning_fabric.loggers import tensorboard

    for name in ("_TENSORBOARD_AVAILABLE", "_TENSORBOARDX_AVAILABLE"):
        monkeypatch.setattr(tensorboard, name, False)
    config = OmegaConf.load(ROOT / "conf" / "logger" / "tensorboard.yaml").tensorboard
    config.save_dir = str(tmp_path)
    with pytest.raises(InstantiationException) as error:
        instantiate(config)
    # What a job prints.
    assert re.search("tensorboard.*pip install", str(error.value.__cause__))
