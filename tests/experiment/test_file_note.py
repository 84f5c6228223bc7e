"""Where files are not as long as the rate, a table says so, and why."""

import math

import pytest

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
