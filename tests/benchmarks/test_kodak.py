"""Benchmarks of photographs ask for them before hours of training."""

import argparse

import pytest
import torch

from benchmarks.kodak import options_with_data, photographs
from ltc.pixels import write_image


def test_photographs_are_asked_for_first(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["benchmark", "--data", str(tmp_path / "nowhere")])
    with pytest.raises(SystemExit, match="2"):
        options_with_data(argparse.ArgumentParser())
    assert str(tmp_path / "nowhere" / "kodak") in capsys.readouterr().err


def test_photographs_are_as_far_from_each_other_as_can_be(tmp_path, monkeypatch):
    (tmp_path / "kodak").mkdir()
    for number in range(6):
        write_image(tmp_path / "kodak" / f"{number}.png", torch.full((3, 8, 8), number, dtype=torch.uint8))
    monkeypatch.setattr("sys.argv", ["benchmark"])
    monkeypatch.setenv("LTC_DATA_DIR", str(tmp_path))
    found = photographs(options_with_data(argparse.ArgumentParser()).data, 3)
    assert [name for name, _ in found] == ["0.png", "2.png", "4.png"]
    assert [int(pixels.max()) for _, pixels in found] == [0, 2, 4]
