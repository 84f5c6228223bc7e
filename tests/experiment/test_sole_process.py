"""A job's folder has one process at a time, and a worker ends with the process that it works for."""

import json
import multiprocessing
import os
import threading
import time

from experiment.lock import end_with_parent, sole_process
from experiment.sweep.jobs import SweepEntry, entries, tell_interrupted
from ltc.files import write_json

FORK = multiprocessing.get_context("fork")  # starts at once: torch is loaded already


def _hold(folder, inside, leave):
    with sole_process(folder):
        inside.set()
        leave.wait(60)


def test_another_process_waits(tmp_path, capsys):
    inside, leave = FORK.Event(), FORK.Event()
    other = FORK.Process(target=_hold, args=(tmp_path, inside, leave))
    other.start()
    assert inside.wait(60)
    begin = time.monotonic()
    FORK.Process(target=lambda: (time.sleep(3), leave.set())).start()
    with sole_process(tmp_path):
        other.join(10)  # it has left the folder, and so it ends
        assert not other.is_alive() and time.monotonic() - begin > 2
    assert f"at work in {tmp_path}" in capsys.readouterr().out


def test_a_lock_ends_with_its_process(tmp_path, capsys):
    inside = FORK.Event()
    other = FORK.Process(target=_hold, args=(tmp_path, inside, FORK.Event()))
    other.start()
    assert inside.wait(60)
    other.kill()
    other.join()
    with sole_process(tmp_path):
        assert not capsys.readouterr().out


def test_a_job_whose_process_was_killed_is_said_to_be_interrupted(tmp_path):
    """By the sweep that ends, for all its jobs but those that a process is at work on."""
    for number in range(3):
        entry = SweepEntry(tmp_path, number, tmp_path / str(number), {"overrides": []})
        entry.write("failed" if number == 2 else "running")
        write_json(
            tmp_path / str(number) / "job.json", {"state": "finished" if number == 2 else "running", "attempt": 2}
        )
    inside, leave = FORK.Event(), FORK.Event()
    other = FORK.Process(target=_hold, args=(tmp_path / "1", inside, leave))
    other.start()
    assert inside.wait(60)
    tell_interrupted(tmp_path)
    assert [entry["state"] for entry in entries(tmp_path)] == ["interrupted", "running", "failed"]
    records = [json.loads((tmp_path / str(number) / "job.json").read_text()) for number in range(3)]
    assert [record["state"] for record in records] == ["interrupted", "running", "finished"]
    assert {record["attempt"] for record in records} == {2}
    leave.set()
    other.join(60)


def _work(number):
    end_with_parent(0.05)
    number.value = os.getpid()
    time.sleep(60)


def _launch(number):
    FORK.Process(target=_work, args=(number,)).start()
    time.sleep(60)


def test_a_worker_ends_with_its_parent():
    number = FORK.Value("i", 0)
    parent = FORK.Process(target=_launch, args=(number,))
    parent.start()
    while not number.value:
        time.sleep(0.01)
    parent.kill()
    parent.join()
    end = time.monotonic() + 30
    while _runs(number.value):
        assert time.monotonic() < end, "the worker outlived its parent"
        time.sleep(0.05)


def _runs(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"  # nobody may be there to collect it
    except FileNotFoundError:
        return False


def test_a_process_of_its_own_watches_nobody():
    before = threading.enumerate()
    end_with_parent(0.05)
    assert threading.enumerate() == before
