"""The report's content: every figure of the sweeps, told apart, escaped, and nothing from elsewhere."""

import base64
import io
import json
import math
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf
from PIL import Image

from callbacks.sweep_summary import SweepSummary
from experiment.bound_curve import write_bound
from experiment.report import write_report
from experiment.report.__main__ import main
from experiment.report.curves import bounds, curves_of, decibels, differences
from experiment.report.history import read_history, thinned
from experiment.report.page import content, render
from experiment.report.sweeps import Job, read_sweeps
from experiment.sweep.results import gather

ROOT = Path(__file__).parents[2]


def data_of(page):
    """The figures in a page, and its text without them."""
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    return json.loads(found[1]), page.replace(found[1], "")


def rows_of(figures):
    return [dict(zip(figures["columns"], point["row"], strict=True)) for point in figures["points"]]


def test_every_figure_is_there(make_sweep, tmp_path):
    folder = make_sweep("sweep", ["e8", "z"], [0.5, 1, 4])
    write_report([folder], tmp_path / "report.html")
    figures, _ = data_of((tmp_path / "report.html").read_text())
    assert rows_of(figures) == gather(folder)
    assert [figures["curves"][point["curve"]]["name"] for point in figures["points"]] == ["e8"] * 3 + ["z"] * 3
    for point, row in zip(figures["points"], rows_of(figures), strict=True):
        assert 10 ** (point["decibels"] / 10) == pytest.approx(row["distortion"])
    assert sorted(r for r, _, _ in figures["bounds"][0]["points"]) == sorted(
        row["bound_rate"] for row in gather(folder)
    )
    facts = dict(figures["sweeps"][0]["facts"])
    assert facts["jobs"] == "6" and facts["commit"] == "0123abc" and facts["processor"] == "a processor"
    assert facts["started"] == "2026-01-01T00:00:00 … 2026-01-01T00:00:05" and facts["packages"] == "torch 1.2.3"
    assert not {"command", "untracked", "gpus"} & set(facts)  # too long for a page, or nothing
    assert {quantity["name"] for quantity in figures["history"]} == {"train/loss", "train/rate"}
    assert all(len(quantity["series"]) == 6 for quantity in figures["history"])


def test_the_table_alone_is_enough(make_sweep):
    """A sweep whose job folders are gone: the figures of ``rd_points.csv``."""
    import pandas as pd

    folder = make_sweep("sweep", ["e8", "z"], [1, 2], bare=True)
    whole = content(read_sweeps([folder]))
    alone = folder.parent / "alone"
    alone.mkdir()
    pd.DataFrame(gather(folder)).to_csv(alone / "rd_points.csv", index=False)
    figures = content(read_sweeps([alone]))
    assert rows_of(figures) == rows_of(whole) and figures["bounds"] == whole["bounds"]


def test_sweeps_are_laid_over_each_other(make_sweep):
    first, second = make_sweep("a", ["e8"], [1, 2]), make_sweep("b", ["e8", "z"], [1, 2])
    figures = content(read_sweeps([first, second]))
    assert len(figures["sweeps"]) == 2 and len(figures["points"]) == 6 and len(figures["curves"]) == 3
    names = [curve["name"] for curve in figures["curves"]]
    assert len(set(names)) == 3 and names[0].endswith("/a") and names[1].endswith("/b")
    twice = content(read_sweeps([first, first]))
    assert len({sweep["name"] for sweep in twice["sweeps"]}) == len({c["name"] for c in twice["curves"]}) == 2


def test_names_stay_text(make_sweep):
    """Whatever a name holds, it ends no script and makes no element."""
    evil = "</script><script>alert(1)</script><!--<b>&amp;\u2028"
    folder = make_sweep("sweep", [evil, "z"], [1], model=evil)
    figures, rest = data_of(render(content(read_sweeps([folder]))))
    assert rows_of(figures)[0]["lattice"] == evil
    plain = data_of(render(content(read_sweeps([make_sweep("plain", ["e8", "z"], [1])]))))[1]
    assert re.findall("<[^>]*>", rest.replace("sweep</", "plain</")) == re.findall("<[^>]*>", plain)
    assert "\u2028" not in rest


