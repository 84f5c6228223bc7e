"""Signals end the command with their exit code and one line; nothing is half written, nothing is left behind."""

import functools
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from ltc.codec.interruption import Interrupted, Interruptions

COMMAND = [sys.executable, "-m", "ltc.codec"]
LINE = b"error: interrupted; no output was written.\n"
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}


def heed():
    """Tests that run in the background ignore signals, and so would their children."""
    for number in CODES:
        signal.signal(number, signal.SIG_DFL)


def waiting(arguments, folder):
    """A command that has begun to write, and waits for more of its input."""
    np.save(folder / "in.npy", np.zeros(1 << 20, dtype=np.float32))
    process = subprocess.Popen([*COMMAND, *map(str, arguments)], stdin=-1, stdout=-1, stderr=-1, preexec_fn=heed)
    process.stdin.write((folder / "in.npy").read_bytes()[:100_000])
    process.stdin.flush()
    while not list(folder.rglob(".part-*")) and process.poll() is None:
        time.sleep(0.01)
    return process


@pytest.mark.parametrize("number", [signal.SIGTERM])
def test_an_output_that_was_there_stays(number, saved, tmp_path):
    (tmp_path / "out").mkdir()
    output = tmp_path / "out" / "a.ltc"
    output.write_bytes(b"precious")
    process = waiting(("compress", saved("e8"), "-", output), tmp_path)
    process.send_signal(number)
    out, err = process.communicate()
    assert (process.returncode, out, err) == (CODES[number], b"", LINE)
    assert os.listdir(output.parent) == ["a.ltc"] and output.read_bytes() == b"precious"


@pytest.fixture
def signals():
    """``signals(line)``: what heeds them, in this process; their handlers are as before after the test."""
    before = {number: signal.getsignal(number) for number in CODES}
    for number in CODES:
        signal.signal(number, signal.default_int_handler)
    yield functools.partial(Interruptions, "error: interrupted.")
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", CODES)
def test_a_signal_is_raised_where_something_is_to_be_undone(number, signals):
    with signals() as interruptions:
        with pytest.raises(Interrupted), interruptions.undone("nothing"):
            os.kill(os.getpid(), number)
            time.sleep(1)
        assert (interruptions.code, interruptions.line) == (CODES[number], "nothing")
    assert signal.getsignal(number) is signal.default_int_handler


def test_a_signal_that_was_swallowed_is_known_at_the_end(signals):
    """And another one does not disturb the undoing."""
    with signals() as interruptions, pytest.raises(Interrupted), interruptions.undone(""):
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(1)
        except Interrupted:
            os.kill(os.getpid(), signal.SIGINT)
    assert interruptions.code == 143


def test_what_is_whole_is_not_undone(signals):
    with signals() as interruptions, interruptions.undone(""):
        interruptions.whole()
        os.kill(os.getpid(), signal.SIGTERM)
    assert interruptions.number is None


def test_signals_that_were_ignored_stay_so(signals):
    """As ``nohup`` does."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with signals():
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        assert signal.getsignal(signal.SIGTERM) is not signal.default_int_handler


@pytest.fixture(scope="module")
def known():
    """What the tests of a command know of it, by its output."""
    return {}


@pytest.fixture
def long_command(known, saved, tmp_path_factory, rng):
    """``long_command(output)``: a command of seconds, what it writes, and from when to when it heeds signals."""

    def make(output):
        if output not in known:
            folder = tmp_path_factory.mktemp("long")
            source, place = folder / "in.npy", folder / "whole.ltc" if output != "-" else "-"
            np.save(source, rng.normal(size=1 << 23).astype(np.float32))
            command = [*COMMAND, "compress", str(saved("e8")), str(source)]
            start = time.monotonic()
            whole = subprocess.run([*command, str(place)], check=True, capture_output=True).stdout
            whole, span = place.read_bytes() if output != "-" else whole, time.monotonic() - start
            start = time.monotonic()
            subprocess.run([sys.executable, "-c", "from ltc.codec.interruption import Interruptions"], check=True)
            first = 2 * (time.monotonic() - start)  # in its first moments the interpreter itself heeds nothing
            known[output] = command, whole, (first, max(span, 2 * first))
        return known[output]

    return make


@pytest.mark.slow
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("part", range(4))
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
@pytest.mark.parametrize("output", ["a.ltc", "-"])
def test_signals_at_random_moments(number, output, part, long_command, tmp_path, rng):
    """From the first import to the last byte: twenty of each kind, five a test, for slow machines."""
    command, whole, moments = long_command(output)
    (tmp_path / "out").mkdir()
    place = tmp_path / "out" / output if output != "-" else "-"
    command = [*command, str(place)]
    for _ in range(5):
        if output != "-":
            place.write_bytes(b"precious")
        process = subprocess.Popen(command, stdout=-1, stderr=-1, preexec_fn=heed)
        time.sleep(rng.uniform(*moments))
        process.send_signal(number)
        out, err = process.communicate()
        found = place.read_bytes() if output != "-" else out
        if process.returncode == 0:
            assert found == whole and err == b""
        else:
            assert process.returncode == CODES[number] and err.count(b"\n") == 1 and b"interrupted" in err
            assert found == b"precious" if output != "-" else len(found) <= len(whole)
        assert os.listdir(tmp_path / "out") == ([output] if output != "-" else [])
    # The same command goes on.
    done = subprocess.run(command, check=True, capture_output=True)
    assert (place.read_bytes() if output != "-" else done.stdout) == whole
