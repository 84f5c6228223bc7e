"""The bound beside a run: kept in its folder, above R(D), and refused where it has no meaning."""

import json
import math

import numpy as np
import pytest
from omegaconf import OmegaConf

from experiment.sample_bound import main


@pytest.fixture
def finished(tmp_path):
    """``finished("a", lmbda, distortion)``: a folder as a run on N(0, I) in two dimensions leaves it."""
    np.save(tmp_path / "x.npy", np.random.default_rng().normal(size=(60_000, 2)))

    def make(name, lmbda, rate, distortion, **source):
        folder = tmp_path / name
        folder.mkdir()
        source = {"_target_": "datamodules.Array", "path": str(tmp_path / "x.npy"), "test_share": 0.3, **source}
        OmegaConf.save(OmegaConf.create({"source": source}), folder / "config.yaml")
        point = {"lambda": lmbda, "rate": rate, "distortion": distortion}
        (folder / "rd_point.json").write_text(json.dumps(point))
        return folder

    return make


def test_a_bound_is_kept_beside_each_run(finished, capsys):
    folders = [finished("a", 4.0, 2.0, 0.30), finished("b", 8.0, 3.0, 0.17)]
    assert main([*map(str, folders), "--steps", "60", "--particles", "100"]) == 0
    for folder, d in zip(folders, (0.30, 0.17), strict=True):
        kept = json.loads((folder / "sample_bound.json").read_text())
        assert kept["bound_rate"] - math.log2(1 / d) == pytest.approx(0.1, abs=0.1 + 5 * kept["error"])
        assert kept["above"] == pytest.approx(kept["rate"] - kept["bound_rate"])
        assert [p["slope"] for p in kept["points"]] == [16, 8, 4, 2]
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_mistakes_are_sentences(finished, tmp_path, capsys):
    one, other = finished("a", 4.0, 2.0, 0.3), finished("b", 4.0, 2.0, 0.3, seed=1)
    known = finished("c", 4.0, 2.0, 0.3)
    OmegaConf.save(OmegaConf.create({"source": {"_target_": "datamodules.Gaussian"}}), known / "config.yaml")
    for folders, words in (
        ([one, other], "different sources"),
        ([known], "gaussian:"),
        ([tmp_path], "no finished run"),
    ):
        assert main([str(folder) for folder in folders]) == 2
        line = capsys.readouterr().err
        assert line.startswith("error: ") and words in line and line.count("\n") == 1