def test_nothing_comes_from_elsewhere(make_sweep):
    page = render(content(read_sweeps([make_sweep("sweep", ["e8"], [1])])))
    assert re.findall(r"https?://[^\"' ]+", page) == ["http://www.w3.org/2000/svg"]  # a name, not an address
    assert not re.search(r"<link|\bsrc=|@import|url\((?!#)|fetch\(|XMLHttpRequest|innerHTML", page.replace("${", ""))
    assert len(page) < 100_000


def test_a_source_without_a_bound(make_sweep):
    figures = content(read_sweeps([make_sweep("images", ["e8", "z"], [1, 2], bounded=False)]))
    assert figures["bounds"] == [] and all(row["gap"] is None for row in rows_of(figures))
    assert all(point["decibels"] is not None for point in figures["points"])


def test_failed_jobs_and_figures_that_are_none(make_sweep):
    folder = make_sweep("sweep", ["e8", "z"], [1, 2], gap=math.nan, theory_gap=math.inf, distortion=0.0)
    (folder / "1" / "rd_point.json").unlink()
    (folder / "1" / "error.json").write_text(json.dumps({"error": "it went wrong"}))
    figures = content(read_sweeps([folder]))
    json.dumps(figures, allow_nan=False)
    failed = rows_of(figures)[1]
    assert failed["error"] == "it went wrong" and failed["rate"] is None and failed["lambda"] == 2
    # It is on the curve that it would have been on.
    assert figures["points"][1]["curve"] == figures["points"][0]["curve"] and len(figures["curves"]) == 2
    assert all(point["decibels"] is None for point in figures["points"])


def test_settings_make_curves_and_their_differences(make_sweep):
    one = make_sweep("one", ["e8"], [1, 2], overrides=["trainer.max_steps=20"])
    two = make_sweep("two", ["e8"], [1, 2], overrides=["+trainer.max_steps=50", "seed=3", "data_dir=/here"])
    for path in two.glob("*/.hydra/config.yaml"):
        config = OmegaConf.load(path)
        config.trainer.max_steps, config.data_dir = 50, "/here"
        OmegaConf.save(config, path)
    curves = curves_of(read_sweeps([one, two]))
    assert len(curves) == 2
    assert differences(curves) == [("trainer.max_steps", ["20", "50"])]


def test_differences_show_what_is_used_once_and_in_words(make_sweep):
    """No second row for a name, no Python path, no lattice where none is used."""
    folder = make_sweep("sweep", ["scalar", "e8"], [1])
    for number, bottleneck in enumerate([{"_target_": "a.scalar"}, {"_target_": "a.b", "lattice": "${lattice}"}]):
        path = folder / str(number) / ".hydra" / "config.yaml"
        config = {"lattice": {"_target_": "ltc.lattices.get", "name": "e8", "dim": 8 + number, "copy": 8 + number}}
        OmegaConf.save({**config, "bottleneck": bottleneck, "module": {"b": "${bottleneck}"}}, path)
    assert differences(curves_of(read_sweeps([folder]))) == [("lattice", ["scalar", "e8"]), ("lattice.dim", ["", "9"])]


def test_the_bound_reaches_as_far_as_the_points(make_sweep, rng):
    """From what the jobs have left of R(D), that of N(0, 1): up to the highest rate; points alone end before it."""
    folder = make_sweep("sweep", ["e8"], [1, 2, 4])
    for job in folder.iterdir():
        point = json.loads((job / "rd_point.json").read_text())
        point["distortion"] = 0.9 * 2 ** (-2 * point["bound_rate"])
        point["bound_rate"] = -math.log2(point["distortion"]) / 2
        (job / "rd_point.json").write_text(json.dumps(point))
        around = [point["distortion"] * float(f) for f in rng.uniform(1 / 3, 3, 9)] + [point["distortion"] / 3]
        write_bound(job, "gaussian", [-math.log2(d) / 2 for d in around], around)
    ((_, pairs),) = bounds(read_sweeps([folder]))
    highest = max(row["rate"] for row in gather(folder))
    assert pairs[-1][0] == pytest.approx(highest) and pairs == sorted(pairs, key=lambda p: (p[0], -p[1]))
    assert all(d == pytest.approx(2 ** (-2 * r), rel=1e-6) for r, d in pairs)
    # Without these files it is what the points say.
    for path in folder.rglob("rd_bound.json"):
        path.write_text("{")
    ((_, pairs),) = bounds(read_sweeps([folder]))
    assert len(pairs) == 3


