"""What is given as a coder and is none is called what it is; what is one says by which name files know it."""

import json

import pytest
import torch

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture
def refused(fails, array, tmp_path):
    """``refused(path)``: the sentence with which all three commands refuse a coder."""

    def call(path):
        said = fails("compress", path, array((8,)), tmp_path / "new.ltc")
        assert fails("decompress", path, tmp_path / "in.npy", tmp_path / "new.npy") == said
        assert fails("info", path) == said
        return said

    return call


class Unknown:
    """Something that only Python's own pickles can hold."""


@pytest.mark.parametrize("extra", [None, Unknown()], ids=["plain", "with objects"])
def test_a_checkpoint_of_lightning_is_called_so(extra, refused, tmp_path):
    content = {"epoch": 3, "pytorch-lightning_version": "2.5.0", "state_dict": {"a": torch.zeros(3)}, "extra": extra}
    torch.save(content, tmp_path / "last.ckpt")
    assert "what a training goes on from" in refused(tmp_path / "last.ckpt")
    torch.save({"state_dict": {"a": torch.zeros(3)}, "extra": extra}, tmp_path / "other.pt")
    assert "no coder of this project" in refused(tmp_path / "other.pt")


def test_folders_without_a_coder_say_why(refused, saved, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    assert "no folder of a run" in refused(run)
    (run / "job.json").write_text('{"state": "running"}')
    assert "has not ended yet" in refused(run)
    (run / "job.json").unlink()
    (run / "checkpoints").mkdir()
    torch.save({}, run / "checkpoints" / "last.ckpt")
    assert "has not ended yet" in refused(run)
    (run / "rd_point.json").write_text("{}")
    assert "has no bitstream" in refused(run)
    (run / "rd_point.json").unlink()
    (run / "error.json").write_text(json.dumps({"error": "training diverged."}))
    assert refused(run).endswith("the run there has failed (training diverged).")
    for broken in ("", "{", "[]", '{"error": 3}'):
        (run / "error.json").write_text(broken)
        assert "the run there has failed" in refused(run)


def test_the_folder_of_a_sweep_names_one_of_its_jobs(refused, saved, tmp_path):
    for job in ("0", "1"):
        (tmp_path / "sweep" / job).mkdir(parents=True)
        (tmp_path / "sweep" / job / "coder.pt").write_bytes(saved("e8").read_bytes())
    said = refused(tmp_path / "sweep")
    assert "in 2 folders in it" in said and str(tmp_path / "sweep" / "0") in said


@pytest.mark.parametrize("name", ["e8", "mlp"])
def test_a_coder_says_by_which_name_its_files_know_it(name, saved, loaded, array, succeeds, tmp_path):
    """As its file and as its folder, and beside a file that it has written."""
    succeeds("compress", saved(name), array((30, 3)), tmp_path / "out.ltc")
    fingerprint = loaded(name).fingerprint.hex()
    for path in (saved(name), saved(name).parent):
        told = succeeds("info", path)
        assert fingerprint in told and "gaussian" in told and "4.0" in told
        assert max(map(len, told.splitlines())) <= 80
    several = succeeds("info", tmp_path / "out.ltc", saved(name), saved("tcq8"))
    assert several.count(fingerprint) == 2 and loaded("tcq8").fingerprint.hex() in several


def test_a_damaged_coder_has_no_name(content, fails, tmp_path):
    for change in ({"fingerprint": "00" * 8}, {"about": "[]"}, {"about": "{"}, {"state": {}}, {"n": "8"}):
        torch.save({**content, **change}, tmp_path / "coder.pt")
        assert "is damaged" in fails("info", tmp_path)
