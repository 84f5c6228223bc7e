"""The results page: BD-rates of known curves, systems by their experiments, and a page from points that are made up."""

import json
import math
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest
import yaml
from rich.console import Console

from benchmarks.paper import __main__ as paper
from benchmarks.paper.page import evaluated_on, shannon_says
from benchmarks.paper.systems import bd_rate, by_system, read_sweep
from ltc.theory import GaussianRD


def curve(gap: float, lambdas: tuple[float, ...], factor: float = 1.0) -> list[dict]:
    """Points on N(0, 1) at a distance to R(D)."""
    points = []
    for lmbda in lambdas:
        distortion = float(np.random.default_rng().uniform(0.95, 1.05)) / (2 * math.log(2) * lmbda)
        bound = GaussianRD().rate(distortion)
        points.append(
            {
                **{"source": "gaussian", "transform": "linear", "entropy_model": "exact", "model": "ltc", "n": 8},
                **{"lambda": lmbda, "seed": 0, "steps": 10, "train_seconds": 1.0, "eval_symbols": 100},
                **{"rate": factor * (bound + gap), "distortion": distortion, "bound_rate": bound, "gap": gap},
                **{"coded_rate": None, "rate_error": 1e-3, "distortion_error": 1e-3, "gap_error": 1e-3},
            }
        )
    return points


def sweep(folder: Path, jobs: dict[str, list[dict]], key: str) -> None:
    """A sweep's folder with these points, as ``run.py -m`` leaves it."""
    number = 0
    for name, points in jobs.items():
        for point in points:
            job = folder / str(number)
            (job / ".hydra").mkdir(parents=True)
            (job / "rd_point.json").write_text(json.dumps({**point, "lattice": name.split("_")[-1]}))
            (job / ".hydra" / "overrides.yaml").write_text(
                yaml.safe_dump([f"{key}={name}", f"lambda={point['lambda']}"])
            )
            number += 1
    (folder / "rd_points.csv").write_text("")


LAMBDAS = (1.5, 2.0, 4.0, 8.0)


@pytest.mark.parametrize("factor", [0.7, 0.95, 1.0, 1.2])
def test_a_constant_share_of_the_rate_is_the_bd_rate(factor: float) -> None:
    anchor = curve(0.25, LAMBDAS)
    test = [{**p, "rate": factor * p["rate"]} for p in anchor]
    assert bd_rate(anchor, test) == pytest.approx(100 * (factor - 1), abs=0.01)


def test_less_gap_is_less_rate_and_silent_points_do_not_count() -> None:
    anchor, test = curve(0.25, LAMBDAS), curve(0.08, LAMBDAS)
    rate = bd_rate(anchor, test)
    assert -25 < rate < -5
    silent = {**test[0], "rate": 1e-6, "distortion": 1.0}
    assert bd_rate(anchor, [silent, *test]) == pytest.approx(rate)
    assert math.isnan(bd_rate(anchor, [silent, test[0]]))


def test_curves_that_do_not_overlap_have_none() -> None:
    assert math.isnan(bd_rate(curve(0.25, (1.0, 2.0)), curve(0.25, (64.0, 128.0))))


def test_systems_are_named_as_in_the_paper(tmp_path: Path) -> None:
    jobs = {"ntc": curve(0.25, LAMBDAS), "ltc_e8": curve(0.146, LAMBDAS), "bltc_leech": curve(0.084, LAMBDAS)}
    sweep(tmp_path, jobs, "experiment")
    systems = by_system(read_sweep(tmp_path))
    assert list(systems) == ["NTC", "LTC, e8", "block LTC, leech"]
    for points in systems.values():
        assert [p["rate"] for p in points] == sorted(p["rate"] for p in points) and len(points) == len(LAMBDAS)


def test_a_page(tmp_path: Path) -> None:
    folder, page = tmp_path / "sweeps", tmp_path / "docs" / "results.md"
    lattices = {"a2": curve(0.2269, LAMBDAS), "e8": curve(0.146, LAMBDAS), "leech": curve(0.084, LAMBDAS)}
    sweep(folder / "gaussian", lattices, "lattice")
    sweep(folder / "gaussian_beside", {"ntc": curve(0.2546, LAMBDAS)}, "experiment")
    fits = [[2, lmbda, 100, 1.0, 0.2, 0.2268, 1e-3, 1.8, 2.0] for lmbda in paper._ECVQ_LAMBDAS]
    (folder / "gaussian" / "ecvq.json").write_text(json.dumps(fits))
    (folder / "gaussian" / "seconds.json").write_text(json.dumps({"seconds": 120.0}))
    paper._write_page(Namespace(folder=folder, page=page, size="cpu", jobs=2), Console(quiet=True))
    text = page.read_text()
    assert (page.parent / "results" / "gaussian.png").stat().st_size > 10_000
    assert "2 minutes" in text and "nan" not in text
    summary = next(line for line in text.splitlines() if line.startswith("| LTC, leech |"))
    assert "-" in summary.split("|")[2] and summary.count("0.084") == len(LAMBDAS)
    # Published points at the lambdas that there are, and none of lattices that there are not.
    assert "| leech | 8 | 1.8207" in text and "| bw16 |" not in text


@pytest.mark.parametrize(("vacuous_from", "least"), [(0.587, 0.2), (0.587, 0.6), (0.0, 1e-5)])
def test_what_is_unproven_of_shannons_bound_is_not_said(vacuous_from, least):
    """Of distortions below the one from which a Gaussian's bound is zero, nothing is known."""
    text = shannon_says(vacuous_from, least)
    assert ("says nothing here" in text) == (vacuous_from <= least)
    assert ("0.587 and more" in text and "unknown" in text) == (vacuous_from > least)


def test_pages_say_how_many_symbols_there_were():
    systems = {"NTC": [{"eval_symbols": 2000}] * 3, "LTC": [{"eval_symbols": 2000}], "block": [{"eval_symbols": 1792}]}
    assert evaluated_on(systems) == "Evaluated on 2,000 symbols (NTC, LTC), 1,792 (block), in whole blocks."
    assert evaluated_on({"NTC": systems["NTC"]}) == "Evaluated on 2,000 symbols."