def test_decoded_images_are_inside(make_sweep, rng):
    """The middle of each, pixel for pixel, with the figures of its image."""
    folder = make_sweep("sweep", ["e8", "z"], [1], bounded=False, psnr=30.0, ms_ssim=0.9)
    pixels = {}
    for job in ("0", "1"):
        (folder / job / "reconstructions").mkdir()
        for name in ("a.png", "a_original.png", f"only_{job}.png"):
            pixels[job, name] = rng.integers(0, 256, (300, 400, 3), dtype=np.uint8)
            Image.fromarray(pixels[job, name]).save(folder / job / "reconstructions" / name)
        (folder / job / "images.csv").write_text(f"image,bpp,psnr\na.jpg,0.{job}5,31.5\nmean,0.2,inf\n")
    (image,) = content(read_sweeps([folder]))["decoded"]
    assert image["name"] == "a" and [p["point"] for p in image["pictures"]] == [0, 1]
    assert [p["bpp"] for p in image["pictures"]] == [0.05, 0.15] and image["pictures"][0]["psnr"] == 31.5
    for key, source in [(("0", "a_original.png"), image["original"]), (("1", "a.png"), image["pictures"][1]["source"])]:
        with Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2]))) as picture:
            np.testing.assert_array_equal(np.asarray(picture), pixels[key][22:278, 72:328])


words = st.text("ab<&\"'$", min_size=1, max_size=3)


@given(st.lists(st.tuples(words, words, st.sampled_from([1, 2]), st.sampled_from([0.5, 1.0])), min_size=1, max_size=12))
def test_curves_part_the_points(settings):
    """Each point is on one curve, points that differ only in lambda on the same one, and names tell curves apart."""
    jobs = [
        Job("s", str(i), {"lattice": lattice, "source": source, "n": n, "lambda": lmbda, "rate": 1.0}, None)
        for i, (lattice, source, n, lmbda) in enumerate(settings)
    ]
    curves = curves_of(jobs)
    assert sorted(int(job.name) for curve in curves for job in curve.jobs) == list(range(len(jobs)))
    assert len(curves) == len({key[:3] for key in settings}) == len({curve.name for curve in curves})
    if len({source for _, source, _, _ in settings}) > 1:  # then there is a bound for each
        assert all(curve.name.startswith(curve.attributes["source"]) for curve in curves)
    assert all(len({settings[int(job.name)][:3] for job in curve.jobs}) == 1 for curve in curves)


def test_sources_of_other_parameters_have_other_bounds():
    row = {"source": "gaussian", "bound_rate": 1.0, "distortion": 0.25}
    jobs = [Job("s", "0", row, None), Job("s", "1", {**row, "distortion": 1.0}, None, {"source.variance": "4"})]
    assert len(bounds(jobs)) == 2
    assert decibels(None) is None and decibels(0.0) is None and decibels(0.1) == pytest.approx(-10)


@given(st.lists(st.floats(-1e6, 1e6), max_size=200), st.integers(1, 50))
def test_thinning_keeps_what_is_seen(values, count):
    series = [(float(i), v) for i, v in enumerate(values)]
    thin = thinned(series, count)
    assert len(thin) <= count or thin == series
    assert [x for x, _ in thin] == sorted(x for x, _ in thin)
    if values:
        assert min(values) - 1e-6 <= min(y for _, y in thin) and max(y for _, y in thin) <= max(values) + 1e-6


