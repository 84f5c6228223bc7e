"""``init_from=FOLDER``: lattices go on from one coder that was trained before, and never cost more than it."""

import json

import pytest

SMOKE = ["trainer=smoke", "logger=none", "eval_symbols=20000", "lambda=8"]


@pytest.fixture
def coder(sweep, tmp_path):
    """The folder of a run with the integers, in blocks as trellis codes have them."""
    sweep(tmp_path / "z", *SMOKE, "experiment=bltc_z", "source=gaussian_correlated")
    return tmp_path / "z" / "0"


def cost(point):
    return point["rate"] + point["lambda"] * point["distortion"]


@pytest.mark.slow
def test_lattices_start_from_one_coder(coder, sweep, tmp_path):
    more = ["source=gaussian_correlated", f"init_from={coder}", "optimizer.lr=0.1"]  # training ruins much
    sweep(tmp_path / "all", *SMOKE, "experiment=bltc_z,bltc_e8,bltc_tcq8", *more)
    sweep(tmp_path / "refined", *SMOKE, "experiment=refine_z,refine_e8,refine_tcq8", *more)
    before = json.loads((coder / "rd_point.json").read_text())
    both = [sorted((tmp_path / name).glob("*/rd_point.json")) for name in ("all", "refined")]
    points = [json.loads(path.read_text()) for paths in both for path in paths]
    assert [point["lattice"] for point in points] == 2 * ["z", "e8", "tcq8"]
    # Two standard errors of the evaluation.
    error = 2 * (before["rate_error"] + before["lambda"] * before["distortion_error"])
    assert all(cost(point) < cost(before) + error for point in points), (before, points)


def test_what_is_no_start_is_one_sentence(coder, launch, tmp_path):
    (tmp_path / "text.pt").write_text("no coder")
    for what, words in (
        ("nowhere", "There is no checkpoint"),
        ("text.pt", "is no coder of this project"),
        ("z/0", "holds another coder"),
    ):
        choice = ["experiment=ltc_e8", "transform=mlp", f"init_from={tmp_path / what}"]
        process = launch(*SMOKE, *choice, f"hydra.run.dir={tmp_path}/o")
        assert process.wait(timeout=100) == 2
        (line,) = [line for line in process.output().splitlines() if line.startswith("error:")]
        assert words in line and "Traceback" not in process.output()
