"""Where files are not as long as the rate, a table says so, and why."""

import math

import pytest

from callbacks.sweep_summary import _notes
from experiment.file_note import file_note


@pytest.mark.parametrize("rate", [0.05, 1.0, 16_449.0])
def test_the_note_has_the_difference_and_the_reason(rate, rng):
    assert file_note(rate, None) is None and file_note(None, rate) is None and file_note(0.0, rate) is None
    assert file_note(rate, rate * rng.uniform(0.9951, 1.0049)) is None
    shorter, longer = rng.uniform(0.1, 0.99), rng.uniform(1.01, 1.99)
    note = file_note(rate, shorter * rate)
    assert math.isclose(float(note.split()[2]), 100 * (1 - shorter), rel_tol=0.01) and "% shorter" in note
    note = file_note(rate, longer * rate)
    assert math.isclose(float(note.split()[2]), 100 * (longer - 1), rel_tol=0.01) and "% longer" in note
    assert "3 times as long" in file_note(rate, 3 * rate)


@pytest.mark.parametrize("key", ["sample_rate", "estimated_rate"])
def test_a_sweep_tells_of_its_files_too(key, rng):
    """Of vectors, and of images, whose points have two estimates."""
    good = {"error": None, "sample_rate": 1.0, "coded_rate": rng.uniform(0.9951, 1.0049)}
    failed = {"error": "it went wrong", "sample_rate": 1.0, "coded_rate": 0.1, "lattice": "e8"}
    assert _notes([good]) == []
    shorter = sorted(rng.uniform(0.1, 0.99, 3))
    rows = [{"error": None, "sample_rate": 1.0, key: 2.0, "coded_rate": 2 * ratio} for ratio in [*shorter, 1.5]]
    failure, less, more = _notes([failed, good, *rows])
    assert "failed" in failure and "3 points" in less and f"{100 * (1 - shorter[0]):.3g} % shorter" in less
    assert "1 point are up to 1.5 times" in more