def test_a_log_that_was_cut_off_is_read_as_far_as_it_goes(tmp_path):
    (tmp_path / "metrics").mkdir()
    path = tmp_path / "metrics" / "metrics.csv"
    path.write_text("step,train/loss,test/rate\n0,3.0,\n1,2.0,\n2,nan,\n3,1.0,\n1,2.5,\n4,0.")
    assert read_history(tmp_path) == {"train/loss": [(0, 3.0), (1, 2.5), (3, 1.0), (4, 0.0)]}
    assert read_history(None) == {} == read_history(tmp_path / "nowhere")


def test_pictures_of_cells_are_inside(make_sweep):
    folder = make_sweep("sweep", ["a2", "z"], [1])
    Image.new("RGB", (900, 900), "red").save(folder / "1" / "cells.png")
    (cell,) = content(read_sweeps([folder]))["cells"]
    kind, _, code = cell["source"].partition(",")
    assert cell["point"] == 1 and kind == "data:image/png;base64"
    with Image.open(io.BytesIO(base64.b64decode(code))) as picture:
        assert picture.size == (640, 640) and picture.convert("RGB").getpixel((5, 5)) == (255, 0, 0)


def test_a_sweep_ends_with_its_report(make_sweep):
    folder = make_sweep("sweep", ["e8", "z"], [1, 2])
    config = OmegaConf.create({"hydra": {"sweep": {"dir": str(folder)}}, "sweep_logger": None})
    SweepSummary().on_multirun_end(config)
    assert rows_of(data_of((folder / "report.html").read_text())[0]) == gather(folder)


def test_the_command(make_sweep, tmp_path):
    folder = make_sweep("sweep", ["e8"], [1, 2])
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "experiment.report", str(folder)],
        **{"cwd": ROOT, "capture_output": True, "text": True, "timeout": 100},
    )
    assert done.returncode == 0 and str(folder / "report.html") in done.stdout
    assert (folder / "report.html").read_text().startswith("<!DOCTYPE html>")
    loaded = {line.split("|")[-1].strip().split(".")[0] for line in done.stderr.splitlines() if "|" in line}
    assert not loaded & {"torch", "pandas", "matplotlib", "wandb"}
    # One run is a sweep of one point.
    assert main([str(folder / "0"), str(folder), "--output", str(tmp_path / "both.html")]) == 0
    assert len(data_of((tmp_path / "both.html").read_text())[0]["points"]) == 3


@pytest.mark.parametrize("mistake", ["missing", "empty", "a file", "broken", "no object", "no page"])
def test_a_mistake_is_one_sentence(make_sweep, tmp_path, capsys, mistake):
    folder = make_sweep("sweep", ["e8"], [1])
    place, output = folder, tmp_path / "out.html"
    if mistake == "missing":
        place = tmp_path / "nowhere"
    elif mistake == "empty":
        place = tmp_path / "empty"
        place.mkdir()
    elif mistake == "a file":
        place = folder / "0" / "rd_point.json"
    elif mistake == "broken":
        (folder / "0" / "rd_point.json").write_text('{"rate": ')
    elif mistake == "no object":
        (folder / "0" / "rd_point.json").write_text("[1, 2]")
    else:
        output.mkdir()
    assert main([str(place), "--output", str(output)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    place = {"no page": output, "broken": folder / "0" / "rd_point.json"}.get(mistake, place)
    assert line.startswith("error: ") and str(place) in line
    assert mistake not in ("missing", "a file") or line.endswith(
        "is no folder; a report is made of folders that run.py has left."
    )
    assert not output.is_file() and not list(tmp_path.glob(".part-*"))


def test_a_report_takes_no_other_files_name(tmp_path, capsys):
    point = tmp_path / "rd_point.json"
    point.write_text("{}")
    assert main([str(tmp_path), "--output", str(point)]) == 2
    assert "writes .html files" in capsys.readouterr().err and point.read_text() == "{}"
