"""Tables of points in terminals of any width: every number whole, every setting there."""

import io
import random
import re

import pytest
from rich.console import Console

from experiment.image_table import image_table
from experiment.tables import point_table, sweep_table


def printed(renderable, width):
    file = io.StringIO()
    Console(file=file, width=width).print(renderable)
    text = file.getvalue()
    assert all(len(line) <= width for line in text.splitlines())
    return text


def some_points(count, images=False):
    """Points of one sweep that differ in everything, with numbers of all sizes."""
    draw = random.uniform
    points = []
    for i in range(count):
        rate = draw(0.01, 30)
        point = {
            **{"source": random.choice(["gaussian_correlated", "banana"]), "transform": f"mlp_no_bias_{i}"},
            **{"lattice": random.choice(["leech", "tcq2048", "dn_dual"]), "entropy_model": "exact_logistic"},
            **{"model": random.choice(["bltc_linear", "ltc_dither"]), "lambda": float(f"{10 ** draw(-3, 6):.6g}")},
            **{"n": random.choice([8, 2048]), "seed": i, "rate": rate, "coded_rate": rate * draw(0.9, 1.1)},
            **{"distortion": 10 ** draw(-6, 5), "error": None},
        }
        more = {"psnr": draw(20, 50), "ms_ssim": draw(0.5, 1)} if images else {}
        if images:
            more |= {"estimated_rate": point["coded_rate"], "coded_rate": rate}
            more |= dict.fromkeys(["bound_rate", "gap", "theory_gap"])
        points.append({"bound_rate": draw(0, 30), "gap": draw(0, 1), "theory_gap": 0.146, **point, **more})
    return points


def numbers(point, keys):
    values = [point[key] for key in keys]
    return [f"{v:.4f}" if abs(v) >= 0.01 else f"{v:.3g}" for v in values]


@pytest.mark.parametrize("images", [False, True], ids=["numbers", "images"])
@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_no_number_is_cut(width, images):
    points = some_points(12, images)
    text = printed(sweep_table(points, title="points"), width)
    assert "…" not in text
    keys = ["rate", "distortion", "psnr"] if images else ["rate", "distortion", "gap"]
    if width >= 200:
        keys += ["estimated_rate", "ms_ssim"] if images else ["bound_rate", "theory_gap", "coded_rate"]
    for point in points:
        assert all(re.search(rf"[ │]{re.escape(number)} ", text) for number in numbers(point, keys))
    # Names may be broken into lines, but are there: without frames and blanks each setting is found.
    columns = [re.sub(r"[^\w=.]", "", line.split("│")[1]) for line in text.splitlines() if line.startswith("│")]
    flat = "".join(columns) if width < 200 else re.sub(r"[^\w=.]", "", text)
    for point in points:
        assert all(str(point[key]) in flat for key in ("transform", "lattice", "model"))


def test_a_wide_terminal_has_a_column_for_each_setting_and_a_narrow_one_few():
    points = [{**p, "coded_rate": p["rate"], "transform": "linear", "model": "ltc"} for p in some_points(3)]
    assert "in a file" not in printed(sweep_table(points), 200) and "in theory" in printed(sweep_table(points), 200)
    same = [{**p, "source": "gaussian", "n": 8, "seed": 0} for p in points]
    text = printed(sweep_table(same), 80)
    assert "in theory" in text and "lambda" in text and "point" not in text


def test_failed_rows_have_no_figures():
    good, bad = some_points(2)
    bad = {**dict.fromkeys(bad), "lattice": "e8", "lambda": 2.0, "error": "it went wrong"}
    text = printed(sweep_table([good, bad]), 80)
    assert "None" not in text and "e8" in text


@pytest.mark.parametrize("width", [50, 80])
def test_one_point(width):
    (point,) = some_points(1)
    text = printed(point_table(point), width)
    assert all(n in text for n in numbers(point, ["rate", "distortion", "gap", "bound_rate"])) and "…" not in text


def test_images_of_long_names():
    row = {"image": "photograph" * 9, "bpp": 12.3456, "estimated_bpp": 11.2345, "psnr": 31.25, "ms_ssim": 0.9876}
    point = {"transform": "net", "lattice": "e8", "lambda": 0.01, "rate": 1.0, "psnr": 3.0}
    point |= {"coded_rate": 2.0, "estimated_rate": 1.5}
    text = printed(image_table([row] * 3, {**point, "ms_ssim": None}), 60)
    assert all(number in text for number in ("12.3456", "11.2345", "31.25", "0.9876", "2.0000"))
